"""An existing ClusterQueue against what the stack's pods ask for: resources, flavors for their nodes, quota."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.plan import (
    Amounts,
    PlatformPlan,
    Pool,
    format_amount,
    pod_requests,
    queued_requests,
    total,
)
from onprem_agents.units import parse_quantity

Flavors = Mapping[str, Object]
"""Specs of ResourceFlavors by name."""


def flavors_of(api: str, client: KubeClient) -> Flavors:
    """Read every ResourceFlavor."""
    return {each["metadata"]["name"]: each.get("spec") or {} for each in client.list(api, "ResourceFlavor")}


def check_quota(
    name: str, queue: Object, plan: PlatformPlan, objects: Sequence[Object], flavors: Flavors
) -> Iterator[Check]:
    """Yield the resources that the queue does not cover, flavors for other nodes alone, and too small a quota."""
    pods = {
        each["metadata"]["name"]: each["spec"]["predictor"]
        for each in objects
        if each["kind"] == "InferenceService"
    }
    groups = queue["spec"].get("resourceGroups") or []
    borrows = bool(queue["spec"].get("cohort") or queue["spec"].get("cohortName"))
    for pool in plan.pools:
        servers = [server for server in plan.server_parts if server.pool == pool]
        asked = total(queued_requests(server, pods[server.serving.name]) for server in servers)
        usable = [_usable(group, flavors, pool) for group in groups]
        told = name if len(plan.pools) == 1 else f"{name} for the pool {pool.name}"
        yield _covered(told, groups, asked, pool.resource)
        others = [
            group
            for group, found in zip(groups, usable, strict=True)
            if not found and pool.resource in group["coveredResources"]
        ]
        if others:
            yield _for_others(told, others[0], pool)
            continue
        offered = total(_quotas(flavor) for found in usable for flavor in found)
        each = [pod_requests(pods[server.serving.name]) for server in servers]
        yield _enough(told, asked, offered, each, borrows=borrows)


def _for_others(name: str, group: Object, pool: Pool) -> Check:
    return Check(
        name=f"{name}'s flavors",
        verdict="missing",
        found=f"none of {', '.join(each['name'] for each in group['flavors'])} is for the nodes of the pool",
        fix=f"add a flavor with spec.nodeLabels: {dict(pool.node_selector)}",
    )


def _covered(name: str, groups: Iterable[Object], asked: Amounts, gpu_resource: str) -> Check:
    """Return whether each requested resource is covered; Kueue does not ask for `pods`."""
    covered = {resource for group in groups for resource in group["coveredResources"]}
    lacking = sorted(asked.keys() - covered - {"pods"})
    return Check.of(
        f"{name}'s resources",
        holds=not lacking,
        found=f"it does not cover {', '.join(lacking)}" if lacking else "it covers all that the pods ask for",
        fix=f"add {', '.join(lacking)} to spec.resourceGroups[].coveredResources of the group with {gpu_resource}, "
        f"and to resources of each of its flavors: {_lines(lacking, asked)}",
    )


def _enough(name: str, asked: Amounts, offered: Amounts, pods: Sequence[Amounts], *, borrows: bool) -> Check:
    """Return whether the quota is enough for all pods; doubtful while each alone could be admitted."""
    over = [each for each in sorted(asked.keys() & offered.keys()) if asked[each] > offered[each]]
    never = not borrows and any(pod.get(each, Fraction(0)) > offered[each] for pod in pods for each in over)
    numbers = (
        f"{each}: {format_amount(each, asked[each])} for all replicas and an update, the quota is "
        f"{format_amount(each, offered[each])}"
        for each in over
    )
    rest = (
        "the queue may borrow the rest from its cohort" if borrows else "pods beyond it stay SchedulingGated"
    )
    return Check.of(
        f"{name}'s quota",
        holds=not over,
        found="; ".join(numbers) or "it admits all replicas and the pods of an update",
        fix=f"raise nominalQuota in spec.resourceGroups[].flavors[].resources: {_lines(over, asked)}; {rest}",
        doubtful=not never,
    )


def _usable(group: Object, flavors: Flavors, pool: Pool) -> list[Mapping[str, Any]]:
    """Return the flavors whose nodes may be the pool's, and whose taints its pods tolerate.

    Kueue looks at those labels alone that any flavor of the group has (v0.19, flavorassigner.go, flavorSelector).
    """
    known = {label for each in group["flavors"] for label in _labels(flavors.get(each["name"]))}
    asked = {label: value for label, value in pool.node_selector.items() if label in known}
    return [each for each in group["flavors"] if _fits(flavors.get(each["name"]), asked, pool)]


def _fits(flavor: Object | None, asked: Mapping[str, str], pool: Pool) -> bool:
    if flavor is None:
        return False
    taints = [
        each
        for each in flavor.get("nodeTaints") or []
        if each["key"] != pool.device.taint_key and each.get("effect") != "PreferNoSchedule"
    ]
    return not taints and asked.items() <= _labels(flavor).items()


def _labels(flavor: Object | None) -> dict[str, str]:
    return dict((flavor or {}).get("nodeLabels") or {})


def _quotas(flavor: Mapping[str, Any]) -> Amounts:
    return {each["name"]: parse_quantity(str(each["nominalQuota"])) for each in flavor["resources"]}


def _lines(resources: Iterable[str], amounts: Amounts) -> str:
    return "; ".join(
        f"- {{name: {each}, nominalQuota: {format_amount(each, amounts[each])}}}" for each in resources
    )
