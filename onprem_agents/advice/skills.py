"""The skills of a stack's repository: what is done often, step by step, for agents that load such files on demand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from onprem_agents.advice.context_text import EVIDENCE, roles, way_of_a_change
from onprem_agents.plan import PlatformPlan

# Claude Code 2.1.330 reads the first folder, Codex 0.169.0 the second, opencode 1.18.33 both (2026-11).
FOLDERS = (".claude/skills", ".agents/skills")
_LONGEST_NAME = 64


@dataclass(frozen=True, kw_only=True)
class Skill:
    """A skill: its name is that of its folder, by its description an agent finds out when to load it."""

    name: str
    description: str
    body: str

    def text(self, mark: str) -> str:
        """Return the file SKILL.md; `mark` says whose it is."""
        description = json.dumps(self.description)  # YAML takes JSON's quotes, and a colon within them
        return f"---\nname: {self.name}\ndescription: {description}\n---\n\n{mark}\n\n{self.body}"


def skills(plan: PlatformPlan, file: str) -> Iterator[Skill]:
    """Yield the skills for one stack; `file` is its stack file as seen from the repository's root."""
    stack = plan.stack
    slug = (
        re.sub("[^a-z0-9]+", "-", stack.lower()).strip("-")[: _LONGEST_NAME - len("look-after-")].strip("-")
    )
    yield Skill(
        name=f"change-{slug}",
        description=f"Change what the stack {stack} serves: a model, its context, sessions, thinking or sampling.",
        body=f"""# Change the stack {stack}

What it serves now, as planned:

{roles(plan)}
{way_of_a_change(stack, file)}
Which settings are yours and which a person decides stands in AGENTS.md. `onprem-agents catalog` lists the models that
can be served, `onprem-agents fit MODEL --gpu {plan.main.pool.accelerator.name}` says whether one starts on such a GPU,
and `onprem-agents explain {stack}` where the memory goes and what would free some.
""",
    )
    yield Skill(
        name=f"tune-{slug}",
        description=f"Make the stack {stack} faster or let more sessions fit: rounds of one change and two figures.",
        body=f"""# Tune the stack {stack}

A round is one change, and a row of a table: setting, value before and after, figure before and after, command.

1. Measure what is there: `onprem-agents verify {stack}`. Five times, and take the median: one run says little.
2. Propose one setting of AGENTS.md's list that speaks to the figure, and its value. `onprem-agents explain {stack}`
   tells what it costs in memory.
3. `onprem-agents plan {stack}` and `onprem-agents check {stack} --agent`; then a person previews and applies.
4. Measure again by the same command at a like time of day, and write the row. Take a change back that did not help.

Stop when the aim is met, or when `plan` says that no GPU memory is free: then name what is full, and what a person
could decide.

{EVIDENCE}""",
    )
    yield Skill(
        name=f"look-after-{slug}",
        description=f"Find out why the stack {stack} is slow, refuses requests or does not start. Changes nothing.",
        body=f"""# Look after the stack {stack}

From the outside in; stop at the first that shows the fault, and report it with its line of output.

1. `onprem-agents verify {stack}`: each role, API, tool call, context and cache, with why and what to change.
2. `kubectl get inferenceservices,pods -n {plan.namespace}`: what is not ready, and for how long.
3. `kubectl describe pod POD -n {plan.namespace}`: its events; `FailedScheduling` is GPUs or queue, `Unhealthy` while
   it loads is time.
4. `kubectl logs POD -n {plan.namespace} --tail 200`: vLLM's own last words. `onprem-agents plan {stack}` tells how
   long a load may take.

What comes next is a change: the skill `change-{slug}`, or a person's. Developers' machines have `onprem-agents doctor`.

{EVIDENCE}""",
    )
