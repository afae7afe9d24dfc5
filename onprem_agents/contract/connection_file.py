"""Reading a connection contract that came from a file, a pipe or a gateway: trusted in nothing.

A platform may be newer than the release that reads its contract: keys that this one does not know are left out and
told, unless they look like a secret, which no contract carries.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import ValidationError

from onprem_agents import __version__
from onprem_agents.contract.connection import CONTRACT_VERSION, Connection
from onprem_agents.errors import Cause, Finding, InvalidInput, Problem
from onprem_agents.stack.untrusted import looks_like_key, shown
from onprem_agents.stack.value_words import said_of

MAX_CONTRACT_BYTES = 1024 * 1024
AFRESH = "take the contract afresh from the gateway (--host NAME), or ask your platform team for it"
_SECRET_NAME = re.compile(
    r"(?i)(^|_)key$|(api|access|private|secret|server|developer)_?keys?$|token$|secrets?$|passw|passphrase|credential"
)
_SHOWN_KEYS = 5
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class ReadContract:
    """A contract, and the keys of it that this release does not know, by their paths."""

    connection: Connection
    unknown: tuple[str, ...] = ()

    @property
    def note(self) -> str | None:
        """What a developer should know of the keys that were left out, if any."""
        if not self.unknown:
            return None
        more = f" and {len(self.unknown) - _SHOWN_KEYS} more" if len(self.unknown) > _SHOWN_KEYS else ""
        return (
            f"your onprem-agents ({__version__}) is older than the platform, so {', '.join(self.unknown[:_SHOWN_KEYS])}"
            f"{more} of its contract is left out; update: pip install --upgrade onprem-coding-agents, or the way that "
            "your platform team told you"
        )


def parse(text: str, source: str) -> Connection:
    """Return the contract in a JSON text; `source` names the file or pipe in messages.

    Raises `InvalidInput` with every problem found. Values that look like keys are never repeated in it.
    """
    return read(text, source).connection


def read(text: str, source: str) -> ReadContract:
    """Return the contract, and what this release does not know of it; raises as `parse` does."""
    data = _read_json(text, source)
    version = data.get("version")
    if version is None or isinstance(version, bool):
        _refuse(
            source,
            where="version",
            cause="missing-key",
            found=shown(version),
            why="every contract states its version",
            fix=AFRESH,
        )
    if isinstance(version, int) and version > CONTRACT_VERSION:
        _refuse(
            source,
            where="version",
            cause="newer-version",
            found=f"version {shown(version)} of the contract",
            why=f"this release of onprem-agents knows version {CONTRACT_VERSION} and must not guess at newer ones",
            fix="install the release of onprem-coding-agents that the platform was deployed with",
        )
    unknown = tuple(_unknown(data))
    try:
        connection = Connection.model_validate(_without(data, unknown), by_alias=True, by_name=False)
    except ValidationError as error:
        problems = [problem for detail in error.errors() for problem in _problems(dict(detail))]
        raise InvalidInput(source, problems) from None
    return ReadContract(connection=connection, unknown=tuple(_where(path) for path in unknown))


Path = tuple[int | str, ...]


def _unknown(data: dict[str, Any]) -> Iterator[Path]:
    """Yield the paths of keys that no part of a contract has, of those that may be left out."""
    try:
        Connection.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        for detail in error.errors():
            if detail["type"] == "extra_forbidden" and not _holds_secret(detail["loc"][-1], detail["input"]):
                yield detail["loc"]


def _without(data: dict[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    kept = copy.deepcopy(data) if paths else data
    for path in paths:
        node: Any = kept
        for step in path[:-1]:
            node = node[step]
        del node[path[-1]]
    return kept


def _holds_secret(name: object, value: object) -> bool:
    """Tell whether a key or anything below it looks like a secret."""
    rest: list[tuple[object, object]] = [(name, value)]
    while rest:
        key, found = rest.pop()
        if isinstance(key, str) and (looks_like_key(key) or _SECRET_NAME.search(key)):
            return True
        if isinstance(found, dict):
            rest += found.items()
        elif isinstance(found, list):
            rest += [(None, each) for each in found]
        elif isinstance(found, str) and looks_like_key(found):
            return True
    return False


def _read_json(text: str, source: str) -> dict[str, Any]:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_CONTRACT_BYTES:
        _refuse(
            source,
            where="whole text",
            cause="unreadable",
            found=f"{size} bytes",
            why=f"a contract has a few KiB, and more than {MAX_CONTRACT_BYTES} bytes are not read",
            fix=AFRESH,
        )
    if match := _CONTROL.search(text):
        line = text.count("\n", 0, match.start()) + 1
        _refuse(
            source,
            where=f"line {line}",
            cause="unreadable",
            found=f"the character {match[0]!a}",
            why="control characters have no place in a contract and could act on a terminal",
            fix=AFRESH,
        )
    if not text.strip():
        _refuse(
            source,
            where="whole text",
            cause="unreadable",
            found="nothing",
            why="no contract was given",
            fix=AFRESH,
        )
    try:
        data = json.loads(text, object_pairs_hook=_no_doubles, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        rest = text[error.pos :].rstrip()
        begun = any(word.startswith(rest) for word in ("true", "false", "null"))  # or nothing is left
        cut = begun or "Unterminated" in error.msg
        _refuse(
            source,
            where=f"line {error.lineno}, column {error.colno}",
            cause="broken-syntax",
            found="the text ends in the middle" if cut else error.msg,
            why="it is not complete JSON" if cut else "it is not JSON",
            fix=AFRESH,
        )
    except (ValueError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        found = "objects nested without end" if deep else str(error)
        _refuse(
            source,
            where="whole text",
            cause="broken-syntax",
            found=found,
            why="no contract looks like that",
            fix=AFRESH,
        )
    if not isinstance(data, dict):
        _refuse(
            source,
            where="whole text",
            cause="wrong-shape",
            found=shown(data),
            why="a contract is a JSON object",
            fix=AFRESH,
        )
    return data


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"the key {shown(key)} twice in one object")
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"the number {name}")


def _problems(detail: dict[str, Any]) -> list[Problem]:
    where = _where(detail["loc"])
    refusals: tuple[Finding, ...] = detail.get("ctx", {}).get("refusals", ())
    if refusals:
        return [item.at(where, shown(detail["input"])) for item in refusals]
    kind = detail["type"]
    if kind == "missing":
        return [
            Problem(
                where=where,
                cause="missing-key",
                found="nothing",
                why="the contract must have this key",
                fix=AFRESH,
            )
        ]
    if kind == "extra_forbidden":
        return [
            Problem(
                where=where,
                cause="unknown-key",
                found="a key with a value that looks like a secret (not shown)",
                why="a contract never carries a secret",
                fix="remove the key, and renew whatever secret it was",
            )
        ]
    cause, why = said_of(detail)
    return [Problem(where=where, cause=cause, found=shown(detail["input"]), why=why, fix=AFRESH)]


def _where(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{shown(step)[1:-1]}"
    return path.lstrip(".") or "whole contract"


def _refuse(source: str, *, where: str, cause: Cause, found: str, why: str, fix: str) -> NoReturn:
    raise InvalidInput(source, [Problem(where=where, cause=cause, found=found, why=why, fix=fix)])
