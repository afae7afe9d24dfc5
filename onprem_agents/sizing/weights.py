"""Bytes of weights on one GPU: what a log showed where there is one, else counted from the architecture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from onprem_agents.catalog import (
    Accelerator,
    Architecture,
    ChunkedAttention,
    FullAttention,
    LatentAttention,
    Model,
    SlidingWindow,
    Variant,
    parameters_of,
)
from onprem_agents.sizing.precision import BF16_BYTES, part_bytes, precision_named
from onprem_agents.sizing.request import FitRequest
from onprem_agents.sizing.towers import batch_buffers_gib, logged_tower_gib, tower_gib
from onprem_agents.units import GIB

# A figure of a log is printed with two digits, and loaders differ by about this much for one checkpoint.
_MEASURED_UNCERTAINTY = 0.01
# A measured sum split by tensor parallelism: kernels pad, small layers are replicated.
_SPLIT_UNCERTAINTY = 0.01
# Of what a checkpoint from an unknown maker may differ by, this much is left where the maker says which parts it
# keeps, and where it is one of the community's.
_PUBLISHED_SHARE, _COMMUNITY_SHARE = 0.4, 0.8
# INT4 of dense models with softmax attention, where the size of the groups is told: logs of seven checkpoints by five
# makers are 2.0 % above to 1.1 % below the count (Llama 3 70B twice, Qwen2.5 3B and 14B, Mistral Small 24B, Gemma 4 12B
# and E4B).
_AGREED_UNCERTAINTY = 0.02
MAKERS_WITH_QUANT_CONFIG = ("nvidia",)
"""They say in hf_quant_config.json which parts are quantised, and the catalogue says it after them."""

# Parts that every tensor-parallel rank holds whole: routers, and the projections into compressed vectors.
_REPLICATED = ("routers", "latent_down")

# Widths of MXFP4 experts are padded to these multiples: the model's, and a rank's share of the experts'. Marlin
# kernels, used on all but data centre Blackwell (compute capability 10.x, there 256 both); vllm mxfp4.py, read
# November 2026.
_PADDED_HIDDEN, _PADDED_WIDTH, _PADDED_WIDTH_BLACKWELL = 256, 128, 256
_DATA_CENTRE_BLACKWELL = 10

# Small rotary tables, norms, biases and the allocator's rounding: logs of Qwen2 7B, Qwen2.5 3B and 14B, Llama 3 70B,
# Qwen3 30B and 235B show 0.03 to 0.08 GiB on each GPU beyond the matrices.
_SMALL_TENSORS_GIB = 0.05

# Parts at the two ends of a pipeline: the first stage has the table, the last one the head.
_ENDS = ("embedding", "head")
_MAKERS_DIFFER_ON = ("head", "attention", "latent_down", "linear_attention", "feed_forward", "shared_experts")
_PARTS = (
    "embedding", "head", "attention", "latent_down", "linear_attention", "feed_forward", "experts",
    "shared_experts", "routers", "vision", "extra",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Counted:
    """GiB of a checkpoint by part, bytes of one parameter of attention, share by which makers differ."""

    parts: Mapping[str, float]
    attention_bytes: float
    differing: float


# Counting a checkpoint's parts is most of the time of a ranking; a checkpoint is known by its identity.
_COUNTED: dict[int, tuple[Variant, _Counted]] = {}


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


def depends_on_gpu(variant: Variant) -> bool:
    """Return whether a checkpoint's weights differ where a GPU `pads_wide`; nothing else of it matters to any."""
    return variant.precision == "mxfp4"


def pads_wide(accelerator: Accelerator) -> bool:
    """Return whether the kernels of that GPU pad MXFP4 experts to the larger multiple."""
    return int(accelerator.compute_capability) == _DATA_CENTRE_BLACKWELL


def all_agree_on(model: Model) -> bool:
    """Return whether all makers quantise the same parts of that model to INT4: dense, with softmax attention alone."""
    return model.architecture.experts is None and not model.architecture.is_hybrid


def computed_gib(model: Model, variant: Variant) -> float:
    """Return the GiB of a whole checkpoint: its parts in their precision."""
    return sum(_counted(model, variant).parts.values())


def checkpoint_gib(model: Model, variant: Variant) -> float:
    """Return the GiB of a checkpoint's files, towers included though a log of it did not hold them."""
    left_out = _counted(model, variant).parts["vision"] if variant.measured_tower is False else 0.0
    return variant.weights_gib + left_out


def _loaded(request: FitRequest) -> tuple[float, float, str]:
    variant, parallel = request.variant, request.tensor_parallel
    plain = request.pipeline_parallel == 1 and request.data_parallel == 1
    seen = _seen(variant)
    parts = _counted(request.model, variant).parts
    tower, logged = tower_gib(request, parts["vision"]), logged_tower_gib(request, parts["vision"])
    if plain and parallel in seen:
        explanation = f"{variant.hf_id}: seen in a log ({variant.source.where})"
        if tower != logged:
            explanation += (
                f", {abs(tower - logged):.2f} GiB of image encoder {'added' if tower else 'left out'}"
            )
        return seen[parallel] - logged + tower, _MEASURED_UNCERTAINTY, explanation
    per_gpu = _share_gib(request, parts)
    if seen:  # what the count missed of the nearest split seen, it misses of this one
        nearest = min(seen, key=lambda gpus: (abs(math.log2(gpus / parallel)), gpus))
        alike = replace(request, tensor_parallel=nearest, pipeline_parallel=1, data_parallel=1)
        per_gpu *= (seen[nearest] - logged_tower_gib(alike, parts["vision"])) / _share_gib(alike, parts)
    per_gpu += tower
    how = "from a log of another split" if seen else "computed"
    split = f" on each of {request.gpus} GPUs" if request.gpus > 1 else ""
    uncertainty = _uncertainty(request.model, variant) + (_SPLIT_UNCERTAINTY if request.gpus > 1 else 0.0)
    return per_gpu, uncertainty, f"{variant.hf_id}: {per_gpu:.1f} GiB{split}, {how}"


def _seen(variant: Variant) -> Mapping[int, float]:
    """Return the GiB on each GPU by tensor-parallel size, as logs showed them."""
    whole = {1: variant.weights_gib} if variant.measured else {}
    return {**whole, **variant.loaded_gib_per_gpu}


def _counted(model: Model, variant: Variant) -> _Counted:
    """Return the parts of a checkpoint; what the count misses of the known total is spread over all."""
    kept = _COUNTED.get(id(variant))
    if kept is None or kept[0] is not variant:
        kept = (variant, _count(model, variant))
        _COUNTED[id(variant)] = kept
    return kept[1]


def _count(model: Model, variant: Variant) -> _Counted:
    counted = parameters_of(model.architecture)
    missed = model.total_params / counted.total
    params = {part: getattr(counted, part) * missed for part in _PARTS}
    parts = {part: count * part_bytes(variant, part) / GIB for part, count in params.items()}
    saved_bytes = BF16_BYTES - part_bytes(variant, "experts")
    differing_gib = sum(params[part] for part in _MAKERS_DIFFER_ON) * saved_bytes / GIB
    return _Counted(
        parts=parts,
        attention_bytes=missed * part_bytes(variant, "attention"),
        differing=differing_gib / sum(parts.values()),
    )


def _share_gib(request: FitRequest, parts: Mapping[str, float]) -> float:
    """Return one GPU's share without towers: a pipeline's fullest stage, replicated parts whole, experts by rank."""
    stages, parallel = request.pipeline_parallel, request.tensor_parallel
    share = _SMALL_TENSORS_GIB + request.model.architecture.rotary_params * BF16_BYTES / GIB
    share += batch_buffers_gib(request) + _extra_heads_gib(request) / stages
    share += _absorbed_gib(request) / stages / parallel
    for part, gib in parts.items():
        if part in _REPLICATED:
            share += gib / stages
        elif part == "experts":
            share += gib * _experts_share(request) / stages
        elif part not in (*_ENDS, "vision"):
            share += gib / stages / parallel
    ends = [parts[part] / parallel for part in _ENDS]
    return share + (max(ends) if stages > 1 else sum(ends))


def _experts_share(request: FitRequest) -> float:
    """Return the share of the experts on this GPU: whole ones with expert parallelism, else a slice of each.

    Ranks of tensor and data parallelism share them out either way (vllm fused_moe, read November 2026).
    """
    experts, ranks = request.model.architecture.experts, request.tensor_parallel * request.data_parallel
    if experts is None:
        return 0.0
    share, width = 1 / ranks, experts.intermediate_size / ranks
    if request.expert_parallel:
        share, width = math.ceil(experts.count / ranks) / experts.count, experts.intermediate_size
    if not depends_on_gpu(request.variant):
        return share
    hidden = experts.hidden_size or request.model.architecture.hidden_size
    multiple = _PADDED_WIDTH_BLACKWELL if pads_wide(request.accelerator) else _PADDED_WIDTH
    return share * _rounded_up(hidden, _PADDED_HIDDEN) * _rounded_up(width, multiple) / (hidden * width)


def _rounded_up(size: float, multiple: int) -> int:
    return math.ceil(size / multiple) * multiple


def _absorbed_gib(request: FitRequest) -> float:
    """Return the GiB of the BF16 copy of latent attention's up-projections, made where they are quantised."""
    if part_bytes(request.variant, "attention") == BF16_BYTES:
        return 0.0
    heads, elements = request.model.architecture.attention_heads, 0
    for group in request.model.architecture.attention:
        if isinstance(group, LatentAttention):
            width = group.nope_head_dim + group.value_head_dim
            elements += group.layers * group.kv_lora_rank * heads * width
    return elements * BF16_BYTES / GIB


def _extra_heads_gib(request: FitRequest) -> float:
    """Return the GiB of key and value projections beyond the even share of what the checkpoint has.

    That is where ranks outnumber KV heads, and where one projection is both: it is loaded twice (vllm gemma4.py,
    0.33.0, read November 2026).
    """
    architecture, parallel = request.model.architecture, request.tensor_parallel
    beyond = 0.0
    for group in architecture.attention:
        if isinstance(group, FullAttention | SlidingWindow | ChunkedAttention):
            held = max(1.0, group.kv_heads / parallel)
            even = group.kv_heads / parallel * (0.5 if group.shared_key_value else 1.0)
            beyond += group.layers * 2 * group.head_dim * (held - even)
    return beyond * architecture.hidden_size * _counted(request.model, request.variant).attention_bytes / GIB


def _uncertainty(model: Model, variant: Variant) -> float:
    """Return the share by which the weights may be off: least where a log or the maker's own figures tell."""
    precision = precision_named(variant.precision)
    if variant.measured or precision is None:
        return _MEASURED_UNCERTAINTY
    share = precision.uncertainty
    if precision.bytes_per_param < BF16_BYTES:
        # Experts are quantised by all; half of what the other parts would weigh more in BF16 is the middle.
        share = min(share, _counted(model, variant).differing / 2 + _MEASURED_UNCERTAINTY)
    if variant.precision == "int4" and variant.weight_block and all_agree_on(model):
        return _AGREED_UNCERTAINTY
    if variant.hf_id.endswith(")"):  # made up for a precision that the catalogue does not list
        return share
    maker = variant.hf_id.partition("/")[0]
    published = maker in (model.hf_id.partition("/")[0], *MAKERS_WITH_QUANT_CONFIG)
    return share * (_PUBLISHED_SHARE if published else _COMMUNITY_SHARE)


def _draft_gib(model: Model) -> float:
    """Return the GiB of the multi-token-prediction layers: BF16, each as large as an average layer."""
    architecture: Architecture = model.architecture
    per_layer = model.total_params / architecture.layers + 2 * architecture.hidden_size**2
    return architecture.mtp_layers * per_layer * BF16_BYTES / GIB
