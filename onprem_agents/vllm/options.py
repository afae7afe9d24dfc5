"""Resolve what is written in argv to an option of one release: aliases, opposites, abbreviations.

vLLM's parser folds underscores to dashes and accepts every unambiguous beginning of an option, so a typo can
hit another option; the resolution here is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from onprem_agents.vllm.release import Release, load_release

Takes = Literal["nothing", "one", "many", "maybe"]


@dataclass(frozen=True, kw_only=True)
class Option:
    """A resolved option: its canonical spelling, what it takes, and for switches the value it sets."""

    name: str
    takes: Takes
    switch: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Ambiguous:
    """An abbreviation of several options."""

    candidates: tuple[str, ...]


def resolve(written: str, release: Release) -> Option | Ambiguous | None:
    """Return the option that `written` (without "=value") means in that release; None if it has none."""
    spellings = _spellings(release.release)
    folded = fold(written)
    if folded in spellings:
        return spellings[folded]
    if not folded.startswith("--"):
        return None
    found = {option for spelling, option in spellings.items() if spelling.startswith(folded)}
    if len(found) > 1:
        return Ambiguous(candidates=tuple(sorted({option.name for option in found})))
    return found.pop() if found else None


def fold(written: str) -> str:
    """Return the option with dashes for underscores, as vLLM's parser reads it."""
    return written.replace("_", "-") if written.startswith("--") else written


@cache
def _spellings(version: str) -> Mapping[str, Option]:
    """Return every spelling that the release accepts."""
    release = load_release(version)
    table: dict[str, Option] = {}
    for name, (opposite, _) in release.switches.items():
        off = Option(name=name, takes="nothing", switch=False)
        table[name] = Option(name=name, takes="nothing", switch=True)
        table[opposite] = off
        table["--no-" + name.removeprefix("--")] = off
    table.update({name: Option(name=name, takes="nothing", switch=True) for name in release.one_way_switches})
    table.update({name: Option(name=name, takes="one") for name in release.values})
    table.update({name: Option(name=name, takes="many") for name in release.lists})
    table.update({name: Option(name=name, takes="maybe") for name in release.optional_values})
    table.update({alias: table[name] for alias, name in release.aliases.items()})
    return table
