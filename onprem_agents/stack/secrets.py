"""The stack's secrets, checked before anything is declared; no message ever holds a key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.stack.settings import PROJECT

_LEAST_LENGTH = 32
"""Characters: 128 bits in hexadecimal. The gateway finds keys by a hash lookup: nobody may guess one."""

_MOST_KEYS = 2
_FOR_NOBODY = "a key for nobody"


@dataclass(frozen=True, kw_only=True)
class StackKeys:
    """Keys in plain text, out of sight of every `repr`; whoever holds them wraps them at once."""

    developers: Mapping[str, tuple[str, ...]] = field(repr=False)
    server: str = field(repr=False)


def check_keys(developer_keys: object, server_key: object, names: Collection[str], source: str) -> StackKeys:
    """Return the checked keys, or raise `InvalidInput` with every problem.

    `developer_keys` maps each developer to a key, or to a list of two while a key is exchanged; `server_key`
    is the key between gateway and model servers.
    """
    problems: list[Problem] = []
    developers: dict[str, tuple[str, ...]] = {}
    if isinstance(developer_keys, Mapping):
        for name, value in sorted(developer_keys.items()):
            keys = tuple(value) if isinstance(value, list | tuple) else (value,)
            developers[str(name)] = keys
            fault = _fault(str(name), keys, names)
            if fault is not None:
                problems.append(_problem(str(name), *fault))
    elif developer_keys is not None:
        problems.append(_problem(min(names), "no map", "developerKeys maps developers to their keys"))
    problems += [
        _problem(name, "nothing", f"{name} stands in platform.access.developers and could not log in")
        for name in names
        if name not in developers
    ]
    problems += _shared(developers)
    if not server_key:
        problems.append(_server_problem("nothing", "the model servers accept only the gateway, by this key"))
    elif (fault := _key_fault(server_key)) is not None:
        problems.append(_server_problem(*fault))
    if problems:
        raise InvalidInput(source, problems)
    return StackKeys(developers=developers, server=str(server_key))


def _fault(developer: str, keys: tuple[object, ...], names: Collection[str]) -> tuple[str, str] | None:
    if developer not in names:
        return _FOR_NOBODY, "no such developer stands in platform.access.developers"
    if not 1 <= len(keys) <= _MOST_KEYS:
        return f"{len(keys)} keys", "a developer has one key, or two while they are exchanged"
    return next((fault for key in keys if (fault := _key_fault(key)) is not None), None)


def _key_fault(key: object) -> tuple[str, str] | None:
    if not isinstance(key, str):
        return "something that is no text", "a key is text"
    if len(key) < _LEAST_LENGTH:
        return f"a key of {len(key)} characters", f"below {_LEAST_LENGTH} characters it can be guessed"
    if not key.isascii() or not key.isprintable() or " " in key:
        return "a key with blanks or special characters", "no header could carry it (leave 'Bearer ' out)"
    return None


def _shared(developers: Mapping[str, tuple[object, ...]]) -> list[Problem]:
    owners: dict[object, str] = {}
    problems = []
    for name, keys in developers.items():
        for key in (key for key in keys if isinstance(key, str)):
            if key in owners:
                why = "Envoy Gateway refuses equal keys, and then nobody can log in"
                problems.append(_problem(name, f"the same key as {owners[key]}", why))
            owners.setdefault(key, name)
    return problems


def _problem(developer: str, found: str, why: str) -> Problem:
    path = f'{PROJECT}:developerKeys["{developer}"]'
    fix = f"set a new key with 'pulumi config set --secret --path {path}'; it reads from standard input"
    if found == _FOR_NOBODY:
        fix = f"add {developer} there, or remove the key with 'pulumi config rm --path {path}'"
    return Problem(where=f"developerKeys.{developer}", found=found, why=why, fix=fix)


def _server_problem(found: str, why: str) -> Problem:
    fix = f"set it with 'openssl rand -hex 32 | pulumi config set --secret {PROJECT}:serverKey'"
    return Problem(where="serverKey", found=found, why=why, fix=fix)
