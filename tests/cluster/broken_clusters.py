"""Every broken cluster."""

from __future__ import annotations

from tests.cluster.broken_nodes import DRIVERS, NODES, OCCUPANTS
from tests.cluster.broken_platform import PEOPLE, PLATFORM
from tests.cluster.broken_releases import RELEASES
from tests.cluster.broken_weights import WEIGHTS

BROKEN = (*NODES, *OCCUPANTS, *DRIVERS, *WEIGHTS, *PLATFORM, *RELEASES, *PEOPLE)
