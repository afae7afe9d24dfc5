"""What a role adds to its pods, beside what the plan says of them itself: labels, and where they may run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onprem_agents.errors import Problem
from onprem_agents.plan.pool import Pool
from onprem_agents.stack.settings import ModelRole


@dataclass(frozen=True, kw_only=True)
class PodSettings:
    """A role's own additions to its pods; what the product sets itself is none of them."""

    env: Mapping[str, str]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, str | int], ...]


def pod_settings(role: ModelRole) -> PodSettings:
    """Return what a role adds to its pods."""
    return PodSettings(
        env=role.env,
        labels=role.pod_labels,
        annotations=role.pod_annotations,
        node_selector=role.node_selector,
        tolerations=tuple(toleration.wire() for toleration in role.tolerations),
    )


def node_problems(role: ModelRole, pool: Pool, *, where: str) -> Iterator[Problem]:
    """Yield the labels of nodes that none of the pool has."""
    accelerator = pool.accelerator
    fixed = {**pool.product_labels, **pool.labels, **pool.node_selector}
    for label, value in role.node_selector.items():
        if label in fixed and fixed[label] != value:
            yield Problem(
                where=f"{where}.nodeSelector",
                cause="contradiction",
                found=f"{label}: {value}",
                why=f"the pool's nodes have {label}: {fixed[label]} ({accelerator.name}), so pods would stay Pending",
                fix=f"take {label} out, or name other GPUs in {pool.where}.accelerator",
            )


def node_notes(role: ModelRole, pool: Pool, *, where: str) -> Iterator[str]:
    """Yield what the plan counts on where a role keeps to some of the pool's nodes."""
    further = {label: value for label, value in role.node_selector.items() if label not in pool.node_selector}
    if further:
        told = ", ".join(f"{label}={value}" for label, value in sorted(further.items()))
        counted = f"{pool.nodes} nodes" if pool.nodes > 1 else "1 node"
        yield f"{where}.nodeSelector keeps the pods to nodes with {told}; the plan counts on {counted} that have it"
