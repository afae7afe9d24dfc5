"""The pack for Pulumi: the table as stack policies, and the SDK's proxies as plain values.

The SDK hands out mappings and sequences that raise on the first unknown value, which would turn a mandatory
rule into a notice. `plain` copies everything first and puts UNKNOWN in those places, so each rule decides.
It also makes all of them anew for each stack policy (pulumi-policy 1.17 to 1.21, read 2026-11): with 33 policies
that was 7 to 12 ms a resource, of which the rules took 1. `Analyzer` has them made once.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import pulumi_policy.policy as sdk
from pulumi.runtime.proto import analyzer_pb2
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

_READ: ContextVar[Graph | None] = ContextVar("what was read once for all policies", default=None)
_SDKS = sdk._PolicyAnalyzerServicer  # noqa: SLF001 - nothing public makes a pack's resources


class Analyzer(_SDKS):
    """The SDK's analyzer for a pack of stack policies. Levels, configuration and diagnostics stay the SDK's."""

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """Have one policy keep the resources, then ask the pack's about a request without any."""
        graphs: list[Graph] = []

        def keep(args: StackValidationArgs, _: ReportViolation) -> None:
            graphs.append(graph_of(args.resources))

        reader = StackValidationPolicy("resources-are-read", "Keeps the resources.", keep)
        _SDKS("reader", "0.0.1", [reader], EnforcementLevel.ADVISORY).AnalyzeStack(request, context)  # type: ignore[no-untyped-call]
        token = _READ.set(graphs[0])
        try:
            return super().AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(), context)  # type: ignore[no-untyped-call]
        finally:
            _READ.reset(token)

    def Remediate(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - gRPC's signature
        """Change nothing; the SDK would make every resource to find that no policy here does."""
        return analyzer_pb2.RemediateResponse()


def serve() -> None:
    """Announce the pack on stdout and answer the engine until it hangs up; the rules load meanwhile."""
    # What the SDK imported is never garbage: no collection needs to walk it (import and evaluation: 455 ms of CPU
    # without, 390 ms with; 2026-11).
    gc.freeze()
    threading.Thread(target=load_rules, daemon=True).start()
    setattr(sdk, _SDKS.__name__, Analyzer)  # the pack makes what bears this name
    PolicyPack(NAME, [stack_policy(policy) for policy in POLICIES])


def stack_policy(policy: Policy) -> StackValidationPolicy:
    """Return one policy of the table as the SDK wants it."""

    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        read = _READ.get()
        graph = graph_of(args.resources) if read is None else read
        for violation in policy.find(graph, plain(args.get_config() or {})):
            report_violation(violation.told, violation.resource.urn)

    return StackValidationPolicy(
        name=policy.name,
        description=policy.description,
        validate=validate,
        enforcement_level=_LEVELS[policy.level],
        config_schema=PolicyConfigSchema(policy.schema),
    )


def graph_of(resources: Iterable[PolicyResource]) -> Graph:
    """Return the SDK's resources as plain values."""
    return Graph(
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
