"""What each vLLM release knows: options, parsers, quantisations, endpoints; read from `data/`.

One file per release, distilled from that release's own option parser and registries, and `history.json` for
what appeared or vanished in between. Each file names its source and the day it was read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from onprem_agents.errors import UnknownFact, nearest_hint

Scalar = bool | int | float | str | None

_DATA = Path(__file__).with_name("data")

# vLLM's container images keep the example chat templates here; the non-root image starts in another folder,
# so only the absolute path works (vLLM 0.33.0, docker/Dockerfile, read 2026-11-24).
TEMPLATE_FOLDER = "/vllm-workspace/examples"

# `vllm serve` listens here when no --port is given (vLLM 0.33.0, option parser, read 2026-11-24).
DEFAULT_PORT = 8000


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Release(_Facts):
    """One vLLM release as its own option parser and registries describe it.

    `switches` maps an on/off option to the option that says the opposite and its default (None: decided at
    start); `one_way_switches` have no opposite. `values` take one value and hold its default where that is
    a plain one; `lists` take one or more, `optional_values` none or one. `choices` are kept for the options
    that `ServeFlags` models.
    """

    release: str
    source: str
    read: str
    switches: Mapping[str, tuple[str, bool | None]]
    one_way_switches: frozenset[str]
    values: Mapping[str, Scalar]
    lists: frozenset[str]
    optional_values: frozenset[str]
    aliases: Mapping[str, str]
    choices: Mapping[str, tuple[str, ...]]
    tool_parsers: frozenset[str]
    reasoning_parsers: frozenset[str]
    quantization_methods: frozenset[str]

    def options(self) -> frozenset[str]:
        """Return the canonical spelling of every option, without aliases and opposites."""
        return (
            frozenset({*self.switches, *self.values})
            | self.one_way_switches
            | self.lists
            | self.optional_values
        )

    def default(self, option: str) -> Scalar:
        """Return the default of an option; None when there is none or when the server decides at start."""
        if option in self.switches:
            return self.switches[option][1]
        if option in self.one_way_switches:
            return False
        return self.values.get(option)

    def opposite(self, option: str) -> str | None:
        """Return the spelling that switches `option` off, valid in this release; None if it has none."""
        if option not in self.switches:
            return None
        # 0.33.0 lists --disable-x as the opposite of --enable-x, yet takes --no-enable-x (run 2026-11-24).
        return f"--no-{option[2:]}" if option.startswith("--enable-") else self.switches[option][0]


class Removed(_Facts):
    """An option that vLLM no longer takes: since which release, whether it came back, what to do instead."""

    gone_since: str | None
    back_since: str | None
    takes_value: bool
    hint: str


class History(_Facts):
    """What appeared and vanished between releases; None as a version means: before 0.9.2, or not known."""

    source: str
    read: str
    since: Mapping[str, str]
    removed: Mapping[str, Removed]
    endpoints: Mapping[str, str | None]
    quantizations_gone: Mapping[str, str]
    tool_parsers_since: Mapping[str, str]
    one_tool_parser: tuple[frozenset[str], ...] = Field(description="names of one class")


@cache
def known_releases() -> tuple[str, ...]:
    """Return the releases that have a file, oldest first."""
    names = (path.stem.removeprefix("vllm-") for path in _DATA.glob("vllm-*.json"))
    return tuple(sorted(names, key=version_key))


def newest_release() -> str:
    """Return the newest release that has a file."""
    return known_releases()[-1]


@cache
def load_release(version: str) -> Release:
    """Return the facts of one release such as "0.33.0"; raises UnknownFact for one without a file."""
    if version not in known_releases():
        raise UnknownFact("vLLM release", version, known_releases())
    return Release.model_validate(json.loads((_DATA / f"vllm-{version}.json").read_text(encoding="utf-8")))


@cache
def load_history() -> History:
    """Return what changed between releases."""
    return History.model_validate(json.loads((_DATA / "history.json").read_text(encoding="utf-8")))


def nearest_release(version: str | None) -> Release:
    """Return the facts to judge `version` by: its own, else the newest older ones, else the oldest there are.

    None (an image without a version in its tag) gives the newest.
    """
    if version is None:
        return load_release(newest_release())
    older = [known for known in known_releases() if version_key(known) <= version_key(version)]
    return load_release(older[-1] if older else known_releases()[0])


def version_key(version: str) -> tuple[int, ...]:
    """Return a sortable key of a version: "0.33.0", "v0.11.1", "0.33.1rc1" (as 0.33.1); else ()."""
    parts: list[int] = []
    for part in version.removeprefix("v").split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        parts.append(int(digits))
        if digits != part:
            break
    return tuple(parts)


def same_tool_parser(one: str, other: str) -> bool:
    """Whether two tool parser names stand for one parser: qwen3_coder is qwen3_xml, hermes is qwen3_json."""
    return one == other or any({one, other} <= names for names in load_history().one_tool_parser)


def has_endpoint(version: str, path: str) -> bool:
    """Whether that release serves `path`; raises UnknownFact for a path the history says nothing about."""
    endpoints = load_history().endpoints
    if path not in endpoints:
        raise UnknownFact("vLLM endpoint", path, endpoints)
    since = endpoints[path]
    return since is None or version_key(version) >= version_key(since)


def unknown_option_hint(option: str, version: str, known: Iterable[str]) -> str:
    """Say of an option that `version` lacks since when it exists or is gone, or name the nearest."""
    history = load_history()
    if option in history.removed:
        removed = history.removed[option]
        since = f" since vLLM {removed.gone_since}" if removed.gone_since else " from vLLM"
        return f"it is gone{since}: {removed.hint}"
    if option in history.since and version_key(version) < version_key(history.since[option]):
        return f"it exists since vLLM {history.since[option]}: use that release or leave the option out"
    return nearest_hint(option, known)
