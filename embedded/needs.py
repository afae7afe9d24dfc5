"""A planned stack → what the embedded cluster must hold for it: definitions and simulated nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from embedded.cluster import ClusterNeeds, NodeSpec
from onprem_agents.plan import PlatformPlan, Pool

# API group of a declared object -> group of definitions in `embedded.cluster.crds`.
_DEFINITIONS = {
    "serving.kserve.io": "kserve",
    "gateway.networking.k8s.io": "gateway-api",
    "gateway.envoyproxy.io": "envoy-gateway",
    "aigateway.envoyproxy.io": "ai-gateway",
    "cert-manager.io": "cert-manager",
    "kueue.x-k8s.io": "kueue",
    "keda.sh": "keda",
}
# KServe's readiness depends on a gateway that answers, so these are there for every stack.
_ALWAYS = frozenset({"kserve", "gateway-api", "envoy-gateway"})


def cluster_needs(plan: PlatformPlan, manifests: Iterable[dict[str, Any]]) -> ClusterNeeds:
    """Return the definitions of everything that the manifests declare, and nodes as the hardware section says."""
    groups = {str(manifest["apiVersion"]).split("/")[0] for manifest in manifests}
    return ClusterNeeds(
        crds=_ALWAYS | {_DEFINITIONS[group] for group in groups if group in _DEFINITIONS},
        nodes=tuple(_node(pool, name) for pool, names in _named(plan) for name in names),
    )


def node_names(plan: PlatformPlan) -> tuple[str, ...]:
    """Return the names of the simulated GPU nodes."""
    return tuple(name for _, names in _named(plan) for name in names)


def _named(plan: PlatformPlan) -> Iterator[tuple[Pool, tuple[str, ...]]]:
    """Yield each pool with the names of its nodes; those that nobody names are numbered through."""
    numbers = count()
    for pool in plan.pools:
        yield pool, pool.node_names or tuple(f"gpu-{next(numbers)}" for _ in range(pool.nodes))


def _shares(pool: Pool) -> dict[str, str]:
    """Return what a node of shared GPUs offers: room for a pod on each share, as HAMi's own scheduler would find it."""
    if pool.share is None:
        return {}
    one = pool.requests(1)
    return {name: str(int(amount) * pool.gpus_per_node) for name, amount in one.items()}


def _node(pool: Pool, name: str) -> NodeSpec:
    return NodeSpec(
        name=name,
        vendor=pool.accelerator.vendor,
        accelerator_label=pool.accelerator.product_label,
        memory_mib=pool.accelerator.memory_label_mib,
        mig_profile=pool.mig_profile,
        shares=_shares(pool),
        gpus=pool.gpus_per_node,
        # Nodes that the stack adopts come bare: the label and the taint are its own to put.
        taint=pool.taint and not pool.node_names,
    )
