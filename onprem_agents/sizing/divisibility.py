"""Which tensor-parallel sizes vLLM accepts for a model.

Source: vLLM 0.33.0, the checks of attention heads against the parallel configuration and of quantisation
blocks in the linear layers, read November 2026.
"""

from __future__ import annotations

from onprem_agents.catalog import (
    Accelerator,
    AttentionLayers,
    CompressedAttention,
    GatedDeltaNet,
    KimiDelta,
    LatentAttention,
    Mamba2,
    Model,
    Variant,
)


def candidate_tensor_parallel(model: Model, accelerator: Accelerator, gpus_per_node: int) -> tuple[int, ...]:
    """Return the sizes up to `gpus_per_node` that shard the attention, smallest first.

    Empty when no variant of the model runs on that GPU. Whether one variant shards at a size is
    `tensor_parallel_problems`' answer.
    """
    if not any(accelerator.runs(variant) for variant in model.variants):
        return ()
    return attention_sizes(model, most_gpus_together(accelerator, gpus_per_node))


def most_gpus_together(accelerator: Accelerator, gpus: int) -> int:
    """Return how many of that many GPUs can share one model: no two MIG slices can.

    Source: NVIDIA Multi-Instance GPU user guide, application considerations (no peer-to-peer between instances, so
    no NCCL), read November 2026.
    """
    return gpus if accelerator.mig is None else min(1, gpus)


def attention_sizes(model: Model, gpus: int) -> tuple[int, ...]:
    """Return the sizes up to `gpus` that shard the attention whatever the GPU, smallest first."""
    return tuple(size for size in range(1, gpus + 1) if not _attention_problems(model, size))


def needs_expert_parallel(model: Model, variant: Variant, tensor_parallel: int) -> bool:
    """True where a rank's slice of an expert would cut a quantisation block, so experts must stay whole."""
    experts = model.architecture.experts
    if experts is None or variant.weight_block is None or tensor_parallel <= 1:
        return False
    return not _divides(experts.intermediate_size, tensor_parallel, variant.weight_block)


def tensor_parallel_problems(model: Model, variant: Variant, tensor_parallel: int) -> tuple[str, ...]:
    """Return why this variant cannot be sharded over that many GPUs; empty when it can."""
    if tensor_parallel < 1:
        return (f"tensor parallel {tensor_parallel} is not a number of GPUs",)
    problems = _attention_problems(model, tensor_parallel)
    architecture = model.architecture
    dense = architecture.intermediate_size
    block = variant.weight_block or 1
    if dense and dense % tensor_parallel:
        problems.append(f"feed-forward width {dense} is not divisible by {tensor_parallel} GPUs")
    elif dense and not _divides(dense, tensor_parallel, block):
        problems.append(
            f"feed-forward width {dense} / {tensor_parallel} GPUs is not a multiple of {block}, the block of "
            f"{variant.hf_id}"
        )
    experts = architecture.experts
    if experts and needs_expert_parallel(model, variant, tensor_parallel) and experts.count % tensor_parallel:
        problems.append(f"{experts.count} experts cannot be spread evenly over {tensor_parallel} GPUs")
    if (
        experts
        and not needs_expert_parallel(model, variant, tensor_parallel)
        and experts.intermediate_size % tensor_parallel
    ):
        problems.append(
            f"expert width {experts.intermediate_size} is not divisible by {tensor_parallel} GPUs"
        )
    return tuple(problems)


def _attention_problems(model: Model, tensor_parallel: int) -> list[str]:
    architecture = model.architecture
    problems = []
    if architecture.attention_heads % tensor_parallel:
        problems.append(
            f"{architecture.attention_heads} attention heads cannot be split over {tensor_parallel} GPUs"
        )
    problems += [
        f"{_heads(group)} cannot be split or replicated over {tensor_parallel} GPUs"
        for group in architecture.attention
        if _is_uneven(group, tensor_parallel)
    ]
    return problems


def _is_uneven(group: AttentionLayers, tensor_parallel: int) -> bool:
    """Return whether what is split of a layer group does not come out even."""
    if isinstance(group, LatentAttention | CompressedAttention):
        return False
    if isinstance(group, GatedDeltaNet):
        return bool(group.key_heads % tensor_parallel or group.value_heads % tensor_parallel)
    if isinstance(group, KimiDelta | Mamba2):
        return bool(group.heads % tensor_parallel)
    few, many = sorted((group.kv_heads, tensor_parallel))  # fewer heads than GPUs are replicated
    return bool(many % few)


def _heads(group: AttentionLayers) -> str:
    """Return in words what is split of a layer group."""
    if isinstance(group, LatentAttention | CompressedAttention):
        return "the one compressed head"
    if isinstance(group, GatedDeltaNet):
        return f"{group.key_heads} key and {group.value_heads} value heads of linear attention"
    if isinstance(group, KimiDelta | Mamba2):
        return f"{group.heads} heads of the {group.kind} layers"
    return f"{group.kv_heads} KV heads of the {group.kind} layers"


def _divides(width: int, tensor_parallel: int, block: int) -> bool:
    return width % tensor_parallel == 0 and (tensor_parallel == 1 or width // tensor_parallel % block == 0)
