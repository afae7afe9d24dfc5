"""A change of stack files as one Markdown comment, which is read without the tool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onprem_agents.cli.check_findings import CheckFinding
from onprem_agents.cli.check_formats import cell, whole
from onprem_agents.cli.cost_view import cost_lines
from onprem_agents.cli.memory_view import drawn, legend
from onprem_agents.cli.report_text import count
from onprem_agents.cli.review_values import StackReview, State
from onprem_agents.cli.speed_view import pace
from onprem_agents.sizing.shown import wait
from onprem_agents.units import rough_time

MARK = "<!-- onprem-agents review -->"
"""The first line, by which a workflow finds the comment that it wrote before."""
_NONE = "–"
# So many objects of a kind of change are named; the rest are counted.
_NAMED = 12

Report = Mapping[str, Any]


def markdown(found: Sequence[StackReview], said: str) -> str:
    """Return the comment; `said` names the two ends."""
    changed = [review for review in found if review.changed]
    lines = [MARK, f"## What this change does ({said})", ""]
    if not changed:
        lines.append(f"Nothing: {_stacks(found)} as before.")
        return "\n".join(lines)
    for review in changed:
        lines += [*_stack(review), ""]
    same = [review for review in found if not review.changed]
    if same:
        lines.append(f"{_stacks(same)} as before.")
    return "\n".join(lines).rstrip()


def _stacks(found: Sequence[StackReview]) -> str:
    names = ", ".join(f"`{review.stack}`" for review in found)
    return f"{names} {'is' if len(found) == 1 else 'are'}" if found else "there are no stacks, which is"


def _stack(review: StackReview) -> Iterator[str]:
    yield f"### Stack `{review.stack}`"
    yield ""
    if review.after is None:
        yield "The stack file is gone. What it declared stays in the cluster until `pulumi destroy`."
        return
    if review.after.report is None:
        yield "**It does not plan any more**, so nothing can be said of what it would do."
    else:
        yield from _table("", _stack_rows(review))
        for role in review.roles:
            rows = _role_rows(review, role)
            differ = any(old != new for _, old, new in rows)
            yield from _table(f"**{cell(role)}**{_fate(review, role)}", rows if differ else [])
        yield from _developers(review, review.after)
        yield from _objects(review)
    yield from _findings("New findings", review.new_findings)
    yield from _findings("Mended", review.mended_findings)


def _table(title: str, rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    if title:
        yield title
        yield ""
    if not rows:
        return  # nothing differs
    yield "| | before | after |"
    yield "| --- | --- | --- |"
    for label, old, new in rows:
        strong = f"**{label}**" if old != new else label
        yield f"| {strong} | {cell(old)} | {cell(new)} |"
    yield ""


def _stack_rows(review: StackReview) -> list[tuple[str, str, str]]:
    told = [_stack_facts(each) for each in (review.before, review.after)]
    return _rows(*told)


def _stack_facts(state: State | None) -> dict[str, str]:
    if state is None or state.report is None:
        return {}
    found = state.report
    facts = {
        "GPUs": "; ".join(
            f"{pool['nodes']} × {pool['gpusPerNode']} {pool['accelerator']}, {pool['freeGpus']} free"
            for pool in found["pools"]
        ),
        "developers": f"{found['developers']:,}",
        "sessions at once": f"{found['sessions']:,}",
    }
    if found["cost"]:
        facts["cost"] = "; ".join(cost_lines(found["cost"]))
    return facts


def _role_rows(review: StackReview, role: str) -> list[tuple[str, str, str]]:
    before, after = (_role_facts(each.role(role) if each else None) for each in (review.before, review.after))
    return _rows(before, after)


def _role_facts(role: Report | None) -> dict[str, str]:
    if role is None:
        return {}
    memory, speed, loading = role["memory"], role["speed"], role["loading"]
    facts = {
        "model": f"{role['model']} ({role['precision']})",
        "image": role["image"],
        "servers": f"{role['replicas']} × {count(role['gpusPerReplica'], 'GPU')}",
        "memory of a GPU": f"{drawn(memory).plain} {legend(memory).plain}",
        "context": f"{role['contextTokens']:,} tokens",
        "sessions": f"{role['sessions']:,}",
    }
    if speed:
        facts["speed"] = pace(speed)
        facts["first token of 30k"] = (
            f"{wait(speed['firstTokenSecondsCold30k'])}, with a warm prefix {wait(speed['firstTokenSecondsWarm30k'])}"
        )
    if role["bounds"]:
        facts["a server at most"] = _most(role["bounds"])
    facts["start"] = f"about {rough_time(loading['startSeconds'])}"
    facts["agents"] = ", ".join(each["title"] for each in role["agents"] if each["served"]) or "none"
    return facts


def _most(bounds: Mapping[str, Any]) -> str:
    """Return what the speed of one server cannot exceed, at the mean length of a session."""
    return (
        f"{bounds['decodeTokensPerSecondOne']:,.0f} tokens/s for one session, "
        f"{bounds['decodeTokensPerSecondAll']:,.0f} for {count(bounds['sessions'], 'session')}, "
        f"{bounds['prefillTokensPerSecond']:,.0f} of prompts"
    )


def _rows(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str, str]]:
    labels = dict.fromkeys((*after, *before))
    return [(label, before.get(label, _NONE), after.get(label, _NONE)) for label in labels]


def _fate(review: StackReview, role: str) -> str:
    """Return what the roll-out means for those who work with a role."""
    old, new = (each.role(role) if each else None for each in (review.before, review.after))
    if new is None:
        return ": goes; whoever works with it must use another role"
    if old is None:
        return ": is new"
    if review.before is not None and review.before.report is None:
        return ""
    if not review.restarts(role):
        return ": its servers keep running"
    rollout = new["rollout"]
    how = "**away while it loads**" if rollout["downtime"] else "no downtime"
    return f": its servers start anew, {how} ({cell(rollout['reason'])})"


def _developers(review: StackReview, after: State) -> Iterator[str]:
    before = review.before
    old = before.developers if before is not None else frozenset[str]()
    joined, left = sorted(after.developers - old), sorted(old - after.developers)
    agents = review.agents_to_set_up
    yield "**What developers must do**"
    yield ""
    if agents and before is not None and before.report is not None:
        yield f"- run `onprem-agents setup` again: what it writes changes for {', '.join(agents)}"
    elif before is not None and before.report is not None:
        yield "- nothing: what setup wrote stays right"
    for role in review.roles:
        gained, lost = review.agents_of(role)
        if before is not None and gained:
            yield f"- {cell(role)} now works with {', '.join(gained)}"
        if lost:
            yield f"- **{cell(role)} no longer works with {', '.join(lost)}**"
    if joined:
        yield f"- new, and to be given a key: {cell(_named(joined))}"
    if left:
        yield f"- no longer let in: {cell(_named(left))}"
    yield ""


def _objects(review: StackReview) -> Iterator[str]:
    found = review.objects
    groups = (("added", found.added), ("removed", found.removed), ("changed", found.changed))
    if any(names for _, names in groups):
        yield "**Objects**"
        yield ""
        for word, names in groups:
            if names:
                yield f"- {len(names)} {word}: {cell(_named(names))}"
        yield ""


def _named(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _findings(title: str, found: Sequence[CheckFinding]) -> Iterator[str]:
    if not found:
        return
    yield f"**{title}**"
    yield ""
    for finding in found:
        sign = "❌" if finding.level == "mandatory" else "⚠️"
        yield f"- {sign} `{finding.policy}`: {cell(whole(finding))}"
    yield ""
