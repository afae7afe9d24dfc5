"""Kueue, for a stack with `queue`: does it look at pods at all, and would its queue ever admit the model servers?

What Kueue refuses it never says in an error: the pods stay `SchedulingGated`, and the deployment waits for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object, condition
from onprem_agents.plan import (
    GPU_RESOURCE,
    TAINT_KEY,
    Amounts,
    PlatformPlan,
    format_amount,
    pod_requests,
    queued_requests,
    total,
)
from onprem_agents.stack.labels import STACK_LABEL
from onprem_agents.units import parse_quantity

# Where Kueue's manifests and its chart put the controller's configuration (v0.19.2, config/components/manager).
_CONFIGURATION = ("kueue-manager-config", "kueue-system")
_CONFIGURATION_FILE = "controller_manager_config.yaml"
_NAME_LABEL = "kubernetes.io/metadata.name"
_OTHERWISE = "drop platform.queue.existingClusterQueue to have one made"


def check_queue(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield what keeps Kueue from admitting the pods; nothing where the cluster has no Kueue, which is told before."""
    queues = plan.pool_part.queues
    local = next((each for each in objects if each["kind"] == "LocalQueue"), None)
    if queues is None or local is None:
        return
    api = local["apiVersion"]
    if not any(served.api_version == api and served.kind == "ClusterQueue" for served in client.resources()):
        return
    yield from _integration(client)
    name = f"ClusterQueue {queues.cluster_queue}"
    found = client.find(api, "ClusterQueue", queues.cluster_queue)
    if queues.owns_cluster_queue:
        yield from _of_others(name, found, plan)
    elif found is None:
        yield Check(
            name=name,
            verdict="missing",
            found="not there",
            fix=f"correct platform.queue.existingClusterQueue, or {_OTHERWISE}",
        )
    else:
        yield _active(name, found)
        yield _namespace(name, found, plan, objects, client)
        yield from _quota(name, found, plan, objects, _flavors(api, client))


def _integration(client: KubeClient) -> Iterator[Check]:
    """Yield whether Kueue gates pods; where its configuration is elsewhere, nobody knows."""
    import yaml

    configuration, namespace = _CONFIGURATION
    stated = (client.find("v1", "ConfigMap", configuration, namespace) or {}).get("data") or {}
    try:
        settings = yaml.safe_load(stated.get(_CONFIGURATION_FILE, ""))
        frameworks = settings["integrations"]["frameworks"]
    except (yaml.YAMLError, TypeError, KeyError):
        return
    yield Check.of(
        "Kueue's integration of pods",
        holds="pod" in frameworks,
        found="on" if "pod" in frameworks else f"off; on are {', '.join(map(str, frameworks))}",
        fix=f"add '- pod' and '- deployment' to integrations.frameworks in ConfigMap {namespace}/{configuration}: "
        "the model servers run beside the queue otherwise",
        doubtful=True,
    )


def _of_others(name: str, found: Object | None, plan: PlatformPlan) -> Iterator[Check]:
    """Yield whether a ClusterQueue of the name that is to be made is there and another's."""
    if found is None:
        return
    owner = (found["metadata"].get("labels") or {}).get(STACK_LABEL)
    yield Check.of(
        name,
        holds=owner == plan.stack,
        found="this stack's own" if owner == plan.stack else f"there, of {owner or 'somebody else'}",
        fix=f"platform.queue: {{existingClusterQueue: {found['metadata']['name']}}} uses it as it is; another "
        "platform.queue.clusterQueue makes one of that name",
    )


def _active(name: str, queue: Object) -> Check:
    status = condition(queue, "Active")
    told = (
        next(
            (
                str(each.get("message", ""))
                for each in queue["status"]["conditions"]
                if each["type"] == "Active"
            ),
            "",
        )
        if status is not None
        else ""
    )
    return Check.of(
        name,
        holds=status == "True",
        found="active" if status == "True" else f"not active: {told or 'no controller has looked at it'}",
        fix="kubectl describe clusterqueue tells what it lacks, such as a flavor; spec.stopPolicy: None lets it admit",
    )


def _namespace(
    name: str, queue: Object, plan: PlatformPlan, objects: Sequence[Object], client: KubeClient
) -> Check:
    labels = {_NAME_LABEL: plan.namespace}
    there = client.find("v1", "Namespace", plan.namespace)
    for each in (there, *(each for each in objects if each["kind"] == "Namespace")):
        labels |= (each or {}).get("metadata", {}).get("labels") or {}
    selector = queue["spec"].get("namespaceSelector")
    holds = selector is not None and _selects(selector, labels)
    return Check.of(
        f"{name} for namespace {plan.namespace}",
        holds=holds,
        found="its namespaceSelector selects it" if holds else f"its namespaceSelector is {selector}",
        fix=f"spec.namespaceSelector: {{matchLabels: {{{_NAME_LABEL}: {plan.namespace}}}}}, or labels of the "
        "namespace that the selector asks for",
    )


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return what Kubernetes makes of a label selector; an empty one selects everything."""
    if not (selector.get("matchLabels") or {}).items() <= labels.items():
        return False
    for each in selector.get("matchExpressions") or []:
        value, values = labels.get(each["key"]), each.get("values") or []
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not holds[each["operator"]]:
            return False
    return True


def _flavors(api: str, client: KubeClient) -> dict[str, Object]:
    return {each["metadata"]["name"]: each.get("spec") or {} for each in client.list(api, "ResourceFlavor")}


def _quota(
    name: str, queue: Object, plan: PlatformPlan, objects: Sequence[Object], flavors: Mapping[str, Object]
) -> Iterator[Check]:
    """Yield the requested resources that the queue does not cover, and those of which its quota is too small."""
    pods = {
        each["metadata"]["name"]: each["spec"]["predictor"]
        for each in objects
        if each["kind"] == "InferenceService"
    }
    asked = total(queued_requests(server, pods[server.serving.name]) for server in plan.server_parts)
    groups = queue["spec"].get("resourceGroups") or []
    covered = {resource for group in groups for resource in group["coveredResources"]}
    lacking = sorted(asked.keys() - covered - {"pods"})
    yield Check.of(
        f"{name}'s resources",
        holds=not lacking,
        found=f"it does not cover {', '.join(lacking)}" if lacking else "it covers all that the pods ask for",
        fix=f"add {', '.join(lacking)} to spec.resourceGroups[].coveredResources of the group with "
        f"{GPU_RESOURCE}, and to resources of each of its flavors: "
        + "; ".join(_line(resource, asked[resource]) for resource in lacking),
    )
    offered: Amounts = {}
    for group in groups:
        usable = [each for each in group["flavors"] if _usable(flavors.get(each["name"]), plan)]
        if not usable and GPU_RESOURCE in group["coveredResources"]:
            names = ", ".join(each["name"] for each in group["flavors"])
            yield Check(
                name=f"{name}'s flavors",
                verdict="missing",
                found=f"none of {names} is for the nodes of the pool",
                fix=f"add a flavor with spec.nodeLabels: {dict(plan.pool.node_selector)}",
            )
            return
        offered = total([offered, *(_quotas(each) for each in usable)])
    largest: Amounts = {}
    for server in plan.server_parts:
        for resource, amount in pod_requests(pods[server.serving.name]).items():
            largest[resource] = max(largest.get(resource, Fraction(0)), amount)
    over = [
        resource for resource in sorted(asked) if asked[resource] > offered.get(resource, asked[resource])
    ]
    borrows = bool(queue["spec"].get("cohort") or queue["spec"].get("cohortName"))
    never = [each for each in over if largest.get(each, Fraction(0)) > offered[each]] if not borrows else []
    yield Check.of(
        f"{name}'s quota",
        holds=not over,
        found="; ".join(
            f"{each}: {format_amount(each, asked[each])} for all replicas and an update, the quota is "
            f"{format_amount(each, offered[each])}"
            for each in over
        )
        or "it admits all replicas and the pods of an update",
        fix="raise nominalQuota in spec.resourceGroups[].flavors[].resources: "
        + "; ".join(_line(each, asked[each]) for each in over)
        + (
            "; the queue may borrow the rest from its cohort"
            if borrows
            else "; pods beyond it stay SchedulingGated"
        ),
        doubtful=not never,
    )


def _usable(flavor: Object | None, plan: PlatformPlan) -> bool:
    """Whether a flavor's nodes may be the pool's, and the pods tolerate its taints."""
    if flavor is None:
        return False
    labels = flavor.get("nodeLabels") or {}
    taints = [
        each
        for each in flavor.get("nodeTaints") or []
        if each["key"] != TAINT_KEY and each.get("effect") != "PreferNoSchedule"
    ]
    return not taints and all(
        labels.get(key, value) == value for key, value in plan.pool.node_selector.items()
    )


def _quotas(flavor: Mapping[str, Any]) -> Amounts:
    return {each["name"]: parse_quantity(str(each["nominalQuota"])) for each in flavor["resources"]}


def _line(resource: str, amount: Fraction) -> str:
    return f"- {{name: {resource}, nominalQuota: {format_amount(resource, amount)}}}"
