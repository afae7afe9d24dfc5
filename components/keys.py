"""The keys that a component is given: secret Outputs from the first line, checked before anything is declared."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import DeclaredSecret, KeyValue
from onprem_agents.stack.secrets import check_keys

from .awaited import has_outputs, lists_and_dicts


@dataclass(frozen=True)
class _Known:
    """Keys without any Output; one that is not known yet is Pulumi's unknown."""

    values: Mapping[str, Any] = field(repr=False)


class Keys:
    """What a component is given of `developer_keys` and `server_key`."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        """Take the keys by the names of their arguments."""
        self._given: dict[str, Any] = lists_and_dicts(given)
        self._known: pulumi.Output[_Known] | None = None

    def problems(self, developers: Collection[str] | None) -> list[Problem]:
        """Return what is wrong with keys that are values; each of `developers` should have one (None: who knows)."""
        return _problems(_values(self._given), developers)

    def check(
        self, developers: Collection[str], refused: Callable[[Sequence[Problem]], Exception]
    ) -> pulumi.Output[None]:
        """Return nothing, as soon as every key is found to be good; a bad one ends the program as `refused` says."""

        def check(values: Mapping[str, Any]) -> _Known:
            problems = _problems(values, developers)
            if problems:
                raise refused(problems)
            return _Known(values)

        given = pulumi.Output.from_input(self._given)
        self._known = pulumi.Output.secret(given.apply(check, run_with_unknowns=True))
        return self._known.apply(lambda _: None)

    def data(self, secret: DeclaredSecret) -> pulumi.Output[Any]:
        """Return what stands in a Secret's `data`: no second key where a developer has one only."""
        if self._known is None:
            raise RuntimeError(f"{secret.resource_label} is a Secret, and its component checked no key")
        return self._known.apply(lambda keys: _data(secret, keys.values))


def _values(given: Any) -> Any:
    """Return what is a value, and an unknown in place of everything else."""
    if isinstance(given, dict):
        return {name: _values(value) for name, value in given.items()}
    if isinstance(given, list):
        return [_values(value) for value in given]
    return pulumi.UNKNOWN if has_outputs(given) else given


def _problems(values: Mapping[str, Any], developers: Collection[str] | None) -> list[Problem]:
    by_name = values.get("developer_keys", {})
    if by_name is pulumi.UNKNOWN:
        by_name = dict.fromkeys(developers or (), pulumi.UNKNOWN)
    if isinstance(by_name, Mapping):
        by_name = {name: _assumed(keys, str(index)) for index, (name, keys) in enumerate(by_name.items())}
    server_key = _assumed(values.get("server_key", pulumi.UNKNOWN), "server")
    names = developers if "developer_keys" in values else ()
    try:
        check_keys(by_name, server_key, names, "keys")
    except InvalidInput as error:
        return list(error.problems)
    return []


def _assumed(keys: Any, number: str) -> Any:
    """Return keys with a good one, and no other's, in place of each that is not known yet."""
    if isinstance(keys, list):
        return [_assumed(key, f"{number}-{position}") for position, key in enumerate(keys)]
    return f"the-key-{number}-which-is-not-known-yet" if keys is pulumi.UNKNOWN else keys


def _data(secret: DeclaredSecret, keys: Mapping[str, Any]) -> Any:
    found: dict[str, str] = {}
    for name, value in secret.values.items():
        given = keys["server_key"] if value.developer is None else _of(value.developer, keys)
        each = given if isinstance(given, list) else [given]
        if pulumi.UNKNOWN in each:
            return pulumi.UNKNOWN
        if value.position < len(each):
            found[name] = _encoded(value, each[value.position])
    return found


def _of(developer: str, keys: Mapping[str, Any]) -> Any:
    by_name = keys["developer_keys"]
    return by_name if by_name is pulumi.UNKNOWN else by_name[developer]


def _encoded(value: KeyValue, key: str) -> str:
    return base64.b64encode(f"{value.prefix}{key}".encode()).decode()
