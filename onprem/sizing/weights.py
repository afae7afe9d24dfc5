"""Bytes of weights on one GPU: what a log showed where there is one, else counted from the architecture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onprem.catalog import (
    Architecture,
    ChunkedAttention,
    FullAttention,
    Model,
    SlidingWindow,
    Variant,
    parameters_of,
)
from onprem.sizing.precision import BF16_BYTES, part_bytes, precision_named
from onprem.sizing.request import FitRequest
from onprem.units import GIB

# A figure of a log is printed with two digits, and loaders differ by about this much for one checkpoint.
_MEASURED_UNCERTAINTY = 0.01
# A measured sum split by tensor parallelism: kernels pad, small layers are replicated.
_SPLIT_UNCERTAINTY = 0.01
# Of what a checkpoint from an unknown maker may differ by, this much is left where the maker says which parts it
# keeps, and where it is one of the community's.
_PUBLISHED_SHARE, _COMMUNITY_SHARE = 0.4, 0.8
_MAKERS_WITH_QUANT_CONFIG = ("nvidia",)

# Parts that every tensor-parallel rank holds whole: routers, and the projections into compressed vectors.
_REPLICATED = ("routers", "latent_down")
# Parts at the two ends of a pipeline: the first stage has the table, the last one the head.
_ENDS = ("embedding", "head")
_PARTS = (
    "embedding", "head", "attention", "latent_down", "linear_attention", "feed_forward", "experts",
    "shared_experts", "routers", "vision", "extra",
)  # fmt: skip


# Counting a checkpoint's parts is most of the time of a ranking; a checkpoint is known by its identity.
_COUNTED: dict[int, tuple[Variant, Mapping[str, float]]] = {}


@dataclass(frozen=True, kw_only=True)
class Weights:
    """GiB on each GPU, how far they may be off, and where the figure comes from."""

    gib: float
    uncertainty_gib: float
    explanation: str


def weights_of(request: FitRequest) -> Weights:
    """Return the weights that lie on each GPU, the draft layers included when they speculate."""
    main_gib, uncertainty, explanation = _loaded(request)
    uncertainty += request.weights_uncertainty
    draft_gib = _draft_gib(request.model) / request.tensor_parallel if request.speculative_tokens else 0.0
    return Weights(
        gib=main_gib + draft_gib,
        uncertainty_gib=main_gib * uncertainty + draft_gib * _uncertainty(request.model, request.variant),
        explanation=explanation,
    )


def computed_gib(model: Model, variant: Variant) -> float:
    """Return the GiB of a whole checkpoint: its parts in their precision."""
    return sum(_part_gib(model, variant).values())


def _loaded(request: FitRequest) -> tuple[float, float, str]:
    variant, parallel = request.variant, request.tensor_parallel
    plain = request.pipeline_parallel == 1 and request.data_parallel == 1
    seen = variant.loaded_gib_per_gpu.get(parallel) if plain else None
    if seen is None and plain and parallel == 1 and variant.measured:
        seen = variant.weights_gib
    if seen is not None:
        return seen, _MEASURED_UNCERTAINTY, f"{variant.hf_id}: seen in a log ({variant.source.where})"
    parts = _part_gib(request.model, variant)
    total_gib = _whole_gib(variant, parts, parallel)
    scale = total_gib / sum(parts.values())
    per_gpu = _share_gib(request, {part: gib * scale for part, gib in parts.items()})
    how = "seen in a log" if variant.measured else "computed"
    split = f", split over {request.gpus} GPUs" if request.gpus > 1 else ""
    uncertainty = _uncertainty(request.model, variant) + (_SPLIT_UNCERTAINTY if request.gpus > 1 else 0.0)
    return per_gpu, uncertainty, f"{variant.hf_id}: {total_gib:.1f} GiB {how}{split}"


def _part_gib(model: Model, variant: Variant) -> Mapping[str, float]:
    """Return the GiB of each part; what the count misses of the known total is spread over the rest."""
    kept = _COUNTED.get(id(variant))
    if kept is None or kept[0] is not variant:
        kept = (variant, _counted_gib(model, variant))
        _COUNTED[id(variant)] = kept
    return kept[1]


def _counted_gib(model: Model, variant: Variant) -> Mapping[str, float]:
    counted = parameters_of(model.architecture)
    missed = model.total_params / counted.total
    return {part: getattr(counted, part) * part_bytes(variant, part) * missed / GIB for part in _PARTS}


def _whole_gib(variant: Variant, parts: Mapping[str, float], tensor_parallel: int) -> float:
    """Return the GiB of all ranks together, without what they replicate."""
    # Padding makes some checkpoints grow with the split (gpt-oss): the next wider split seen bounds this one.
    wider = [gpus for gpus in variant.loaded_gib_per_gpu if gpus > tensor_parallel]
    known = variant.weights_gib if variant.measured else sum(parts.values())
    if not wider:
        return known
    replicated = sum(parts[part] for part in _REPLICATED) * (min(wider) - 1)
    summed = min(wider) * variant.loaded_gib_per_gpu[min(wider)] - replicated
    return max(known, summed) if variant.measured else summed


def _share_gib(request: FitRequest, parts: Mapping[str, float]) -> float:
    """Return one GPU's share: the fullest stage of a pipeline, replicated parts whole, experts spread by rank."""
    stages, parallel = request.pipeline_parallel, request.tensor_parallel
    share = _extra_heads_gib(request, parts["attention"]) / stages
    for part, gib in parts.items():
        if part in _REPLICATED:
            share += gib / stages
        elif part == "experts":
            share += gib / stages / (parallel * request.data_parallel)
        elif part not in _ENDS:
            share += gib / stages / parallel
    ends = [parts[part] / parallel for part in _ENDS]
    return share + (max(ends) if stages > 1 else sum(ends))


def _extra_heads_gib(request: FitRequest, attention_gib: float) -> float:
    """Return the GiB of key and value projections beyond the even share, where ranks outnumber KV heads."""
    architecture, parallel = request.model.architecture, request.tensor_parallel
    if parallel == 1:
        return 0.0
    beyond = 0.0
    for group in architecture.attention:
        if isinstance(group, FullAttention | SlidingWindow | ChunkedAttention) and group.kv_heads < parallel:
            beyond += group.layers * 2 * group.head_dim * (1 - group.kv_heads / parallel)
    if not beyond:
        return 0.0
    return beyond * architecture.hidden_size * attention_gib / max(1, parameters_of(architecture).attention)


def _uncertainty(model: Model, variant: Variant) -> float:
    """Return the share by which the weights may be off: least where a log or the maker's own figures tell."""
    precision = precision_named(variant.precision)
    if variant.measured or precision is None:
        return _MEASURED_UNCERTAINTY
    if variant.hf_id.endswith(")"):  # made up for a precision that the catalogue does not list
        return precision.uncertainty
    maker = variant.hf_id.partition("/")[0]
    published = maker in (model.hf_id.partition("/")[0], *_MAKERS_WITH_QUANT_CONFIG)
    return precision.uncertainty * (_PUBLISHED_SHARE if published else _COMMUNITY_SHARE)


def _draft_gib(model: Model) -> float:
    """Return the GiB of the multi-token-prediction layers: BF16, each as large as an average layer."""
    architecture: Architecture = model.architecture
    per_layer = model.total_params / architecture.layers + 2 * architecture.hidden_size**2
    return architecture.mtp_layers * per_layer * BF16_BYTES / GIB
