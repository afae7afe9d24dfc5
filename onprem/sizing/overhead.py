"""Memory that is neither weights nor KV cache: activations, CUDA graphs, context, headroom.

Formulas and figures: vLLM 0.33.0's memory profiling, set against public start-up logs, read November 2026.
Each constant lies at the upper end of what the logs showed, so that the rest is never overestimated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from onprem.catalog import Architecture
from onprem.units import GIB

_ACTIVATION_BYTES = 2  # BF16

# Copies of hidden and feed-forward activations alive at once in the profile run (computed from the layers'
# code).
_HIDDEN_COPIES = 4
_FEED_FORWARD_COPIES = 3
_ROUTED_HIDDEN_COPIES = 2

# Linear-attention kernels keep more temporaries: Qwen3.8-27B-FP8 on two RTX 3090 with batches of 8192
# tokens had 2.4 GiB of overhead where the plain count gives 1.9 (mitchross/talos-argocd-proxmox#1995).
_HYBRID_FACTOR = 2

# Sampler buffers of the profile run: 38.6 to 39.2 bytes per row and vocabulary entry in logs of H100
# servers at 1024 rows (gpt-oss 7.4, Qwen3 5.6, Llama 3 4.8 GiB) and of an L40S at 256 rows (Qwen3-235B 1.4
# GiB).
_SAMPLER_BYTES = 40

# One captured batch size costs up to 0.024 GiB on one GPU (7 sizes 0.17, 51 sizes 0.79) and about twice
# that with communication buffers (TP 4: 51 sizes 2.04; TP 8: 67 sizes 3.45).
_GRAPH_GIB_PER_SIZE = 0.026
_GRAPH_TENSOR_PARALLEL_FACTOR = 2

# CUDA context, kernels' workspaces and NCCL: 0.6 GiB alone (vllm-project/vllm#48601), 1 to 2 with tensor
# parallel.
_NON_TORCH_GIB = {1: 0.6, 2: 1.0, 4: 1.5}
_NON_TORCH_GIB_WIDE = 2.0

# A vision or audio encoder is profiled with its largest item: 1.4 to 2.3 GiB more on 27B-class models.
_ENCODER_GIB = 2.0

# Memory that vLLM's budget does not see. The driver and the context hold 0.5 GiB on a small card (an idle
# H100 showed 1.5). Graphs took up to half more than estimated (0.39 estimated, 0.58 taken). The sampler is
# warmed up with all sequences, 4 bytes a logit, after the KV cache is there. vllm-project/vllm#51590 died
# of the three: gpt-oss-120b, 8 x 32 GB, 256 sequences, utilization 0.95.
_OUTSIDE_CONTEXT_GIB = 0.5
_GRAPH_OVERRUN = 0.5
_WARM_UP_BYTES = 4

# Left free on top of all estimates. vLLM keeps 150 MiB back in its own advice, and refusals in public logs
# missed by 0.02 to 0.75 GiB (club-3090#35: 2.43 against 2.40; eugr/spark-vllm-docker#396: 23.25 against
# 22.5).
HEADROOM_GIB = 0.5
HEADROOM_SHARE = 0.02
HEADROOM = f"{HEADROOM_GIB} GiB and {HEADROOM_SHARE:.0%} of the GPU's memory"


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """GiB on each GPU."""

    activation_gib: float
    graphs_gib: float
    non_torch_gib: float
    encoder_gib: float
    headroom_gib: float


def overhead(
    architecture: Architecture,
    *,
    gpu_total_gib: float,
    tensor_parallel: int,
    max_num_seqs: int,
    max_num_batched_tokens: int,
    speculative_tokens: int,
    has_encoder: bool,
    enforce_eager: bool,
) -> Overhead:
    """Return what vLLM takes besides weights and KV cache. `has_encoder`: an encoder is loaded."""
    return Overhead(
        activation_gib=_forward_gib(architecture, tensor_parallel, max_num_batched_tokens)
        + _sampler_gib(architecture, min(max_num_seqs, max_num_batched_tokens)),
        graphs_gib=0.0 if enforce_eager else _graphs_gib(tensor_parallel, max_num_seqs, speculative_tokens),
        non_torch_gib=next(
            (gib for gpus, gib in _NON_TORCH_GIB.items() if tensor_parallel <= gpus), _NON_TORCH_GIB_WIDE
        ),
        encoder_gib=_ENCODER_GIB if has_encoder else 0.0,
        headroom_gib=HEADROOM_GIB + HEADROOM_SHARE * gpu_total_gib,
    )


def outside_budget_gib(
    architecture: Architecture,
    *,
    tensor_parallel: int,
    max_num_seqs: int,
    speculative_tokens: int,
    enforce_eager: bool,
) -> float:
    """Return the GiB that must stay free outside gpu-memory-utilization for the server to come up."""
    graphs_gib = 0.0 if enforce_eager else _graphs_gib(tensor_parallel, max_num_seqs, speculative_tokens)
    warm_up_gib = max_num_seqs * architecture.vocab_size * _WARM_UP_BYTES / GIB
    return _OUTSIDE_CONTEXT_GIB + _GRAPH_OVERRUN * graphs_gib + warm_up_gib


def captured_sizes(max_num_seqs: int, speculative_tokens: int) -> int:
    """Return how many batch sizes vLLM 0.33.0 captures: 1, 2, 4, by 8 to 248, by 16 from 256 to 512."""
    largest = min(2 * max_num_seqs * (1 + speculative_tokens), 512)
    sizes = [1, 2, 4, *range(8, 256, 8), *range(256, 513, 16)]
    return sum(size <= largest for size in sizes)


def _forward_gib(architecture: Architecture, tensor_parallel: int, tokens: int) -> float:
    """Return the peak of one forward pass over a full batch of tokens."""
    width = _HIDDEN_COPIES * architecture.hidden_size
    experts = architecture.experts
    if experts:
        routed = experts.per_token * math.ceil(experts.intermediate_size / tensor_parallel)
        width += _FEED_FORWARD_COPIES * routed
        width += _ROUTED_HIDDEN_COPIES * experts.per_token * architecture.hidden_size
    if architecture.intermediate_size:
        width += _FEED_FORWARD_COPIES * math.ceil(architecture.intermediate_size / tensor_parallel)
    factor = _HYBRID_FACTOR if architecture.is_hybrid else 1
    return tokens * _ACTIVATION_BYTES * width * factor / GIB


def _sampler_gib(architecture: Architecture, rows: int) -> float:
    return rows * architecture.vocab_size * _SAMPLER_BYTES / GIB


def _graphs_gib(tensor_parallel: int, max_num_seqs: int, speculative_tokens: int) -> float:
    factor = _GRAPH_TENSOR_PARALLEL_FACTOR if tensor_parallel > 1 else 1
    return captured_sizes(max_num_seqs, speculative_tokens) * _GRAPH_GIB_PER_SIZE * factor
