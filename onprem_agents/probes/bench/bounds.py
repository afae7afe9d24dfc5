"""The figures of a run beside what the contract and the plan promise: within, or why not and what to change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onprem_agents.contract.connection import Timeouts
from onprem_agents.plan import ServingPlan
from onprem_agents.plan.timeouts import KEEP_ALIVE_SECONDS
from onprem_agents.probes.bench.figures import Figures
from onprem_agents.probes.bench.load import Run
from onprem_agents.probes.bench.sample import UNFINISHED
from onprem_agents.probes.long_prompts import LEAST_SHARE

# A comment of the server every so many seconds, and what the way adds.
_SILENCE_SECONDS = KEEP_ALIVE_SECONDS + 5


@dataclass(frozen=True, kw_only=True)
class Bound:
    """One figure and its bound, both in words. `why` and `change` are empty where it is within."""

    name: str
    measured: str
    bound: str
    by: str
    within: bool
    why: str = ""
    change: str = ""


@dataclass(frozen=True, kw_only=True)
class Promised:
    """Who promises what: the contract of the platform, the plan of its stack, either or none."""

    timeouts: Timeouts | None = None
    serving: ServingPlan | None = None


def bounds(run: Run, found: Figures, promised: Promised) -> tuple[Bound, ...]:
    """Return each bound that is known, with what was measured."""
    return (
        *_failures(run, found),
        *_of_cache(found),
        *(_of_contract(found, promised.timeouts) if promised.timeouts is not None else ()),
        *(_of_plan(run, found, promised.serving) if promised.serving is not None else ()),
    )


def _failures(run: Run, found: Figures) -> Iterator[Bound]:
    measured = f"{found.failed} of {found.rounds + found.failed}"
    if not found.rounds:
        yield Bound(
            name="rounds answered",
            measured="none",
            bound="at least one",
            by="the load",
            within=False,
            why="without an answer nothing was measured",
            change=_first_fix(run) or "let it run longer (--minutes)",
        )
    yield Bound(
        name="rounds that failed",
        measured=measured,
        bound="none",
        by="the load",
        within=not found.failed,
        why=f"an agent's turn ends there: {_told(found)}" if found.failed else "",
        change=_first_fix(run) if found.failed else "",
    )
    yield Bound(
        name="rounds told to come again",
        measured=f"{found.refusals}",
        bound="none",
        by="the load",
        within=not found.refusals,
        why="quota or server was full, and agents stood still meanwhile" if found.refusals else "",
        change="raise access.quotas of the stack, or run fewer sessions (--sessions)" if found.refusals else "",
    )


def _told(found: Figures) -> str:
    return ", ".join(f"{cause} {number}" for cause, number in found.causes.items() if cause != UNFINISHED)


def _first_fix(run: Run) -> str:
    failed = (one.answer for one in run.samples if not one.answer.ok and one.answer.cause != UNFINISHED)
    answer = next(failed, None)
    return f"{answer.evidence}: {answer.fix}" if answer is not None else ""


def _of_cache(found: Figures) -> Iterator[Bound]:
    if found.reusable_share is None:
        return
    least = LEAST_SHARE * found.reusable_share
    name, bound = "prompt tokens from the prefix cache", f"at least {least:.0%}"
    by = f"{LEAST_SHARE:.0%} of what sessions repeat, {found.reusable_share:.0%}"
    if found.cached_share is None:
        yield Bound(
            name=name,
            measured="not told",
            bound=bound,
            by=by,
            within=False,
            why="usage has no prompt_tokens_details.cached_tokens",
            change="start vLLM with --enable-prompt-tokens-details, as the stack does",
        )
        return
    within = found.cached_share >= least
    yield Bound(
        name=name,
        measured=f"{found.cached_share:.0%}",
        bound=bound,
        by=by,
        within=within,
        why="" if within else "prompts are computed anew: the cache forgot them, or another replica has them",
        change="" if within else "fewer sessions, a larger KV cache, or routing that keeps a session on its replica",
    )


def _of_contract(found: Figures, timeouts: Timeouts) -> Iterator[Bound]:
    if found.round_seconds is not None:
        longest, most = found.round_seconds.most, timeouts.longest_turn_seconds
        yield Bound(
            name="longest round",
            measured=f"{longest:.1f} s",
            bound=f"at most {most} s",
            by="the contract's longest turn",
            within=longest <= most,
            why="" if longest <= most else "the platform cuts turns that take longer",
            change="" if longest <= most else "fewer sessions, or a longer turn in the stack (serving.timeouts)",
        )
    if found.silence_seconds is not None:
        silence, most = found.silence_seconds.most, timeouts.stream_idle_seconds
        yield Bound(
            name="longest silence of a stream",
            measured=f"{silence:.1f} s",
            bound=f"at most {most} s",
            by="the contract's idle limit",
            within=silence <= most,
            why="" if silence <= most else "agents give a silent stream up",
            change="" if silence <= most else "look at what stands between here and the server",
        )


def _of_plan(run: Run, found: Figures, serving: ServingPlan) -> Iterator[Bound]:
    sessions, held = run.load.sessions, serving.sessions
    yield Bound(
        name="sessions at once",
        measured=f"{sessions}",
        bound=f"at most {held}",
        by=f"the plan: full contexts of {serving.context_tokens:,} tokens that {serving.role} holds",
        within=sessions <= held,
        why="" if sessions <= held else "with full contexts, the rest would wait or evict each other's prompts",
        change="" if sessions <= held else f"run {held} (--sessions), or plan more replicas",
    )
    most = held * serving.context_tokens
    within = found.most_tokens_held <= most
    yield Bound(
        name="tokens of all sessions at once",
        measured=f"{found.most_tokens_held:,}",
        bound=f"at most {most:,}",
        by="the plan: what the KV cache holds",
        within=within,
        why="" if within else "the cache forgets prompts that come again",
        change="" if within else "fewer sessions, or more replicas",
    )
    if found.silence_seconds is not None:
        silence = found.silence_seconds.most
        yield Bound(
            name="longest silence with the server's comments",
            measured=f"{silence:.1f} s",
            bound=f"at most {_SILENCE_SECONDS} s",
            by=f"the plan: a comment every {KEEP_ALIVE_SECONDS} s",
            within=silence <= _SILENCE_SECONDS,
            why="" if silence <= _SILENCE_SECONDS else "comments do not come through, so idle limits cut long prompts",
            change="" if silence <= _SILENCE_SECONDS else "look for a proxy that buffers (onprem-agents doctor)",
        )
