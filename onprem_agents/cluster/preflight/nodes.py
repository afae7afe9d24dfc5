"""Are there nodes that the model servers' pods can run on: GPUs, other resources, taints, a driver for the image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object, condition
from onprem_agents.plan import GPU_RESOURCE, TAINT_KEY, PlatformPlan
from onprem_agents.units import parse_quantity

_KINDS_OF_TAINT = ("NoSchedule", "NoExecute")
_AMOUNTS = ("cpu", "memory", "ephemeral-storage", GPU_RESOURCE)


def check_nodes(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield whether the pool's nodes are there, and whether each can take the largest of the pods."""
    pool = plan.pool
    nodes = client.list("v1", "Node")
    by_name = {node["metadata"]["name"]: node for node in nodes}
    for name in pool.node_names:
        if name not in by_name:
            yield Check(
                name=f"Node {name}",
                verdict="missing",
                found="not there",
                fix="correct platform.hardware.nodeNames",
            )
    if pool.node_names:
        nodes = [by_name[name] for name in pool.node_names if name in by_name]
    else:
        wanted = pool.node_selector.items()
        nodes = [node for node in nodes if wanted <= (node["metadata"].get("labels") or {}).items()]
    able = [node for node in nodes if _amount(node, GPU_RESOURCE) >= pool.gpus_per_node]
    yield Check.of(
        f"{pool.nodes} nodes with {pool.gpus_per_node} × {pool.accelerator.name}",
        holds=len(able) >= pool.nodes,
        found=f"{len(able)} nodes offer that many {GPU_RESOURCE}",
        fix="install NVIDIA's GPU operator, add nodes, or correct platform.hardware (accelerator, gpusPerNode, nodes)",
    )
    for node in able:
        yield from _usable(node)
    yield from _room(objects, able)


def requests_of(pod: Object) -> dict[str, Fraction]:
    """Return what the scheduler wants free for a pod: all containers together, or its largest init container."""
    together: dict[str, Fraction] = {}
    for container in pod.get("containers") or []:
        for name, amount in _requests(container).items():
            together[name] = together.get(name, Fraction(0)) + amount
    for container in pod.get("initContainers") or []:
        for name, amount in _requests(container).items():
            together[name] = max(together.get(name, Fraction(0)), amount)
    return together


def _requests(container: Object) -> dict[str, Fraction]:
    stated = container.get("resources", {}).get("requests") or {}
    return {name: parse_quantity(str(amount)) for name, amount in stated.items()}


def _amount(node: Object, name: str) -> Fraction:
    return parse_quantity(str(node.get("status", {}).get("allocatable", {}).get(name, "0")))


def _usable(node: Object) -> Iterator[Check]:
    """Yield what keeps pods off a node although it has the GPUs."""
    name, spec = node["metadata"]["name"], node.get("spec") or {}
    if condition(node, "Ready") not in ("True", None):
        yield Check(
            name=f"Node {name}",
            verdict="missing",
            found=f"condition Ready is {condition(node, 'Ready')}",
            fix="see why its kubelet does not report ('kubectl describe node'), or take it out of the pool",
        )
    if spec.get("unschedulable"):
        yield Check(
            name=f"Node {name}",
            verdict="missing",
            found="cordoned: no new pod is placed there",
            fix=f"kubectl uncordon {name}",
        )
    foreign = [
        taint
        for taint in spec.get("taints") or []
        if taint.get("effect") in _KINDS_OF_TAINT
        and taint["key"] != TAINT_KEY
        and not taint["key"].startswith("node.kubernetes.io/")
    ]
    for taint in foreign:
        yield Check(
            name=f"Node {name}",
            verdict="missing",
            found=f"the pods do not tolerate its taint {taint['key']}={taint.get('value', '')}:{taint['effect']}",
            fix=f"kubectl taint node {name} {taint['key']}:{taint['effect']}-, or use other nodes",
        )


def _room(objects: Sequence[Object], nodes: Sequence[Object]) -> Iterator[Check]:
    """Yield for each model server whether an empty node of the pool can take one of its pods."""
    for each in objects:
        if each["kind"] != "InferenceService" or not nodes:
            continue
        wanted = requests_of(each["spec"]["predictor"])
        lacking = min((_lacking(wanted, node) for node in nodes), key=len)
        yield Check.of(
            f"room for a pod of {each['metadata']['name']}",
            holds=not lacking,
            found=_told(lacking) if lacking else "an empty node of the pool takes it",
            fix="use larger nodes, or fewer GPUs a replica (platform.models[].tensorParallel); what a node offers is "
            "its status.allocatable, which the kubelet's reservations lower",
        )


def _lacking(wanted: dict[str, Fraction], node: Object) -> list[tuple[str, Fraction, Fraction]]:
    """Return resource, wanted and offered amount of what the node has too little of."""
    offered = node.get("status", {}).get("allocatable", {})
    return [
        (name, wanted[name], _amount(node, name))
        for name in _AMOUNTS
        if name in offered and wanted.get(name, Fraction(0)) > _amount(node, name)
    ]


def _told(lacking: Iterable[tuple[str, Fraction, Fraction]]) -> str:
    return "; ".join(
        f"it asks for {_plain(name, wanted)} {name} and no node offers more than {_plain(name, offered)}"
        for name, wanted, offered in lacking
    )


def _plain(name: str, amount: Fraction) -> str:
    if name in ("memory", "ephemeral-storage"):
        return f"{float(amount) / 2**30:.1f} GiB of"
    return f"{float(amount):g}"
