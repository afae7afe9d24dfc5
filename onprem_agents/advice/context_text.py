"""What an agent must know that works on a stack's repository: all of it from the plan, the schema and the Role.

Agents read it at the start of each session, so it is short, and says commands rather than reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from onprem_agents.manifests import Allowed
from onprem_agents.plan import PlatformPlan
from onprem_agents.stack.decided import settings_in
from onprem_agents.stack.settings import PROJECT, Platform
from onprem_agents.stack.settings_page import table

PACK = '--policy-pack "$(onprem-agents policy-pack)"'


def context_text(plan: PlatformPlan, file: str, matrix: Sequence[Allowed]) -> str:
    """Return the part of AGENTS.md about one stack; `file` is its stack file as seen from the repository's root."""
    stack = plan.stack
    parts = [
        f"""## Stack {stack}: models of our own for coding agents

`{file}` declares the whole platform; all else follows from it. `onprem-agents plan {stack}` shows what, with the memory
of each GPU and what is left free.
""",
        facts(plan),
        roles(plan),
        f"### What you may change\n\nBelow `{PROJECT}:platform` in `{file}`, and nothing else of the platform:\n",
        "".join(f"- {line}\n" for line in free_settings()),
        f"""`onprem-agents schema --page` says what each means, and what holds where it is left out.

### What a person decides

`onprem-agents check {stack} --agent` stops a change of these. Say what you would change, and why:
""",
        table(("setting", "because"), decided_settings()),
        """Keys and how secrets are locked are never yours, nor is what the policies let pass (`policy-config*.json`).
No prompt goes to a model that somebody else hosts: there is no setting for that, and none is to be made.
""",
        way_of_a_change(stack, file),
        EVIDENCE,
    ]
    if matrix:
        parts.append(account(plan, matrix))
    return "\n".join(parts)


def facts(plan: PlatformPlan) -> str:
    """Return where the stack is and what it has."""
    return table(
        ("what", "here"),
        [
            ("namespace", f"`{plan.namespace}`"),
            ("address for agents", plan.connection.base_url),
            (
                "GPUs",
                ", ".join(
                    f"{pool.nodes} × {pool.gpus_per_node} {pool.accelerator.name}" for pool in plan.pools
                ),
            ),
            ("longest turn", f"{plan.settings.timeouts.longest_turn_seconds} s"),
            ("vLLM", plan.main.vllm_release),
        ],
    )


def roles(plan: PlatformPlan) -> str:
    """Return one row for each served model, in planned figures."""
    rows = [
        (
            f"`{one.role}`",
            one.variant.hf_id,
            f"{one.context_tokens:,}",
            str(one.sessions),
            f"{one.replicas} × {one.resources.gpus} GPU",
        )
        for one in plan.serving
    ]
    return table(("role", "model", "context, tokens", "sessions at once", "servers"), rows)


def free_settings() -> Iterator[str]:
    """Yield the settings that an agent may change, a line for each section of the schema."""
    free = [setting.path for setting in settings_in(Platform) if setting.why is None]
    for section, paths in groupby(free, lambda path: path.rpartition(".")[0]):
        names = ", ".join(f"`{path.rpartition('.')[2]}`" for path in paths)
        yield f"`{section}`: {names}"


def decided_settings() -> Iterator[tuple[str, str]]:
    """Yield the settings that a person decides, with the reason: one row for each reason."""
    decided: dict[str, list[str]] = {}
    for setting in settings_in(Platform):
        if setting.why is not None:
            decided.setdefault(setting.why, []).append(f"`{setting.path}`")
    yield from ((", ".join(paths), why) for why, paths in decided.items())


def way_of_a_change(stack: str, file: str) -> str:
    """Return the order of work, the preview before everything else."""
    return f"""### How a change goes

1. One change at a time, on a branch of its own: one setting, or those that only make sense together. Open `{file}` and
   what the task names, no more.
2. `onprem-agents plan {stack}`: every problem at once, with what to change. Read the notes too.
3. `onprem-agents check {stack} --agent`: whether it may go to review.
4. `pulumi preview -s {stack} --diff {PACK}`: what the cluster would get. Without
   credentials, ask a person for it.
5. Commit, with the lines of `plan` that changed, before and after. A person reads diff and preview, and applies.

Never: `pulumi up`, `destroy`, `config`, `state`; `onprem-agents keys`; `kubectl apply`, `edit`, `patch`, `delete`,
`exec`. A refusal is an answer: report it, and do not look for a way around it.
"""


EVIDENCE = """### Evidence

A figure that you tell stands beside the command that printed it, and that command was run in this session. What was
not measured is called "not measured"; what `plan` says is "planned". Nothing is called faster, better or fixed without
both figures, before and after.
"""


def account(plan: PlatformPlan, matrix: Sequence[Allowed]) -> str:
    """Return what the agent's ServiceAccount may do."""
    name = plan.settings.operator.service_account if plan.settings.operator is not None else ""
    rows = [
        (f"`{line.full_name}`" + (f" `{line.name}`" if line.name else ""), ", ".join(line.verbs) or "nothing")
        for line in matrix
    ]
    by_verbs: dict[str, list[str]] = {}
    for resource, verbs in rows:
        by_verbs.setdefault(verbs, []).append(resource)
    return (
        f"### Your account\n\nServiceAccount `{name}` of `{plan.namespace}`, by a token that a person makes: `kubectl "
        f"create token {name} -n {plan.namespace} --duration 1h`. What is not named it may not do.\n\n"
        + table(("may", "with"), ((verbs, ", ".join(resources)) for verbs, resources in by_verbs.items()))
    )
