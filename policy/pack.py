"""The pack for Pulumi: the table as stack policies, and the SDK's proxies as plain values.

The SDK hands out mappings and sequences that raise on the first unknown value, which would turn a mandatory
rule into a notice. `plain` copies everything first and puts UNKNOWN in those places, so each rule decides.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from .graph import UNKNOWN, Graph, Resource, Value
from .table import POLICIES, Policy, load_rules

NAME = "onprem-coding-agents"

_LEVELS = {"mandatory": EnforcementLevel.MANDATORY, "advisory": EnforcementLevel.ADVISORY}

_LAST: list[Graph] = []


def serve() -> None:
    """Announce the pack on stdout and answer the engine until it hangs up; the rules load meanwhile."""
    # What the SDK imported is never garbage: no collection needs to walk it (import and evaluation: 455 ms of CPU
    # without, 390 ms with; 2026-11).
    gc.freeze()
    threading.Thread(target=load_rules, daemon=True).start()
    PolicyPack(NAME, [stack_policy(policy) for policy in POLICIES])


def stack_policy(policy: Policy) -> StackValidationPolicy:
    """Return one policy of the table as the SDK wants it."""

    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        for violation in policy.find(graph_of(args.resources), plain(args.get_config() or {})):
            report_violation(violation.told, violation.resource.urn)

    return StackValidationPolicy(
        name=policy.name,
        description=policy.description,
        validate=validate,
        enforcement_level=_LEVELS[policy.level],
        config_schema=PolicyConfigSchema(policy.schema),
    )


def graph_of(resources: Iterable[PolicyResource]) -> Graph:
    """Return the SDK's resources as plain values.

    The SDK makes them anew for each policy: while they are the same, so is the graph, which remembers what was read.
    """
    graph = Graph(
        resources=tuple(
            Resource(
                urn=resource.urn,
                type=resource.resource_type,
                name=resource.name,
                props=plain(resource.props),
                dependencies=tuple(other.urn for other in resource.dependencies),
            )
            for resource in resources
        )
    )
    if _LAST[-1:] != [graph]:
        _LAST[:] = [graph]
    return _LAST[-1]


def plain(value: Any) -> Value:
    """Return a property as plain dicts, lists and scalars; UNKNOWN for unknowns, int for whole numbers.

    Everything reaches a policy as a float, so 8 arrives as 8.0.
    """
    if isinstance(value, Mapping):
        return {str(key): _entry(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_entry(value, index) for index in range(len(value))]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _entry(container: Any, key: Any) -> Value:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN
