"""The stack's secrets, checked before anything is declared; no message ever holds a key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from onprem_agents.errors import Cause, Finding, InvalidInput, Problem
from onprem_agents.stack.settings import PROJECT

_LEAST_LENGTH = 32
"""Characters: 128 bits in hexadecimal. The gateway finds keys by a hash lookup: nobody may guess one."""

_MOST_KEYS = 2
_LISTED = "stands in platform.access.developers"
_NO_MAP = Problem(
    where="developerKeys",
    cause="wrong-shape",
    found="no map",
    why="developerKeys maps developers to their keys",
    fix=f"remove it with 'pulumi config rm {PROJECT}:developerKeys', then give each developer a key with "
    "'onprem-agents keys add NAME'",
)


@dataclass(frozen=True, kw_only=True)
class StackKeys:
    """Keys in plain text, out of sight of every `repr`; whoever holds them wraps them at once."""

    developers: Mapping[str, tuple[str, ...]] = field(repr=False)
    server: str = field(repr=False)


def check_keys(
    developer_keys: object, server_key: object, names: Collection[str] | None, source: str
) -> StackKeys:
    """Return the checked keys, or raise `InvalidInput` with every problem.

    `developer_keys` maps each developer to a key, or to a list of two while a key is exchanged; `server_key`
    is the key between gateway and model servers. `names` are the developers, None where nobody can tell them.
    """
    problems: list[Problem] = []
    developers: dict[str, tuple[object, ...]] = {}
    if isinstance(developer_keys, Mapping):
        for name, value in sorted(
            ((str(name), value) for name, value in developer_keys.items()), key=lambda entry: entry[0]
        ):
            keys = tuple(value) if isinstance(value, list | tuple) else (value,)
            developers[name] = keys
            fault = _fault(name, keys, names)
            if fault is not None:
                problems.append(_problem(name, fault))
    elif developer_keys is not None:
        problems.append(_NO_MAP)
    problems += [
        _problem(name, _fault_of("missing-secret", "nothing", f"{name} {_LISTED} and could not log in"))
        for name in names or ()
        if name not in developers and (developer_keys is None or isinstance(developer_keys, Mapping))
    ]
    problems += _shared(developers)
    if not server_key:
        why = "the model servers accept only the gateway, by this key"
        problems.append(_server_problem(_fault_of("missing-secret", "nothing", why)))
    elif (fault := key_fault(server_key)) is not None:
        problems.append(_server_problem(fault))
    if problems:
        raise InvalidInput(source, problems)
    return StackKeys(
        developers={name: tuple(str(key) for key in keys) for name, keys in developers.items()},
        server=str(server_key),
    )


def _fault(developer: str, keys: tuple[object, ...], names: Collection[str] | None) -> Finding | None:
    if names is not None and developer not in names:
        return Finding(
            cause="unknown-name",
            found="a key for nobody",
            why="no such developer stands in platform.access.developers",
            fix=f"add {developer} there, or remove the key with 'pulumi config rm --path {_path(developer)}'",
        )
    if not 1 <= len(keys) <= _MOST_KEYS:
        return _fault_of(
            "bad-secret", f"{len(keys)} keys", "a developer has one key, or two while they are exchanged"
        )
    return next((fault for key in keys if (fault := key_fault(key)) is not None), None)


def key_fault(key: object) -> Finding | None:
    """Return what is wrong with a key; its `fix` is for whoever knows where the key stands."""
    if not isinstance(key, str):
        return _fault_of("wrong-shape", "something that is no text", "a key is text")
    if len(key) < _LEAST_LENGTH:
        return _fault_of(
            "bad-secret",
            f"a key of {len(key)} characters",
            f"below {_LEAST_LENGTH} characters it can be guessed",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        return _fault_of(
            "bad-secret",
            "a key with blanks or special characters",
            "no header could carry it (leave 'Bearer ' out)",
        )
    if key.startswith(("{", "[")):
        return _fault_of("wrong-shape", "a map or a list", "a key is text")
    return None


def _shared(developers: Mapping[str, tuple[object, ...]]) -> list[Problem]:
    owners: dict[str, str] = {}
    problems = []
    for name, keys in developers.items():
        for key in (key for key in keys if isinstance(key, str)):
            if key in owners:
                why = "Envoy Gateway refuses equal keys, and then nobody can log in"
                problems.append(_problem(name, _fault_of("repeated", f"the same key as {owners[key]}", why)))
            owners.setdefault(key, name)
    return problems


def _fault_of(cause: Cause, found: str, why: str) -> Finding:
    return Finding(cause=cause, found=found, why=why, fix="")


def _path(developer: str) -> str:
    return f'{PROJECT}:developerKeys["{developer}"]'


def _problem(developer: str, fault: Finding) -> Problem:
    fix = f"set a new key with 'pulumi config set --secret --path {_path(developer)}'; it reads from standard input"
    return replace(fault, fix=fault.fix or fix).at(f"developerKeys.{developer}")


def _server_problem(fault: Finding) -> Problem:
    fix = f"set it with 'openssl rand -hex 32 | pulumi config set --secret {PROJECT}:serverKey'"
    return replace(fault, fix=fix).at("serverKey")
