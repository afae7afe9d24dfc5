"""How a new version replaces the old one when every GPU may be taken.

KServe's default (25 % surge, 25 % unavailable) deadlocks on scarce GPUs: the new pod waits for a GPU that
the old pod holds until the new one is ready.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """A Deployment strategy together with what it means for the developers."""

    kind: Literal["RollingUpdate", "Recreate"]
    max_surge: int
    max_unavailable: int
    downtime: bool
    reason: str

    def wire(self) -> dict[str, Any]:
        """Return the `deploymentStrategy` of the predictor."""
        if self.kind == "Recreate":
            return {"type": "Recreate"}
        return {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": self.max_surge, "maxUnavailable": self.max_unavailable},
        }


def choose_rollout(
    *, replicas: int, gpus_per_replica: int, free_gpus: int, one_node: bool = False
) -> Rollout:
    """Choose the strategy from the GPUs that are free on one node of the pool.

    `free_gpus` is the largest number of GPUs left on any single node once all replicas of all roles run; with
    `one_node` old and new pods share a volume that only one node mounts.
    """
    if one_node:
        return Rollout(
            kind="Recreate",
            max_surge=0,
            max_unavailable=1,
            downtime=True,
            reason="one node at a time mounts the claim with the weights (ReadWriteOnce): the new pod, which may be on "
            "another, waits until the old one is gone",
        )
    if free_gpus >= gpus_per_replica:
        return Rollout(
            kind="RollingUpdate",
            max_surge=1,
            max_unavailable=0,
            downtime=False,
            reason=f"{free_gpus} GPUs are free on a node, so the new pod starts before the old one stops",
        )
    if replicas > 1:
        return Rollout(
            kind="RollingUpdate",
            max_surge=0,
            max_unavailable=1,
            downtime=False,
            reason=f"no {gpus_per_replica} GPUs are free on one node; {replicas} replicas are replaced one at a time",
        )
    return Rollout(
        kind="Recreate",
        max_surge=0,
        max_unavailable=1,
        downtime=True,
        reason="all GPUs are taken and there is one replica: the model is away while its successor loads",
    )
