"""Reading a connection contract that came from a file, a pipe or a gateway: trusted in nothing."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from pydantic import ValidationError

from onprem_agents.contract.connection import CONTRACT_VERSION, Connection
from onprem_agents.errors import Cause, Finding, InvalidInput, Problem, nearest_hint
from onprem_agents.stack.untrusted import looks_like_key, shown

MAX_CONTRACT_BYTES = 1024 * 1024
AFRESH = "take the contract afresh: pulumi stack output connection --json -s STACK"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def parse(text: str, source: str) -> Connection:
    """Return the contract in a JSON text; `source` names the file or pipe in messages.

    Raises `InvalidInput` with every problem found. Values that look like keys are never repeated in it.
    """
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
    try:
        return Connection.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        problems = [problem for detail in error.errors() for problem in _problems(dict(detail))]
    raise InvalidInput(source, problems)


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
        cut = error.pos >= len(text.rstrip()) or "Unterminated" in error.msg
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
        name = str(detail["loc"][-1])
        secret = looks_like_key(name) or re.search(r"(?i)api_?key$|token$|secret$|password", name)
        why = "a contract never carries a secret" if secret else "no contract of this version has that key"
        known = [str(field.alias) for field in Connection.model_fields.values()]
        hint = f"; {nearest_hint(name, known)}" if not secret and len(detail["loc"]) == 1 else ""
        return [
            Problem(
                where=where,
                cause="unknown-key",
                found="a key with a value",
                why=why,
                fix=f"remove the key{hint}",
            )
        ]
    why = str(detail["msg"])
    return [
        Problem(
            where=where,
            cause="bad-value",
            found=shown(detail["input"]),
            why=why[0].lower() + why[1:],
            fix=AFRESH,
        )
    ]


def _where(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{shown(step)[1:-1]}"
    return path.lstrip(".") or "whole contract"


def _refuse(source: str, *, where: str, cause: Cause, found: str, why: str, fix: str) -> NoReturn:
    raise InvalidInput(source, [Problem(where=where, cause=cause, found=found, why=why, fix=fix)])
