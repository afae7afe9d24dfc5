"""The rollout strategy follows from the GPUs that are free, so that an update never waits for itself."""

from __future__ import annotations

import pytest

from onprem_agents.plan import choose_rollout


@pytest.mark.parametrize(
    ("replicas", "gpus", "free", "wire", "downtime"),
    [
        (1, 1, 1, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}, False),
        (1, 2, 1, {"type": "Recreate"}, True),
        (1, 1, 0, {"type": "Recreate"}, True),
        (3, 1, 0, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}, False),
        (2, 4, 3, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}, False),
    ],
)
def test_the_strategy_fits_the_free_gpus(
    replicas: int, gpus: int, free: int, wire: dict[str, object], downtime: bool
) -> None:
    rollout = choose_rollout(replicas=replicas, gpus_per_replica=gpus, free_gpus=free)

    assert rollout.wire() == wire
    assert rollout.downtime is downtime
