"""Kueue, for a stack with `queue`: does it look at pods at all, and would its queue ever admit the model servers?

What Kueue refuses it never says in an error: the pods stay `SchedulingGated`, and the deployment waits for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object, condition
from onprem_agents.cluster.preflight.queue_quota import check_quota, flavors_of
from onprem_agents.plan import PlatformPlan, Queues
from onprem_agents.stack.labels import STACK_LABEL

# Where Kueue's manifests and its chart put the controller's configuration (v0.19.2, config/components/manager).
_CONFIGURATION = ("kueue-manager-config", "kueue-system")
_CONFIGURATION_FILE = "controller_manager_config.yaml"
_NAME_LABEL = "kubernetes.io/metadata.name"
_OTHERWISE = "drop platform.queue.existingClusterQueue to have one made"


def check_queue(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield what keeps Kueue from admitting the pods; nothing where the cluster has no Kueue, which is told before."""
    served = {each.api_version for each in client.resources() if each.kind == "ClusterQueue"}
    local = next((each for each in objects if each["kind"] == "LocalQueue"), None)
    queues = plan.pool_part.queues
    if queues is not None and local is not None and local["apiVersion"] in served:
        yield from _queue(queues, local["apiVersion"], plan, objects, client)
    if served:
        yield from _configuration(plan, objects, client)


def _queue(
    queues: Queues, api: str, plan: PlatformPlan, objects: Sequence[Object], client: KubeClient
) -> Iterator[Check]:
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
        yield _namespace(name, found, plan, _labels(plan, objects, client))
        yield from check_quota(name, found, plan, objects, flavors_of(api, client))


def _configuration(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield whether Kueue gates the pods that it should, and no others; where that is not stated, nobody knows."""
    import yaml

    name, namespace = _CONFIGURATION
    stated = (client.find("v1", "ConfigMap", name, namespace) or {}).get("data") or {}
    try:
        settings = yaml.safe_load(stated.get(_CONFIGURATION_FILE, ""))
        frameworks = list(settings["integrations"]["frameworks"])
    except (yaml.YAMLError, TypeError, KeyError):
        return
    where = f"ConfigMap {namespace}/{name}"
    if plan.pool_part.queues is not None:
        yield Check.of(
            "Kueue's integration of pods",
            holds="pod" in frameworks,
            found="on" if "pod" in frameworks else f"off; on are {', '.join(map(str, frameworks))}",
            fix=f"add '- pod' and '- deployment' to integrations.frameworks in {where}: the model servers run beside "
            "the queue otherwise",
            doubtful=True,
        )
    if settings.get("manageJobsWithoutQueueName"):
        selector = settings.get("managedJobsNamespaceSelector") or {}
        yield Check.of(
            "Kueue's manageJobsWithoutQueueName",
            holds=not _selects(selector, _labels(plan, objects, client)),
            found="on: in this namespace Kueue holds back what names no queue, such as proxies and Jobs",
            fix=f"take the namespace out of managedJobsNamespaceSelector in {where}: matchExpressions: [{{key: "
            f"{_NAME_LABEL}, operator: NotIn, values: [kube-system, {namespace}, {plan.namespace}]}}]",
            doubtful=plan.pool_part.queues is not None,
        )


def _labels(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> dict[str, str]:
    """Return the labels of the stack's namespace as it is, and as the stack makes it."""
    labels = {_NAME_LABEL: plan.namespace}
    there = client.find("v1", "Namespace", plan.namespace)
    for each in (there, *(each for each in objects if each["kind"] == "Namespace")):
        labels |= (each or {}).get("metadata", {}).get("labels") or {}
    return labels


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


def _namespace(name: str, queue: Object, plan: PlatformPlan, labels: Mapping[str, str]) -> Check:
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
