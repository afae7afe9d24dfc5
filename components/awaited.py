"""Arguments whose values are Outputs at any depth, and what they turn out to be."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.output import Unknown


class _Secret:
    """Stands where a secret stood."""

    def __repr__(self) -> str:
        return "a secret (not shown)"


SECRET = _Secret()


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Arguments without any Output; Pulumi's unknown where one is not known yet."""

    settings: Mapping[str, Any]
    """What may be shown, `SECRET` in place of what must not."""
    keys: Mapping[str, Any] = field(repr=False)


def is_unknown(value: object) -> bool:
    """Tell whether a value is one that Pulumi does not know yet; it makes more than one of them."""
    return isinstance(value, Unknown)


def has_outputs(values: object) -> bool:
    """Tell whether any value here is an Output."""
    if isinstance(values, Mapping):
        return any(has_outputs(value) for value in values.values())
    if isinstance(values, Sequence) and not isinstance(values, str):
        return any(has_outputs(value) for value in values)
    return isinstance(values, pulumi.Output) or inspect.isawaitable(values)


def settled(settings: Mapping[str, Any], keys: Mapping[str, Any]) -> pulumi.Output[Settled]:
    """Return what the arguments turn out to be; it depends on what they depend on.

    The Output itself counts as no secret, since what is made of it is told; keys leave it as secret Outputs.
    """
    both = [_without_secrets(_lists_and_dicts(settings)), _lists_and_dicts(keys)]
    found: pulumi.Output[Settled] = pulumi.Output.from_input(both).apply(
        lambda known: Settled(settings=known[0], keys=known[1]), run_with_unknowns=True
    )
    return pulumi.Output.unsecret(found)


def _lists_and_dicts(values: Any) -> Any:
    """Return the same values in the only collections in which the SDK looks for Outputs, under names that it takes."""
    if isinstance(values, Mapping):
        return {str(name): _lists_and_dicts(value) for name, value in values.items()}
    if isinstance(values, Sequence) and not isinstance(values, str):
        return [_lists_and_dicts(value) for value in values]
    return values


def _without_secrets(values: Any) -> Any:
    """Return values with the mark in place of each Output that is secret."""
    if isinstance(values, dict):
        return {name: _without_secrets(value) for name, value in values.items()}
    if isinstance(values, list):
        return [_without_secrets(value) for value in values]
    if not has_outputs(values):
        return values
    output = pulumi.Output.from_input(values)
    both: pulumi.Output[list[Any]] = pulumi.Output.all(output, output.is_secret())
    return both.apply(lambda each: SECRET if each[1] else each[0], run_with_unknowns=True)
