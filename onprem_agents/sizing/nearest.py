"""The least hardware that would do: asked when a request does not fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from onprem_agents.catalog import Accelerator, load_catalog
from onprem_agents.sizing.divisibility import candidate_tensor_parallel
from onprem_agents.sizing.fit import Fit, fit
from onprem_agents.sizing.request import FitRequest


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """GPUs of one kind in one node, and the verdict on them."""

    accelerator: Accelerator
    gpus: int
    fit: Fit


def nearest_tier_that_fits(
    request: FitRequest, *, accelerators: Iterable[Accelerator] | None = None, gpus_per_node: int = 8
) -> Hardware | None:
    """Return the hardware with the least total memory for which the request fits; None when nothing does.

    Among `accelerators`, or else those that the catalogue proposes, and never more of them than a typical server has.
    Everything but accelerator and tensor parallel is taken from the request. Equal memory goes to fewer GPUs.
    """
    proposed = (gpu for gpu in load_catalog().accelerators if gpu.proposed)
    known = tuple(proposed if accelerators is None else accelerators)
    choices = [
        (gpu.total_gib * size, size, gpu)
        for gpu in known
        for size in candidate_tensor_parallel(request.model, gpu, min(gpus_per_node, gpu.host.gpus_per_node))
    ]
    for _, size, gpu in sorted(choices, key=lambda choice: choice[:2]):
        verdict = fit(replace(request, accelerator=gpu, tensor_parallel=size))
        if verdict.fits:
            return Hardware(accelerator=gpu, gpus=size, fit=verdict)
    return None
