"""The actions of vLLM's option parser → what `options.json` of a release holds about options."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from onprem_agents.vllm.flags import field_of


def options_of(actions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return switches, values, lists, optional values, aliases and choices, by the option's first long name."""
    found: dict[str, Any] = {
        "switches": {},
        "one_way_switches": [],
        "values": {},
        "lists": [],
        "optional_values": [],
        "aliases": {},
        "choices": {},
    }
    for action in sorted(actions, key=_name):
        name = _name(action)
        opposite = _opposite(action)
        if opposite is not None:
            found["switches"][name] = [opposite, _default(action)]
        elif action["nargs"] == 0:
            found["one_way_switches"].append(name)
        elif action["nargs"] is None:
            found["values"][name] = _default(action)
        elif action["nargs"] in ("+", "*"):
            found["lists"].append(name)
        elif action["nargs"] == "?":
            found["optional_values"].append(name)
        else:
            raise ValueError(f"{name} takes {action['nargs']!r} values, which nothing here models")
        found["aliases"].update({alias: name for alias in action["names"] if alias not in (name, opposite)})
        if action["choices"] and field_of(name) is not None and action["nargs"] is None:
            found["choices"][name] = action["choices"]
    found["aliases"] = dict(sorted(found["aliases"].items()))
    return found


def _name(action: Mapping[str, Any]) -> str:
    return str(next(name for name in action["names"] if name.startswith("--")))


def _opposite(action: Mapping[str, Any]) -> str | None:
    """Return the spelling that says no: `--no-x`, or `--disable-x` for `--enable-x` and the other way round."""
    if action["nargs"] != 0:
        return None
    name = _name(action).removeprefix("--")
    opposites = [f"--no-{name}"]
    for one, other in (("enable-", "disable-"), ("disable-", "enable-")):
        if name.startswith(one):
            opposites.append(f"--{other}{name.removeprefix(one)}")
    return next((opposite for opposite in opposites if opposite in action["names"]), None)


def _default(action: Mapping[str, Any]) -> object:
    """Return a default that is a plain value; what vLLM builds from several settings counts as none."""
    default = action["default"]
    if default == argparse.SUPPRESS:
        return None
    if isinstance(default, dict):
        return default["text"] if default["enum"] else None
    return default
