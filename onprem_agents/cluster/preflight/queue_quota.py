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
    asked = total(queued_requests(server, pods[server.serving.name]) for server in plan.server_parts)
    groups = queue["spec"].get("resourceGroups") or []
    yield _covered(name, groups, asked, plan.pool.resource)
    usable = [_usable(group, flavors, plan) for group in groups]
    for group, found in zip(groups, usable, strict=True):
        if not found and plan.pool.resource in group["coveredResources"]:
            yield Check(
                name=f"{name}'s flavors",
                verdict="missing",
                found=f"none of {', '.join(each['name'] for each in group['flavors'])} is for the nodes of the pool",
                fix=f"add a flavor with spec.nodeLabels: {dict(plan.pool.node_selector)}",
            )
            return
    offered = total(_quotas(flavor) for found in usable for flavor in found)
    borrows = bool(queue["spec"].get("cohort") or queue["spec"].get("cohortName"))
    yield _enough(name, asked, offered, [pod_requests(pod) for pod in pods.values()], borrows=borrows)


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


def _usable(group: Object, flavors: Flavors, plan: PlatformPlan) -> list[Mapping[str, Any]]:
    return [each for each in group["flavors"] if _fits(flavors.get(each["name"]), plan)]


def _fits(flavor: Object | None, plan: PlatformPlan) -> bool:
    """Whether a flavor's nodes may be the pool's, and the pods tolerate its taints."""
    if flavor is None:
        return False
    labels = flavor.get("nodeLabels") or {}
    taints = [
        each
        for each in flavor.get("nodeTaints") or []
        if each["key"] != plan.pool.device.taint_key and each.get("effect") != "PreferNoSchedule"
    ]
    return not taints and all(
        labels.get(key, value) == value for key, value in plan.pool.node_selector.items()
    )


def _quotas(flavor: Mapping[str, Any]) -> Amounts:
    return {each["name"]: parse_quantity(str(each["nominalQuota"])) for each in flavor["resources"]}


def _lines(resources: Iterable[str], amounts: Amounts) -> str:
    return "; ".join(
        f"- {{name: {each}, nominalQuota: {format_amount(each, amounts[each])}}}" for each in resources
    )
