"""Who is on the pool's nodes already: what others have requested there is not free, unless it gives way.

Pods of a lower priority are pushed off for a model server, whose PriorityClass says so; all others stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object, counted, listed
from onprem_agents.cluster.preflight.nodes import name_of, pods_of_pool, pool_nodes
from onprem_agents.plan import PlatformPlan, Pool, pod_requests
from onprem_agents.stack.labels import STACK_LABEL
from onprem_agents.units import parse_quantity

_NAME = "room beside other pods"
_OVER = ("Succeeded", "Failed")
_AMOUNTS = ("cpu", "memory", "ephemeral-storage")

Free = dict[str, dict[str, Fraction]]
"""By node and resource."""


@dataclass(frozen=True, kw_only=True)
class _Occupant:
    """A pod of somebody else on a node of the pool."""

    name: str
    node: str
    requests: Mapping[str, Fraction]
    stays: bool


def check_occupants(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield whether all replicas find room beside the pods of others."""
    for pool in plan.pools:
        yield from _check_pool(plan, pool, objects, client)


def _check_pool(
    plan: PlatformPlan, pool: Pool, objects: Sequence[Object], client: KubeClient
) -> Iterator[Check]:
    nodes, gpu = pool_nodes(pool, client), pool.resource
    empty: Free = {name_of(node): _allocatable(node, gpu) for node in nodes}
    wanted = [pod_requests(pod.spec) for pod in pods_of_pool(plan, pool, objects) for _ in range(pod.count)]
    name = _NAME if len(plan.pools) == 1 else f"{_NAME} in the pool {pool.name}"
    if not _placed(wanted, empty, gpu):
        return  # too small even when empty: told by the check of the nodes
    occupants = [each for each in _occupants(plan, objects, client) if each.node in empty]
    staying = [each for each in occupants if each.stays]
    if not _placed(wanted, _less(empty, staying), gpu):
        holding = [each for each in staying if each.requests.get(gpu)] or staying
        yield Check(
            name=name,
            verdict="missing",
            found=f"{counted(len(wanted), 'pod')} of model servers do not fit beside {_told(holding, gpu)}",
            fix=f"move those pods, give the stack other nodes ({pool.where}), or lower replicas in platform.models",
        )
    elif not _placed(wanted, _less(empty, occupants), gpu):
        yield Check(
            name=name,
            verdict="doubtful",
            found="pods of lower priority would be pushed off: "
            + _told([each for each in occupants if not each.stays], gpu),
            fix="move those pods, or let it happen",
        )
    else:
        yield Check(name=name, verdict="ok", found=f"for {counted(len(wanted), 'pod')} of model servers")


def _occupants(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[_Occupant]:
    ours = max((int(each["value"]) for each in objects if each["kind"] == "PriorityClass"), default=0)
    for pod in client.list("v1", "Pod"):
        metadata, spec = pod["metadata"], pod.get("spec") or {}
        own = (metadata.get("labels") or {}).get(STACK_LABEL) == plan.stack
        if own and metadata.get("namespace") == plan.namespace:
            continue
        if spec.get("nodeName") and pod.get("status", {}).get("phase") not in _OVER:
            yield _Occupant(
                name=f"{metadata.get('namespace')}/{metadata['name']}",
                node=spec["nodeName"],
                requests=pod_requests(spec),
                stays=int(spec.get("priority") or 0) >= ours,
            )


def _allocatable(node: Object, gpu: str) -> dict[str, Fraction]:
    offered = node.get("status", {}).get("allocatable", {})
    return {name: parse_quantity(str(offered[name])) for name in (*_AMOUNTS, gpu) if name in offered}


def _less(empty: Free, occupants: Sequence[_Occupant]) -> Free:
    free = {node: dict(amounts) for node, amounts in empty.items()}
    for each in occupants:
        for name, amount in each.requests.items():
            if name in free[each.node]:
                free[each.node][name] -= amount
    return free


def _placed(wanted: Sequence[Mapping[str, Fraction]], free: Free, gpu: str) -> bool:
    """Whether all pods find a node: those with most GPUs first, each on the fullest node that takes it."""
    left = {node: dict(amounts) for node, amounts in free.items()}
    for pod in sorted(wanted, key=lambda each: -each.get(gpu, Fraction(0))):
        takes = [
            node
            for node, amounts in left.items()
            if all(pod.get(name, Fraction(0)) <= amount for name, amount in amounts.items())
        ]
        if not takes:
            return False
        node = min(takes, key=lambda each: left[each].get(gpu, Fraction(0)))
        left[node] = {name: amount - pod.get(name, Fraction(0)) for name, amount in left[node].items()}
    return True


def _told(occupants: Sequence[_Occupant], gpu: str) -> str:
    return listed(
        [
            f"{each.name} on {each.node}"
            + (f" ({float(each.requests[gpu]):g} × {gpu})" if each.requests.get(gpu) else "")
            for each in occupants
        ]
    )
