"""What a pod asks of its node, added up from its containers as the scheduler and Kueue do it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Literal

from onprem_agents.units import format_bytes, format_cpu, parse_quantity

Amounts = dict[str, Fraction]
"""Amounts by the name of the resource: cores, bytes, or pieces."""


def pod_requests(pod: Mapping[str, Any], kind: Literal["requests", "limits"] = "requests") -> Amounts:
    """Return the effective request of a pod spec, or its limits.

    All containers and sidecars together, or what an init container needs beside the sidecars that run before it,
    whichever is more of a resource (Kubernetes 1.36, component-helpers, resource/helpers.go), and the overhead.
    """
    sidecars: Amounts = {}
    at_start: Amounts = {}
    for container in pod.get("initContainers") or []:
        wanted = container_amounts(container, kind)
        if container.get("restartPolicy") == "Always":
            sidecars = total([sidecars, wanted])
            at_start = _larger(at_start, sidecars)
        else:
            at_start = _larger(at_start, total([sidecars, wanted]))
    running = total([sidecars, *(container_amounts(each, kind) for each in pod.get("containers") or [])])
    return total([_larger(running, at_start), _amounts(pod.get("overhead") or {})])


def total(amounts: Iterable[Mapping[str, Fraction]]) -> Amounts:
    """Return the sum of some amounts, resource by resource."""
    found: Amounts = {}
    for each in amounts:
        for name, amount in each.items():
            found[name] = found.get(name, Fraction(0)) + amount
    return found


def times(amounts: Mapping[str, Fraction], count: int) -> Amounts:
    """Return the amounts of so many pods."""
    return {name: amount * count for name, amount in amounts.items()}


def format_amount(name: str, amount: Fraction) -> str:
    """Return an amount of a resource as a canonical quantity."""
    if name in ("memory", "ephemeral-storage") or name.startswith("hugepages-"):
        return format_bytes(-(-amount.numerator // amount.denominator))
    return format_cpu(float(amount))


def container_amounts(
    container: Mapping[str, Any], kind: Literal["requests", "limits"] = "requests"
) -> Amounts:
    """Return what a container asks for: the API server takes a limit for the request where none is said."""
    resources = container.get("resources") or {}
    limits = _amounts(resources.get("limits") or {})
    return limits if kind == "limits" else limits | _amounts(resources.get("requests") or {})


def _amounts(stated: Mapping[str, Any]) -> Amounts:
    return {name: parse_quantity(str(amount)) for name, amount in stated.items()}


def _larger(one: Mapping[str, Fraction], other: Mapping[str, Fraction]) -> Amounts:
    return {name: max(one.get(name, Fraction(0)), other.get(name, Fraction(0))) for name in (*one, *other)}
