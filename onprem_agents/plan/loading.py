"""How long a model server needs from its pod's start until it serves, about: download, then weights into the GPU.

Estimates for people who set the load budget; the rate of a download is theirs to say.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from onprem_agents.plan.cache import Cache, ClaimCache, FolderCache, KServeCache
from onprem_agents.sizing.starting import start_seconds
from onprem_agents.units import rough_time

_MOST_BUDGET_SECONDS = 14_400
"""The most that `timeouts.loadBudgetSeconds` takes."""
_STEP_SECONDS = 300
_SPARE = 1.2


@dataclass(frozen=True, kw_only=True)
class Loading:
    """The time that a pod needs; `weights_gib` is the checkpoint as it lies on a disk."""

    weights_gib: float
    downloads: bool
    """Whether the weights come over the network at the rate `mib_per_second`."""
    mib_per_second: int
    budget_seconds: int
    kept: Cache | None
    """Where they are kept between starts."""

    @property
    def download_seconds(self) -> int:
        """The download, 0 where there is none."""
        return math.ceil(self.weights_gib * 1024 / self.mib_per_second) if self.downloads else 0

    @property
    def start_seconds(self) -> int:
        """From weights on a disk to the first answer, with nothing compiled yet."""
        return start_seconds(self.weights_gib)

    @property
    def restart_seconds(self) -> int:
        """A later start of a pod, with what is kept."""
        if isinstance(self.kept, ClaimCache | FolderCache):
            return start_seconds(self.weights_gib, compiled=True)
        return self.start_seconds + (self.download_seconds if self.kept is None else 0)

    @property
    def downloads_before(self) -> bool:
        """Whether the download is over before a server's pod starts; the budget then holds each by itself."""
        return isinstance(self.kept, ClaimCache | KServeCache)

    @property
    def needed_seconds(self) -> int:
        """What the load budget must hold."""
        both = (self.download_seconds, self.start_seconds)
        return max(both) if self.downloads_before else sum(both)

    @property
    def enough_budget_seconds(self) -> int | None:
        """A load budget with some time to spare: the one there is where it holds the load; None where none would."""
        if self.needed_seconds <= self.budget_seconds:
            return self.budget_seconds
        enough = math.ceil(self.needed_seconds * _SPARE / _STEP_SECONDS) * _STEP_SECONDS
        return enough if enough <= _MOST_BUDGET_SECONDS else None


def budget_notes(loading: Loading) -> Iterator[str]:
    """Yield that the load budget will hardly hold the load, with what to change."""
    if loading.needed_seconds <= loading.budget_seconds:
        return
    ways = []
    if loading.enough_budget_seconds is not None:
        ways.append(f"set platform.timeouts.loadBudgetSeconds to {loading.enough_budget_seconds}")
    took = f"about {rough_time(loading.start_seconds)} to serving"
    if loading.downloads:
        then = ", then" if loading.downloads_before else " and"
        took = (
            f"about {rough_time(loading.download_seconds)} of download at {loading.mib_per_second} MiB/s "
            f"(platform.serving.downloadMibPerSecond){then} {rough_time(loading.start_seconds)} to serving"
        )
        if loading.kept is None:
            ways.append("keep them between starts by platform.models[].cache")
        ways.append("give them as pvc:// or oci:// in platform.models[].source")
    yield (
        f"{loading.weights_gib:,.0f} GiB of weights take {took}, and platform.timeouts.loadBudgetSeconds holds "
        f"{rough_time(loading.budget_seconds)}: {', or '.join(ways) or 'use a faster disk'}"
    )
