"""Bytes of weights on one GPU: what a log showed where there is one, else computed with an allowance."""

from __future__ import annotations

from onprem.catalog import Model, Variant
from onprem.units import GIB

# Computed sizes leave out MTP layers and padding; logs showed 0.8 to 4.6 % more (Gemma 4 26B-A4B, 31B NVFP4,
# Qwen3.6-27B-FP8 in vllm-project/vllm#48601). Read November 2026.
COMPUTED_ALLOWANCE = 0.06

# Norms, routers and key/value projections of replicated heads lie on every rank. Logs at TP 2 to 8 showed
# up to 2 % above the even split (Qwen3-30B-A3B-FP8 on 4 x L4, Qwen3-235B-FP8 on 8 x L40S). Read November
# 2026.
REPLICATION_ALLOWANCE = 0.02

_DRAFT_BYTES_PER_PARAM = 2  # multi-token-prediction layers stay in BF16 in the quantised checkpoints too


def weights_gib(
    model: Model, variant: Variant, *, tensor_parallel: int, speculative_tokens: int = 0
) -> float:
    """Return GiB of weights on each GPU; all experts are resident."""
    per_gpu = _loaded_gib(variant, tensor_parallel)
    if speculative_tokens:
        per_gpu += _draft_gib(model) / tensor_parallel * (1 + REPLICATION_ALLOWANCE)
    return per_gpu


def weights_explanation(variant: Variant, *, tensor_parallel: int) -> str:
    """Return where the figure comes from, for the report."""
    if tensor_parallel in variant.loaded_gib_per_gpu or (tensor_parallel == 1 and variant.measured):
        return f"{variant.hf_id}: seen in a log ({variant.source.where})"
    kind = "seen on one GPU" if variant.measured else f"computed, plus {COMPUTED_ALLOWANCE:.0%}"
    split = f", split {tensor_parallel} ways plus {REPLICATION_ALLOWANCE:.0%}" if tensor_parallel > 1 else ""
    return f"{variant.hf_id}: {variant.weights_gib} GiB {kind}{split}"


def _loaded_gib(variant: Variant, tensor_parallel: int) -> float:
    if tensor_parallel in variant.loaded_gib_per_gpu:
        return variant.loaded_gib_per_gpu[tensor_parallel]
    total = variant.weights_gib * (1 if variant.measured else 1 + COMPUTED_ALLOWANCE)
    if tensor_parallel == 1:
        return total
    # Padding makes some checkpoints grow with the split (gpt-oss): the next wider split seen bounds this one.
    wider = [gpus for gpus in variant.loaded_gib_per_gpu if gpus > tensor_parallel]
    if wider:
        total = max(total, min(wider) * variant.loaded_gib_per_gpu[min(wider)])
    return total / tensor_parallel * (1 + REPLICATION_ALLOWANCE)


def _draft_gib(model: Model) -> float:
    """Return the GiB of the multi-token-prediction layers, taken as large as an average layer."""
    architecture = model.architecture
    per_layer = model.total_params / architecture.layers + 2 * architecture.hidden_size**2
    return architecture.mtp_layers * per_layer * _DRAFT_BYTES_PER_PARAM / GIB
