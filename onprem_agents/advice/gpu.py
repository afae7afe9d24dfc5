"""An accelerator as a search for servers sees it: what of it decides which servers start and how fast they are."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.catalog import Accelerator
from onprem_agents.plan.choice import UTILIZATION, settings_class
from onprem_agents.sizing.memory import Room, room_on
from onprem_agents.sizing.overhead import traits_of
from onprem_agents.sizing.release import release_rules
from onprem_agents.sizing.weights import pads_wide

Speeds = tuple[float | None, ...]
"""All of a GPU that decides how fast it is."""

GpuClass = tuple[str, tuple[int, bool], bool, bool, bool]
"""All of a GPU on which the settings of a server and its overhead depend: nothing of its exact memory."""


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """An accelerator as a search sees it."""

    accelerator: Accelerator
    room: Room
    kind: GpuClass
    writes_checkpoints: bool
    pads_wide: bool
    computes: tuple[str, float, bool]
    """All of it that decides which checkpoints it computes, and whether several of it share one."""
    speed: Speeds

    @classmethod
    def of(cls, accelerator: Accelerator) -> Gpu:
        """Return what a search knows of that accelerator."""
        traits = traits_of(accelerator, release_rules(None))
        alike = traits.unified_memory, traits.larger_graphs, traits.compiles_much
        return cls(
            accelerator=accelerator,
            room=room_on(accelerator, UTILIZATION),
            kind=(accelerator.vendor, settings_class(accelerator), *alike),
            writes_checkpoints=traits.writes_checkpoints,
            pads_wide=pads_wide(accelerator),
            computes=(accelerator.vendor, accelerator.compute_capability, accelerator.mig is None),
            speed=(
                *(accelerator.compute_capability, accelerator.fp4_tflops),
                *(accelerator.bandwidth_gb_per_second, accelerator.bf16_tflops, accelerator.fp8_tflops),
                *(accelerator.nvlink, accelerator.interconnect_gb_per_second),
            ),
        )
