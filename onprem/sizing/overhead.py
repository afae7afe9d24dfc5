"""Memory that is neither weights nor KV cache: activations, sampler, encoder, CUDA graphs, context, NCCL.

Best estimates; how far they may be off is `band`'s matter. Formulas follow vLLM's profile run (one forward of a
full batch, the encoder at its largest item, then logits and sampler for all sequences); constants that no code
tells come from start-up logs and name them. Read November 2026.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from onprem.catalog import Architecture, GatedDeltaNet
from onprem.sizing.request import FitRequest
from onprem.units import GIB

_ACTIVATION_BYTES = 2  # BF16

# Copies of the hidden state alive at once, and of the gated feed-forward's width (gate, up, product).
_HIDDEN_COPIES = 4
_FEED_FORWARD_COPIES = 3

# Linear attention computes in chunks of 64 tokens and keeps one state a chunk (flash-linear-attention kernels).
_CHUNK_TOKENS = 64
_DELTA_NET_VALUE_COPIES = 4

# Sampler of the profile run, bytes per row and vocabulary entry. Up to 0.19 the logits are sorted: 38.6 to 39.2
# in logs of H100 servers at 1024 rows (gpt-oss, Qwen3, Llama 3) and of an L40S and an A10G at 256. Since 0.20
# the logits in BF16 and FP32 are all that shows (Qwen3.6-27B-FP8, H100, TP 4, vllm-project/vllm#48601: 1.54 GiB
# at 1024 rows of 248320).
_SAMPLER_BYTES_SORTING = 39
_SAMPLER_BYTES = 6
# Logs of A100 servers before 0.20 (0.10.1 and 0.19, three sources) show a third of it; no code tells why.
_SAMPLER_BYTES_A100 = 13
_A100_CAPABILITY = 8.0

# One captured batch size of one layer. GiB in logs at TP 1: 0.50 (67 sizes, 28 layers), 0.79 (51, 48), 0.52 (51,
# 36); TP 2: 0.65 (67, 28), 1.22 (51, 80); TP 4 and 8: 1.88 (67, 36), 2.04 (51, 64), 0.32 (11, 94), 3.45 (67, 94).
_GRAPH_GIB_PER_SIZE_AND_LAYER = {1: 2.9e-4, 2: 3.3e-4}
_GRAPH_GIB_PER_SIZE_AND_LAYER_WIDE = 5.5e-4

# CUDA context growth, kernels' workspaces and NCCL as "non-torch" memory in logs: 0.07 to 0.27 GiB on one GPU,
# 0.2 to 0.6 on two to four, up to 1 on eight.
_NON_TORCH_GIB = {1: 0.2, 2: 0.4, 4: 0.6}
_NON_TORCH_GIB_WIDE = 0.8

# A GPU that shares the host's memory counts what the loader and the page cache took as well.
_UNIFIED_GIB = 2.0

# A vision or audio encoder is profiled with its largest item: 1.4 to 2.3 GiB in logs of 24B- to 72B-class models.
_ENCODER_GIB = 2.0
# Towers with a small fixed image (Gemma, Llama 4) stay far below: 1.0 GiB in all on an L4 with Gemma 4 E2B.
_SMALL_ENCODER_GIB = 0.4
_SMALL_ENCODERS = ("gemma", "llama")

# Memory that vLLM's budget does not see. The driver and the context hold 0.5 GiB on a small card (an idle
# H100 showed 1.5). Graphs took up to half more than estimated (0.39 estimated, 0.58 taken). The sampler is
# warmed up with all sequences, 4 bytes a logit, after the KV cache is there. vllm-project/vllm#51590 died
# of the three: gpt-oss-120b, 8 x 32 GB, 256 sequences, utilization 0.95.
_OUTSIDE_CONTEXT_GIB = 0.5
_GRAPH_OVERRUN = 0.5
_WARM_UP_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """GiB on each GPU. The profile run's peak is the largest of its three steps, which do not overlap.

    `graphs_gib` is what is taken; `counted_graphs_gib` what vLLM takes off its budget, 0 before 0.20.
    """

    forward_gib: float
    sampler_gib: float
    encoder_gib: float
    graphs_gib: float
    counted_graphs_gib: float
    non_torch_gib: float

    @property
    def activation_gib(self) -> float:
        """The peak of the profile run."""
        return max(self.forward_gib, self.sampler_gib, self.encoder_gib)

    @property
    def total_gib(self) -> float:
        """All that counts against vLLM's budget."""
        return self.activation_gib + self.counted_graphs_gib + self.non_torch_gib


def overhead(request: FitRequest) -> Overhead:
    """Return what vLLM takes besides weights and KV cache."""
    architecture, rules = request.model.architecture, request.rules
    graphs_gib = _graphs_gib(request)
    unified_gib = _UNIFIED_GIB if _is_unified(request.accelerator) else 0.0
    hidden_gib = request.batch_tokens * architecture.hidden_size * _ACTIVATION_BYTES / GIB
    return Overhead(
        forward_gib=_forward_gib(architecture, request.tensor_parallel, request.batch_tokens),
        sampler_gib=hidden_gib + _sampler_gib(request, sorts=rules.sampler_sorts),
        encoder_gib=_encoder_gib(request),
        graphs_gib=graphs_gib,
        counted_graphs_gib=graphs_gib if rules.graphs_are_counted else 0.0,
        non_torch_gib=_non_torch_gib(request.tensor_parallel * request.pipeline_parallel) + unified_gib,
    )


def outside_budget_gib(request: FitRequest) -> float:
    """Return the GiB that must stay free outside gpu-memory-utilization for the server to come up."""
    graphs_gib = _graphs_gib(request)
    if request.rules.graphs_are_counted:
        graphs_gib *= _GRAPH_OVERRUN
    warm_up_gib = request.max_num_seqs * request.model.architecture.vocab_size * _WARM_UP_BYTES / GIB
    return _OUTSIDE_CONTEXT_GIB + graphs_gib + warm_up_gib


def captured_sizes(max_num_seqs: int, speculative_tokens: int) -> int:
    """Return how many batch sizes vLLM 0.33.0 captures: 1, 2, 4, by 8 to 248, by 16 from 256 to 512."""
    largest = min(2 * max_num_seqs * (1 + speculative_tokens), 512)
    sizes = [1, 2, 4, *range(8, 256, 8), *range(256, 513, 16)]
    return sum(size <= largest for size in sizes)


def _encoder_gib(request: FitRequest) -> float:
    if not request.has_encoder:
        return 0.0
    return _SMALL_ENCODER_GIB if request.model.family.startswith(_SMALL_ENCODERS) else _ENCODER_GIB


def _forward_gib(architecture: Architecture, tensor_parallel: int, tokens: int) -> float:
    """Return the peak of one forward pass over a full batch of tokens."""
    width = _HIDDEN_COPIES * architecture.hidden_size
    experts = architecture.experts
    if experts:
        routed = experts.per_token * math.ceil(experts.intermediate_size / tensor_parallel)
        # gate and up share their buffer with the down projection's output
        width += max(experts.per_token * architecture.hidden_size, 2 * routed) + routed
    elif architecture.intermediate_size:
        width += _FEED_FORWARD_COPIES * math.ceil(architecture.intermediate_size / tensor_parallel)
    width += max((_delta_net_width(group, tensor_parallel) for group in _delta_nets(architecture)), default=0)
    return tokens * _ACTIVATION_BYTES * width / GIB


def _delta_nets(architecture: Architecture) -> list[GatedDeltaNet]:
    return [group for group in architecture.attention if isinstance(group, GatedDeltaNet)]


def _delta_net_width(group: GatedDeltaNet, tensor_parallel: int) -> int:
    """Return the elements a token that one linear-attention layer keeps alive at once."""
    keys, values = group.key_heads * group.key_head_dim, group.value_heads * group.value_head_dim
    convolution = 2 * (2 * keys + values) + values
    states = group.value_heads * group.key_head_dim * group.value_head_dim // _CHUNK_TOKENS
    expanded = 2 * group.value_heads * group.key_head_dim
    return (convolution + states + expanded + _DELTA_NET_VALUE_COPIES * values) // tensor_parallel


def _sampler_gib(request: FitRequest, *, sorts: bool) -> float:
    rows = min(request.max_num_seqs, request.batch_tokens)
    each = _SAMPLER_BYTES
    if sorts:
        on_a100 = request.accelerator.compute_capability == _A100_CAPABILITY
        each = _SAMPLER_BYTES_A100 if on_a100 else _SAMPLER_BYTES_SORTING
    return rows * request.model.architecture.vocab_size * each / GIB


def _graphs_gib(request: FitRequest) -> float:
    if request.enforce_eager:
        return 0.0
    sizes = captured_sizes(request.max_num_seqs, request.speculative_tokens)
    layers = math.ceil(request.model.architecture.layers / request.pipeline_parallel)
    per_layer = _GRAPH_GIB_PER_SIZE_AND_LAYER.get(request.tensor_parallel, _GRAPH_GIB_PER_SIZE_AND_LAYER_WIDE)
    return sizes * layers * per_layer


def _non_torch_gib(gpus: int) -> float:
    return next((gib for most, gib in _NON_TORCH_GIB.items() if gpus <= most), _NON_TORCH_GIB_WIDE)


def _is_unified(gpu: object) -> bool:
    return getattr(gpu, "unified_memory", False) or getattr(gpu, "name", "") in ("GB10", "Jetson-AGX-Thor")
