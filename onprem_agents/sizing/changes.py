"""What would make a request fit, the cheapest change first: settings, then quality, then hardware.

Every change is sized before it is returned. It names fields of the request; how a stack or a command line spells them
is for those who show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args

from onprem_agents.sizing.divisibility import candidate_tensor_parallel, most_gpus_together
from onprem_agents.sizing.fit import Fit, fit
from onprem_agents.sizing.kv_layers import ELEMENT_BYTES
from onprem_agents.sizing.memory import layout_of
from onprem_agents.sizing.nearest import nearest_tier_that_fits
from onprem_agents.sizing.refusals import Setting, lacks_fp8_cache, least_block_tokens
from onprem_agents.sizing.request import FitRequest

# Enough for a team's agents; vLLM's defaults (256, 1024; 2048 to 16384) set memory aside that they never use.
_FEW_SEQUENCES, _SMALL_BATCH = 16, 2048
# vLLM's default since 0.20 (0.33.0 read 2026-11), and shares that leave more outside the budget.
_UTILIZATIONS = (0.92, 0.9, 0.85)
SHORTEST_CONTEXT = 16_384
"""Below this no coding agent works."""

_SETTINGS: tuple[Setting, ...] = get_args(Setting)

# The field of a role that sets a field of a sizing request; a checkpoint and hardware are told by several keys.
ROLE_FIELDS: dict[Setting, str] = {
    "tensor_parallel": "tensor_parallel",
    "context_tokens": "context",
    "max_num_seqs": "max_num_seqs",
    "max_num_batched_tokens": "max_num_batched_tokens",
    "kv_cache_dtype": "kv_cache_dtype",
    "gpu_memory_utilization": "gpu_memory_utilization",
    "speculative_tokens": "speculative_tokens",
}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a request with which it fits. `settings` are the fields that differ."""

    settings: tuple[Setting, ...]
    request: FitRequest
    fit: Fit

    @property
    def headline(self) -> Setting:
        """The setting that tells this change from the others: the dearest that it touches."""
        dear: tuple[Setting, ...] = (
            "accelerator",
            "variant",
            "tensor_parallel",
            "context_tokens",
            "kv_cache_dtype",
        )
        return next((setting for setting in dear if setting in self.settings), self.settings[0])


def changes_that_fit(
    request: FitRequest, *, gpus_per_node: int = 8, buying: bool = True
) -> tuple[Change, ...]:
    """Return the changes that make a request fit which does not, the cheapest first; hardware last, if `buying`."""
    found: dict[tuple[tuple[Setting, object], ...], Change] = {}
    for changed in _candidates(repaired(request, gpus_per_node), gpus_per_node, buying=buying):
        result = fit(changed)
        if result.fits:
            lean = _fewest(request, changed)
            settings = differing(request, lean)
            known = tuple((name, _comparable(getattr(lean, name))) for name in settings)
            if settings and known not in found:
                result = result if lean == changed else fit(lean)
                found[known] = Change(settings=settings, request=lean, fit=result)
    return tuple(found.values())


def repaired(request: FitRequest, gpus_per_node: int) -> FitRequest:
    """Return the request without what is refused whatever the memory: figures, cache type, split, batch."""
    model, gpu = request.model, request.accelerator
    changes: dict[str, Any] = {}
    if not 1 <= request.context_tokens <= model.architecture.max_context_tokens:
        changes["context_tokens"] = model.architecture.max_context_tokens
    if request.max_num_seqs < 1:
        changes["max_num_seqs"] = _FEW_SEQUENCES
    if request.kv_cache_dtype not in ELEMENT_BYTES:
        changes["kv_cache_dtype"] = "auto"
    if lacks_fp8_cache(request):
        changes["kv_cache_dtype"] = "fp8"
    if not 0 < request.gpu_memory_utilization < 1:
        changes["gpu_memory_utilization"] = _UTILIZATIONS[0]
    if request.speculative_tokens and (request.speculative_tokens < 0 or not model.architecture.mtp_layers):
        changes["speculative_tokens"] = 0
    together = request.tensor_parallel * request.pipeline_parallel
    sizes = candidate_tensor_parallel(model, gpu, gpus_per_node) or (1,)
    if request.tensor_parallel not in sizes or together > most_gpus_together(gpu, together):
        changes["tensor_parallel"] = max(
            (size for size in sizes if size <= request.tensor_parallel), default=sizes[0]
        )
    mended = replace(request, **changes)
    layout = layout_of(replace(mended, max_num_batched_tokens=max(1, mended.max_num_batched_tokens)))
    block = least_block_tokens(mended, layout)
    least = max(1, mended.max_num_seqs, mended.least_batch_tokens, block)
    if mended.max_num_batched_tokens < least:
        mended = replace(mended, max_num_batched_tokens=max(least, _SMALL_BATCH))
    return mended


def _candidates(request: FitRequest, gpus_per_node: int, *, buying: bool) -> Iterator[FitRequest]:
    """Yield requests that may fit: all that was repaired alone, then with more and more settings, then dearer ones."""
    yield request
    lean = request
    for changes in _settings(request):
        lean = replace(lean, **changes)
        yield lean
    result = fit(lean)
    blocked = [refusal for refusal in result.refusals if refusal.cause == "no-room-for-states"]
    if blocked and result.memory is not None:
        blocks = result.memory.layout.blocks_in(result.kv_pool_gib)
        if blocks >= 1:
            lean = replace(lean, max_num_seqs=blocks)
            yield lean
    largest = fit(lean).largest_context_tokens
    if SHORTEST_CONTEXT <= largest < request.context_tokens:
        yield replace(lean, context_tokens=largest)
    for variant in sorted(request.model.variants, key=lambda one: -one.weights_gib):
        if variant.hf_id != request.variant.hf_id:
            yield replace(request, variant=variant)
            yield replace(lean, variant=variant)
    for size in candidate_tensor_parallel(request.model, request.accelerator, gpus_per_node):
        if size != request.tensor_parallel:
            yield replace(request, tensor_parallel=size)
            yield replace(lean, tensor_parallel=size)
    hardware = nearest_tier_that_fits(request) if buying else None
    if hardware is not None:
        yield replace(request, accelerator=hardware.accelerator, tensor_parallel=hardware.gpus)


def _settings(request: FitRequest) -> Iterator[dict[str, Any]]:
    """Yield fields of settings that cost no quality, or almost none."""
    if request.max_num_seqs > _FEW_SEQUENCES:
        yield {"max_num_seqs": _FEW_SEQUENCES}
    if request.max_num_batched_tokens > _SMALL_BATCH:
        yield {"max_num_batched_tokens": _SMALL_BATCH}
    if request.has_encoder:
        yield {"language_model_only": True}
    if request.cache_dtype == "auto":
        yield {"kv_cache_dtype": "fp8"}
    if request.speculative_tokens:
        yield {"speculative_tokens": 0}
    if request.gpu_memory_utilization < _UTILIZATIONS[0]:
        yield {"gpu_memory_utilization": _UTILIZATIONS[0]}
    for share in _UTILIZATIONS:
        if share < request.gpu_memory_utilization:
            yield {"gpu_memory_utilization": share}


def _fewest(request: FitRequest, changed: FitRequest) -> FitRequest:
    """Return the changed request with as many of its settings as it fits with taken back."""
    for name in differing(request, changed):
        back = replace(changed, **{name: getattr(request, name)})
        if back != request and fit(back).fits:
            changed = back
    return changed


def differing(request: FitRequest, changed: FitRequest) -> tuple[Setting, ...]:
    """Return the settings in which two requests differ."""
    return tuple(
        name
        for name in _SETTINGS
        if _comparable(getattr(request, name)) != _comparable(getattr(changed, name))
    )


def _comparable(value: object) -> object:
    return getattr(value, "hf_id", getattr(value, "name", value))
