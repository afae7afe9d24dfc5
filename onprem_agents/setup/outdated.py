"""What an earlier setup wrote into an agent's file and a new one does not: another role, or a platform that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onprem_agents.agents.chosen import NONE_CHOSEN
from onprem_agents.agents.config import KeyPath, Values
from onprem_agents.agents.machine import Machine
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.connection_file import parse
from onprem_agents.errors import InvalidInput
from onprem_agents.setup import role_choice
from onprem_agents.setup.changes import find
from onprem_agents.setup.installed import Installed

Former = tuple[tuple[KeyPath, Any], ...]


def contract_of_before(machine: Machine) -> Connection | None:
    """Return the contract that the last setup wrote from; None where there is none, or none that can be read."""
    found = find(machine.contract_file)
    try:
        return parse(found.text, str(machine.contract_file)) if found.content is not None else None
    except InvalidInput:
        return None


def outdated(
    before: Connection | None, installed: Installed, machine: Machine, new: Values, present: Values
) -> Former:
    """Return what stands in the agent's file as the last setup wrote it, and has no place beside the new values.

    Of a list these are the items alone.
    """
    if before is None:
        return ()
    try:
        roles, _ = role_choice.kept(machine).usable(before)
    except InvalidInput:
        roles = NONE_CHOSEN
    seen = roles.seen_by(installed.agent, before)
    old = installed.agent.wanted(seen, installed.release, None).values
    return tuple(_gone(old, new, present, ()))


def _gone(
    old: Mapping[str, Any], new: Mapping[str, Any], present: Any, path: KeyPath
) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in old.items():
        here, now = (*path, key), present.get(key) if isinstance(present, dict) else None
        if key not in new and now == value:
            yield here, value
        elif isinstance(value, dict):
            inner = new.get(key)
            yield from _gone(value, inner if isinstance(inner, dict) else {}, now, here)
        elif isinstance(value, list) and isinstance(now, list):
            kept = new.get(key, [])
            items = (
                [item for item in value if item not in kept and item in now] if isinstance(kept, list) else []
            )
            yield from [(here, items)] if items else []
