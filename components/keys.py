"""The keys that a component is given: checked before anything is declared, and secret Outputs wherever they go."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import DeclaredSecret, KeyValue
from onprem_agents.stack.secrets import check_keys

from .awaited import is_unknown

DEVELOPERS, SERVER = "developer_keys", "server_key"


@dataclass(frozen=True)
class Keys:
    """What a component is given of `developer_keys` and `server_key`; Pulumi's unknown where one is not known yet."""

    given: Mapping[str, Any] = field(repr=False)

    def problems(self, developers: Collection[str] | None) -> list[Problem]:
        """Return what is wrong with those that are known; each of `developers` should have one (None: who knows)."""
        by_name = self.given.get(DEVELOPERS, {})
        if is_unknown(by_name):
            by_name = dict.fromkeys(developers or (), pulumi.UNKNOWN)
        if isinstance(by_name, Mapping):
            by_name = {name: _assumed(keys, str(index)) for index, (name, keys) in enumerate(by_name.items())}
        server_key = _assumed(self.given.get(SERVER, pulumi.UNKNOWN), SERVER)
        try:
            check_keys(by_name, server_key, developers if DEVELOPERS in self.given else (), "keys")
        except InvalidInput as error:
            return [replace(problem, fix=_fix(problem)) for problem in error.problems]
        return []

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
            return [self.given[SERVER]]
        by_name = self.given[DEVELOPERS]
        keys = by_name if is_unknown(by_name) else by_name[value.developer]
        return list(keys) if isinstance(keys, list | tuple) else [keys]


def _fix(problem: Problem) -> str:
    """Return what to do about a key in a program: it may come from anywhere."""
    if problem.cause == "unknown-name":
        return "add the developer there, or leave the key out"
    return "give a key that 'openssl rand -hex 32' makes, as a secret Output"


def _assumed(keys: Any, number: str) -> Any:
    """Return keys with a good one, and no other's, in place of each that is not known yet."""
    if isinstance(keys, list | tuple):
        return [_assumed(key, f"{number}-{position}") for position, key in enumerate(keys)]
    return f"the-key-{number}-which-is-not-known-yet" if is_unknown(keys) else keys
