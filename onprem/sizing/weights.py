"""Bytes of weights on one GPU: what a log showed where there is one, else counted from the architecture."""

from __future__ import annotations

from dataclasses import dataclass

from onprem.catalog import LatentAttention, Model, Variant
from onprem.sizing.precision import cost_of
from onprem.sizing.request import FitRequest
from onprem.units import GIB

_BF16_BYTES = 2

# A figure of a log is printed with two digits, and loaders differ by about this much for one checkpoint.
_MEASURED_UNCERTAINTY = 0.01
# A measured sum split by tensor parallelism: kernels pad, small layers are replicated.
_SPLIT_UNCERTAINTY = 0.01


@dataclass(frozen=True, kw_only=True)
class Weights:
    """GiB on each GPU, how far they may be off, and where the figure comes from."""

    gib: float
    uncertainty_gib: float
    explanation: str


def weights_of(request: FitRequest) -> Weights:
    """Return the weights that lie on each GPU, the draft layers included when they speculate."""
    model, variant = request.model, request.variant
    main_gib, uncertainty, explanation = _loaded(request)
    draft_gib = _draft_gib(model) / request.tensor_parallel if request.speculative_tokens else 0.0
    return Weights(
        gib=main_gib + draft_gib,
        uncertainty_gib=main_gib * uncertainty + draft_gib * _uncertainty(variant),
        explanation=explanation,
    )


def computed_gib(model: Model, precision: str) -> float:
    """Return the GiB of the whole checkpoint in that precision: embeddings, head, routers and towers in BF16."""
    cost = cost_of(precision)
    if cost is None:
        raise ValueError(f"unknown precision {precision}")
    kept = 0 if precision == "bf16" else _kept_params(model)
    return ((model.total_params - kept) * cost.bytes_per_param + kept * _BF16_BYTES) / GIB


def _loaded(request: FitRequest) -> tuple[float, float, str]:
    variant, parallel = request.variant, request.tensor_parallel
    plain = request.pipeline_parallel == 1 and request.data_parallel == 1
    seen = variant.loaded_gib_per_gpu.get(parallel) if plain else None
    if seen is None and plain and parallel == 1 and variant.measured:
        seen = variant.weights_gib
    if seen is not None:
        return seen, _MEASURED_UNCERTAINTY, f"{variant.hf_id}: seen in a log ({variant.source.where})"
    total_gib = _whole_gib(variant, parallel)
    per_gpu = _share_gib(request, total_gib)
    how = "seen in a log" if variant.measured else "computed"
    split = f", split over {request.gpus} GPUs" if request.gpus > 1 else ""
    uncertainty = _uncertainty(variant) + (_SPLIT_UNCERTAINTY if request.gpus > 1 else 0.0)
    return per_gpu, uncertainty, f"{variant.hf_id}: {total_gib:.1f} GiB {how}{split}"


def _whole_gib(variant: Variant, tensor_parallel: int) -> float:
    # Padding makes some checkpoints grow with the split (gpt-oss): the next wider split seen bounds this one.
    wider = [gpus for gpus in variant.loaded_gib_per_gpu if gpus > tensor_parallel]
    if not wider:
        return variant.weights_gib
    return max(variant.weights_gib, min(wider) * variant.loaded_gib_per_gpu[min(wider)])


def _share_gib(request: FitRequest, total_gib: float) -> float:
    """Return one GPU's share: replicated parts whole, the fullest stage of a pipeline, experts spread by rank."""
    per_param = total_gib / request.model.total_params
    replicated_gib = _replicated_params(request.model) * per_param / request.pipeline_parallel
    experts_gib = _expert_params(request.model) * per_param
    ends_gib = 2 * _table_params(request.model) * _BF16_BYTES / GIB if request.pipeline_parallel > 1 else 0.0
    dense_gib = max(0.0, total_gib - experts_gib - ends_gib)
    stages, parallel = request.pipeline_parallel, request.tensor_parallel
    spread = parallel * request.data_parallel
    largest_end_gib = ends_gib / 2 / parallel
    split_gib = (dense_gib / stages - replicated_gib) / parallel + replicated_gib
    return split_gib + experts_gib / stages / spread + largest_end_gib


def _uncertainty(variant: Variant) -> float:
    if variant.measured:
        return _MEASURED_UNCERTAINTY
    cost = cost_of(variant.precision)
    return cost.uncertainty if cost is not None else _MEASURED_UNCERTAINTY


def _table_params(model: Model) -> int:
    return model.architecture.vocab_size * model.architecture.hidden_size


def _router_params(model: Model) -> int:
    architecture = model.architecture
    return architecture.layers * architecture.hidden_size * architecture.experts.count if architecture.experts else 0


def _expert_params(model: Model) -> int:
    architecture = model.architecture
    experts = architecture.experts
    if experts is None:
        return 0
    counted = architecture.layers * experts.count * 3 * architecture.hidden_size * experts.intermediate_size
    return min(counted, model.total_params - 2 * _table_params(model))


def _kept_params(model: Model) -> int:
    """Return the parameters that quantised checkpoints leave in BF16: embeddings, head, routers, towers."""
    return 2 * _table_params(model) + _router_params(model)


def _replicated_params(model: Model) -> int:
    """Return the parameters that every rank holds: routers and the down-projections of latent attention."""
    architecture = model.architecture
    latent = sum(
        group.layers * architecture.hidden_size * (group.kv_lora_rank + group.rope_head_dim)
        for group in architecture.attention
        if isinstance(group, LatentAttention)
    )
    return latent + _router_params(model)


def _draft_gib(model: Model) -> float:
    """Return the GiB of the multi-token-prediction layers: BF16, each as large as an average layer."""
    architecture = model.architecture
    per_layer = model.total_params / architecture.layers + 2 * architecture.hidden_size**2
    return architecture.mtp_layers * per_layer * _BF16_BYTES / GIB
