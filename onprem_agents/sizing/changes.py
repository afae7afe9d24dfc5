"""What would make a request fit, the cheapest change first: settings, then quality, then hardware."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from onprem_agents.sizing.divisibility import candidate_tensor_parallel
from onprem_agents.sizing.fit import Fit, fit
from onprem_agents.sizing.nearest import nearest_tier_that_fits
from onprem_agents.sizing.request import FitRequest

# Enough for a team's agents; vLLM's defaults (256, 1024; 2048 to 16384) set memory aside that they never use.
_FEW_SEQUENCES, _SMALL_BATCH = 16, 2048
# Below this no coding agent works.
_SHORTEST_CONTEXT = 16_384

# Flag, words, and field of the request with its value.
_Setting = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a request with which it fits. `setting` names the vLLM flag or what is to be bought."""

    setting: str
    text: str
    request: FitRequest
    fit: Fit


def changes_that_fit(request: FitRequest, *, gpus_per_node: int = 8) -> tuple[Change, ...]:
    """Return the changes that make a request fit which does not, the cheapest first."""
    found = []
    for setting, text, changed in _candidates(request, gpus_per_node):
        verdict = fit(changed)
        if verdict.fits:
            found.append(Change(setting=setting, text=text, request=changed, fit=verdict))
    hardware = nearest_tier_that_fits(request)
    if hardware is not None:
        bought = replace(request, accelerator=hardware.accelerator, tensor_parallel=hardware.gpus)
        text = f"use {hardware.gpus} × {hardware.accelerator.name}, the least memory that holds it"
        found.append(Change(setting="hardware", text=text, request=bought, fit=hardware.fit))
    return tuple(found)


def _candidates(request: FitRequest, gpus_per_node: int) -> Iterator[tuple[str, str, FitRequest]]:
    lean, told = request, list[_Setting]()
    for setting in _settings(request):
        told.append(setting)
        lean = _with(request, told)
        needed = _needed(request, told)
        if setting in needed:
            yield setting[0], f"set {_words(needed)}", _with(request, needed)
    largest = fit(lean).largest_context_tokens
    if _SHORTEST_CONTEXT <= largest < request.context_tokens:
        context = f"a context of {largest} tokens"
        text = f"{_words(told)}, {context}" if told else context
        yield "max-model-len", f"set {text}", replace(lean, context_tokens=largest)
    for variant in sorted(request.model.variants, key=lambda one: -one.weights_gib):
        if variant.weights_gib < request.variant.weights_gib:
            text = f"take {variant.hf_id} ({variant.precision}, {variant.weights_gib:.1f} GiB)"
            yield "precision", text, replace(request, variant=variant)
    for size in candidate_tensor_parallel(request.model, request.accelerator, gpus_per_node):
        if size > request.tensor_parallel:
            yield (
                "tensor-parallel-size",
                f"spread it over {size} GPUs",
                replace(request, tensor_parallel=size),
            )


def _needed(request: FitRequest, settings: Sequence[_Setting]) -> Sequence[_Setting]:
    """Return the settings without those that the rest of them fits without."""
    needed = list(settings)
    for setting in settings:
        rest = [one for one in needed if one is not setting]
        if rest and fit(_with(request, rest)).fits:
            needed = rest
    return needed


def _with(request: FitRequest, settings: Iterable[_Setting]) -> FitRequest:
    for _, _, change in settings:
        request = replace(request, **change)
    return request


def _words(settings: Iterable[_Setting]) -> str:
    return ", ".join(words for _, words, _ in settings)


def _settings(request: FitRequest) -> Iterator[_Setting]:
    """Yield flag, words and field of each setting that costs no quality, or almost none."""
    if request.max_num_seqs > _FEW_SEQUENCES:
        yield "max-num-seqs", f"max_num_seqs {_FEW_SEQUENCES}", {"max_num_seqs": _FEW_SEQUENCES}
    if request.max_num_batched_tokens > _SMALL_BATCH:
        yield (
            "max-num-batched-tokens",
            f"batches of {_SMALL_BATCH} tokens",
            {"max_num_batched_tokens": _SMALL_BATCH},
        )
    if request.has_encoder:
        yield "language-model-only", "text only (no image encoder)", {"language_model_only": True}
    if request.cache_dtype == "auto":
        yield "kv-cache-dtype", "the KV cache in fp8", {"kv_cache_dtype": "fp8"}
