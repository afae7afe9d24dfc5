"""What appeared and vanished between releases: told by their folders, and what to do instead by `history.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from pydantic import Field

from onprem_agents.errors import nearest_hint
from onprem_agents.vllm.release import (
    Facts,
    Release,
    known_releases,
    load_release,
    nearest_release,
    version_key,
)

_FILE = Path(__file__).with_name("history.json")


class Removed(Facts):
    """An option that vLLM took once: whether it had a value, and what to do instead."""

    takes_value: bool
    hint: str


class History(Facts):
    """What no folder of a release tells."""

    source: str
    read: str
    removed: Mapping[str, Removed]
    one_tool_parser: tuple[frozenset[str], ...] = Field(description="names of one class")
    endpoints_since: Mapping[str, str] = Field(description="paths that are older than the oldest folder")


@cache
def load_history() -> History:
    """Return what no folder of a release tells."""
    return History.model_validate(json.loads(_FILE.read_text(encoding="utf-8")))


def same_tool_parser(one: str, other: str) -> bool:
    """Whether two tool parser names stand for one parser: qwen3_coder is qwen3_xml, hermes is qwen3_json."""
    return one == other or any({one, other} <= names for names in load_history().one_tool_parser)


def serves(version: str, path: str) -> bool:
    """Whether that release answers to a path of the agents' API; one without a folder is judged by the nearest."""
    since = load_history().endpoints_since.get(path, "0")
    return path in nearest_release(version).endpoints and version_key(version) >= version_key(since)


def unknown_option_hint(option: str, version: str, known: Iterable[str]) -> str:
    """Say of an option that `version` lacks since when it exists or is gone, or name the nearest."""
    told = _elsewhere(option, version, Release.options)
    removed = load_history().removed.get(option)
    if removed is not None:
        gone = told if told is not None and told.startswith("it is gone") else "it is gone from vLLM"
        return f"{gone}: {removed.hint}"
    return (
        f"{told}: leave the option out, or use a release that has it" if told else nearest_hint(option, known)
    )


def unknown_value_hint(name: str, version: str, registry: Callable[[Release], frozenset[str]]) -> str:
    """Say of a parser or quantisation that `version` lacks since when it exists or is gone, or name the nearest."""
    known = registry(nearest_release(version))
    return _elsewhere(name, version, registry) or nearest_hint(name, known)


def _elsewhere(name: str, version: str, registry: Callable[[Release], frozenset[str]]) -> str | None:
    """Return with which minor a name that `version` lacks came or went, None where no release knows it."""
    holders = [known for known in known_releases() if name in registry(load_release(known))]
    asked = version_key(version)
    older = [known for known in holders if version_key(known) < asked]
    newer = [known for known in holders if version_key(known) > asked]
    if newer and not older:
        return f"it exists since vLLM {_minor(newer[0])}"
    if not older:
        return None
    without = known_releases()[known_releases().index(older[-1]) + 1 :]
    return f"it is gone since vLLM {_minor(without[0])}" if without else None


def _minor(version: str) -> str:
    return ".".join(str(part) for part in version_key(version)[:2])
