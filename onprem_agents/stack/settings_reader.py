"""Reads the value of `onprem-coding-agents:platform`: a `Platform`, or every problem at once."""

from __future__ import annotations

from collections.abc import Mapping

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.stack.section_reader import Wording, entries_that_repeat, read_section, shown
from onprem_agents.stack.settings import Platform

_IN_A_STACK_FILE = Wording(
    root="platform",
    example="; see stacks/Pulumi.local.yaml for an example",
    place=" under 'onprem-coding-agents:platform'",
)


def parse_platform(raw: object, source: str) -> Platform:
    """Validate the value of `onprem-coding-agents:platform`.

    `source` names the stack or file in the error. Raises `InvalidInput` with all problems found.
    """
    if not isinstance(raw, Mapping):
        raise InvalidInput(
            source,
            [
                Problem(
                    where=_IN_A_STACK_FILE.key(()),
                    cause="wrong-shape",
                    found=shown(raw),
                    why="the platform settings are a map of sections",
                    fix="write 'onprem-coding-agents:platform:' with hardware, models and access below it; "
                    "see stacks/Pulumi.local.yaml",
                )
            ],
        )
    platform, problems = read_section(Platform, raw, _IN_A_STACK_FILE)
    problems += _roles_used_twice(raw.get("models"))
    if platform is None or problems:
        raise InvalidInput(source, problems)
    return platform


def _roles_used_twice(models: object) -> list[Problem]:
    return [
        Problem(
            where=_IN_A_STACK_FILE.key(("models",)),
            cause="repeated",
            found=f"the role {role!r} more than once",
            why="a role is the name that developers' machines know one model by",
            fix="give each entry of models its own role",
        )
        for role in entries_that_repeat(models, "role")
    ]
