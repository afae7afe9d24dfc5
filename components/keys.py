"""The keys that a component is given: checked before anything is declared, and secret Outputs wherever they go."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import DeclaredSecret, KeyValue
from onprem_agents.stack.secrets import check_keys, key_fault

from .awaited import is_unknown
from .sections import (
    DEVELOPER_KEY,
    DEVELOPER_KEYS,
    KEY_OF_A_DEVELOPER,
    KEYS_OF_DEVELOPERS,
    SERVER_KEY,
    KeyArgument,
)

_FIX = "give a key that 'openssl rand -hex 32' makes, as a secret Output"


@dataclass(frozen=True)
class Keys:
    """What a component is given of its key arguments; Pulumi's unknown where one is not known yet."""

    taken: Sequence[KeyArgument]
    given: Mapping[str, Any] = field(repr=False)

    @property
    def has_server_key(self) -> bool:
        """Whether the key between gateway and servers is given, known or not."""
        return self.given.get(SERVER_KEY) is not None

    @property
    def developers(self) -> tuple[str, ...] | None:
        """Those who have keys; None where nobody can tell."""
        by_name = self.given.get(DEVELOPER_KEYS)
        return tuple(map(str, by_name)) if isinstance(by_name, Mapping) else None

    def problems(self, developers: Collection[str] | None) -> list[Problem]:
        """Return what is wrong with those that are known; each of `developers` should have one (None: who knows)."""
        due = {key.name for key in self.taken if key.required or self.given[key.name] is not None}
        by_name = self.given[DEVELOPER_KEYS] if DEVELOPER_KEYS in due else {}
        if by_name is None and developers is None:
            by_name, missing = {}, [_NOBODY]
        else:
            missing = []
        if is_unknown(by_name):
            by_name = dict.fromkeys(developers or (), by_name)
        if isinstance(by_name, Mapping):
            by_name = {name: _assumed(keys, str(index)) for index, (name, keys) in enumerate(by_name.items())}
        server_key = _assumed(self.given[SERVER_KEY] if SERVER_KEY in due else pulumi.UNKNOWN, "server")
        try:
            check_keys(by_name, server_key, developers if DEVELOPER_KEYS in due else (), "keys")
        except InvalidInput as error:
            missing += [replace(problem, fix=_fix(problem)) for problem in error.problems]
        if DEVELOPER_KEY in due:
            missing += _of_one(self.given[DEVELOPER_KEY])
        return missing

    @property
    def of_a_developer(self) -> Any:
        """A developer's newest key: the one that is given, or that of the first who has one; it may be unknown."""
        if DEVELOPER_KEY in self.given:
            return self.given[DEVELOPER_KEY]
        by_name = self.given[DEVELOPER_KEYS]
        keys = by_name if is_unknown(by_name) else by_name[min(by_name)]
        return keys[-1] if isinstance(keys, list | tuple) else keys

    def data(self, secret: DeclaredSecret) -> pulumi.Output[Any]:
        """Return what stands in a Secret's `data`: no second key where a developer has one only."""
        return pulumi.Output.secret(self._data(secret))

    def _data(self, secret: DeclaredSecret) -> Any:
        found: dict[str, str] = {}
        for name, value in secret.values.items():
            keys = self._of(value)
            if any(map(is_unknown, keys)):
                return pulumi.UNKNOWN
            if value.position < len(keys):
                found[name] = base64.b64encode(f"{value.prefix}{keys[value.position]}".encode()).decode()
        return found

    def _of(self, value: KeyValue) -> list[Any]:
        if value.developer is None:
            return [self.given[SERVER_KEY]]
        by_name = self.given[DEVELOPER_KEYS]
        keys = by_name if is_unknown(by_name) else by_name[value.developer]
        return list(keys) if isinstance(keys, list | tuple) else [keys]


_NOBODY = Problem(
    where=KEYS_OF_DEVELOPERS.wire_name,
    cause="missing-secret",
    found="nothing",
    why="without a key nobody may call",
    fix=_FIX,
)


def _of_one(key: Any) -> list[Problem]:
    """Return what is wrong with the key of one developer."""
    if not key and not is_unknown(key):
        why = "without a key the gateway answers nobody"
        return [replace(_NOBODY, where=KEY_OF_A_DEVELOPER.wire_name, why=why)]
    fault = None if is_unknown(key) else key_fault(key)
    return [] if fault is None else [replace(fault, fix=_FIX).at(KEY_OF_A_DEVELOPER.wire_name)]


def _fix(problem: Problem) -> str:
    """Return what to do about a key in a program: it may come from anywhere."""
    return "add the developer there, or leave the key out" if problem.cause == "unknown-name" else _FIX


def _assumed(keys: Any, number: str) -> Any:
    """Return keys with a good one, and no other's, in place of each that is not known yet."""
    if isinstance(keys, list | tuple):
        return [_assumed(key, f"{number}-{position}") for position, key in enumerate(keys)]
    return f"the-key-{number}-which-is-not-known-yet" if is_unknown(keys) else keys
