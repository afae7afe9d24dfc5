"""Are there nodes that the model servers' pods can run on: GPUs, Ready, without foreign taints, with room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object, condition, counted
from onprem_agents.cluster.preflight.pods import Pod, server_pods, tolerates
from onprem_agents.plan import PlatformPlan, Pool, pod_requests
from onprem_agents.units import parse_quantity

_KEEPS_OFF = ("NoSchedule", "NoExecute")
_AMOUNTS = ("cpu", "memory", "ephemeral-storage")

# Taints that Kubernetes sets by a node's state, which is told by itself (well-known taints, 1.36).
_OF_STATE = (
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/unschedulable",
)
_PRESSURE = ("MemoryPressure", "DiskPressure", "PIDPressure")


def all_nodes(plan: PlatformPlan, client: KubeClient) -> list[Object]:
    """Return the nodes of all pools that are there."""
    return [node for pool in plan.pools for node in pool_nodes(pool, client)]


def pods_of_pool(plan: PlatformPlan, pool: Pool, objects: Sequence[Object]) -> list[Pod]:
    """Return the pods of the model servers that go to a pool."""
    names = {serving.name for serving in plan.serving if serving.pool == pool}
    return [pod for pod in server_pods(objects) if pod.owner in names]


def pool_nodes(pool: Pool, client: KubeClient) -> list[Object]:
    """Return the nodes of the pool that are there: those that the stack names, else those of its accelerator."""
    nodes = client.list("v1", "Node")
    if pool.node_names:
        return [node for node in nodes if node["metadata"]["name"] in pool.node_names]
    wanted = pool.node_selector.items()
    return [node for node in nodes if wanted <= labels_of(node).items()]


def labels_of(node: Object) -> dict[str, str]:
    """Return the labels of a node."""
    return dict(node["metadata"].get("labels") or {})


def name_of(node: Object) -> str:
    """Return the name of a node."""
    return str(node["metadata"]["name"])


def check_nodes(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield whether the nodes of each pool are there, and whether each can take the largest of its pods."""
    for pool in plan.pools:
        yield from _check_pool(pool, pods_of_pool(plan, pool, objects), pool_nodes(pool, client))


def _check_pool(pool: Pool, pods: Sequence[Pod], nodes: Sequence[Object]) -> Iterator[Check]:
    there = {name_of(node) for node in nodes}
    for name in pool.node_names:
        if name not in there:
            yield Check(
                name=f"Node {name}",
                verdict="missing",
                found="not there",
                fix=f"correct {pool.where}.nodeNames",
            )
    able = [node for node in nodes if _amount(node, pool.resource) >= pool.gpus_per_node]
    yield Check.of(
        f"{counted(pool.nodes, 'node')} with {pool.gpus_per_node} × {pool.accelerator.name}",
        holds=len(able) >= pool.nodes,
        found=f"{counted(len(able), 'node')} of that many {pool.resource}",
        fix=f"install {pool.offered_by}, add nodes, or correct {pool.where} (accelerator, gpusPerNode, "
        "nodes)",
    )
    hindered = {name_of(node): list(_hindrances(node, pods)) for node in able}
    enough = sum(not found for found in hindered.values()) >= pool.nodes
    for node in able:
        for found, fix in hindered[name_of(node)]:
            told = f"{found}; others of the pool are enough" if enough else found
            yield Check.of(f"Node {name_of(node)}", holds=False, found=told, fix=fix, doubtful=enough)
    yield from _room(pool, pods, able)


def _amount(node: Object, name: str) -> Fraction:
    return parse_quantity(str(node.get("status", {}).get("allocatable", {}).get(name, "0")))


def _hindrances(node: Object, pods: Sequence[Pod]) -> Iterator[tuple[str, str]]:
    """Yield what keeps pods off a node although it has the GPUs, each with its fix."""
    name, spec = name_of(node), node.get("spec") or {}
    if condition(node, "Ready") not in ("True", None):
        yield (
            f"condition Ready is {condition(node, 'Ready')}",
            "see why its kubelet does not report ('kubectl describe node'), or take it out of the pool",
        )
    if spec.get("unschedulable"):
        yield "cordoned: no new pod is placed there", f"kubectl uncordon {name}"
    for pressure in _PRESSURE:
        if condition(node, pressure) == "True":
            yield (
                f"condition {pressure}: the kubelet evicts pods and takes no new ones",
                "make room on the node ('kubectl describe node')",
            )
    for taint in spec.get("taints") or []:
        if taint.get("effect") not in _KEEPS_OFF or taint["key"] in _OF_STATE or _of_pressure(taint["key"]):
            continue
        if all(tolerates(pod.spec, taint) for pod in pods):
            continue
        yield (
            f"the pods do not tolerate its taint {taint['key']}={taint.get('value', '')}:{taint['effect']}",
            f"kubectl taint node {name} {taint['key']}:{taint['effect']}-, or use other nodes",
        )


def _of_pressure(key: str) -> bool:
    return key.startswith("node.kubernetes.io/") and key.endswith("-pressure")


def _room(pool: Pool, pods: Sequence[Pod], nodes: Sequence[Object]) -> Iterator[Check]:
    """Yield for each model server whether an empty node of the pool can take one of its pods."""
    for pod in pods:
        if not nodes:
            continue
        name = f"room for a pod of {pod.owner}"
        labels = {
            key: value
            for key, value in (pod.spec.get("nodeSelector") or {}).items()
            if key not in pool.labels  # the stack puts those on the nodes itself
        }
        fitting = [node for node in nodes if labels.items() <= labels_of(node).items()]
        if not fitting:
            yield Check(
                name=name,
                verdict="missing",
                found=f"no node of the pool has the labels {', '.join(f'{k}={v}' for k, v in labels.items())}",
                fix="label the nodes, or correct what the stack says of them",
            )
            continue
        wanted = pod_requests(pod.spec)
        amounts = (*_AMOUNTS, pool.resource)
        best = min(fitting, key=lambda node: len(_lacking(wanted, node, amounts)))
        lacking = _lacking(wanted, best, amounts)
        yield Check.of(
            name,
            holds=not lacking,
            found=_told(name_of(best), lacking) if lacking else "an empty node of the pool takes it",
            fix="use larger nodes, or fewer GPUs a replica (platform.models[].tensorParallel); what a node offers is "
            "its status.allocatable, which the kubelet's reservations lower",
        )


def _lacking(
    wanted: dict[str, Fraction], node: Object, amounts: Sequence[str]
) -> list[tuple[str, Fraction, Fraction]]:
    """Return resource, wanted and offered amount of what the node has too little of."""
    offered = node.get("status", {}).get("allocatable", {})
    return [
        (name, wanted[name], _amount(node, name))
        for name in amounts
        if name in offered and wanted.get(name, Fraction(0)) > _amount(node, name)
    ]


def _told(node: str, lacking: Sequence[tuple[str, Fraction, Fraction]]) -> str:
    return "; ".join(
        f"it asks for {_plain(name, wanted)} {name}, and the best node, {node}, offers {_plain(name, offered)}"
        for name, wanted, offered in lacking
    )


def _plain(name: str, amount: Fraction) -> str:
    if name in ("memory", "ephemeral-storage"):
        return f"{float(amount) / 2**30:.1f} GiB of"
    return f"{float(amount):g}"
