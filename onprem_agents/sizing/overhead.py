"""Memory that is neither weights nor KV cache: activations, sampler, encoder, CUDA graphs, context, NCCL.

Best estimates; how far they may be off is `band`'s matter. Formulas follow vLLM's profile run (one forward of a
full batch, the encoder at its largest item, then logits and sampler for all sequences), read November 2026.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from onprem_agents.catalog import Accelerator, Architecture, AttentionLayers, GatedDeltaNet, KimiDelta, Mamba2
from onprem_agents.sizing.constants import CONSTANTS, Constants
from onprem_agents.sizing.encoder import encoder_gib
from onprem_agents.sizing.release import ReleaseRules
from onprem_agents.sizing.request import FitRequest
from onprem_agents.units import GIB

_ACTIVATION_BYTES = 2  # BF16

# Copies of the hidden state alive at once, and of the gated feed-forward's width (gate, up, product).
_HIDDEN_COPIES = 4
_FEED_FORWARD_COPIES = 3

# Linear attention computes in chunks of 64 tokens and keeps one state a chunk (flash-linear-attention kernels).
_CHUNK_TOKENS = 64
_VALUE_COPIES = 4

_A100_CAPABILITY = 8.0

# Memory that vLLM's budget does not see. The driver and the context hold 0.5 GiB on a small card (an idle
# H100 showed 1.5), with NCCL twice that. Graphs took up to half more than estimated (0.39 estimated, 0.58
# taken). The sampler is warmed up with all sequences, 4 bytes a logit, after the KV cache is there.
# vllm-project/vllm#51590 died of the three: gpt-oss-120b, 8 x 32 GB, 256 sequences, utilization 0.95.
_OUTSIDE_CONTEXT_GIB, _OUTSIDE_CONTEXT_TOGETHER_GIB = 0.5, 1.0
_GRAPH_OVERRUN = 0.5
_WARM_UP_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """GiB on each GPU. The profile run's peak is the largest of its three steps, which do not overlap.

    `graphs_gib` is what is taken; `counted_graphs_gib` what vLLM takes off its budget, 0 before 0.20. The context takes
    `context_gib` and a share of the GPU's memory. `outside_gib` must stay free outside that budget for the server to
    come up.
    """

    forward_gib: float
    sampler_gib: float
    encoder_gib: float
    graphs_gib: float
    counted_graphs_gib: float
    context_gib: float
    context_share: float
    gpu_gib: float
    outside_gib: float

    @cached_property
    def activation_gib(self) -> float:
        """The peak of the profile run."""
        return max(self.forward_gib, self.sampler_gib, self.encoder_gib)

    @property
    def non_torch_gib(self) -> float:
        """Context, kernels' workspaces and NCCL on the GPU that was asked about."""
        return self.context_on(self.gpu_gib)

    @property
    def total_gib(self) -> float:
        """All that counts against vLLM's budget on the GPU that was asked about."""
        return self.total_on(self.gpu_gib)

    def context_on(self, gpu_gib: float) -> float:
        """Return what the context takes on another GPU, which differs in its memory alone."""
        return self.context_gib + self.context_share * gpu_gib

    def total_on(self, gpu_gib: float) -> float:
        """Return all that counts against vLLM's budget on such a GPU."""
        return self.activation_gib + self.counted_graphs_gib + self.context_on(gpu_gib)


def overhead(request: FitRequest, constants: Constants = CONSTANTS) -> Overhead:
    """Return what vLLM takes besides weights and KV cache."""
    architecture = request.model.architecture
    graphs_gib = _graphs_gib(request, constants)
    context_gib = constants.context_gib(request.tensor_parallel * request.pipeline_parallel)
    shares_memory, _ = traits_of(request.accelerator, request.rules)
    if shares_memory:
        context_gib += constants.unified_gib
    hidden_gib = request.batch_tokens * architecture.hidden_size * _ACTIVATION_BYTES / GIB
    return Overhead(
        forward_gib=_forward_gib(architecture, request.tensor_parallel, request.batch_tokens),
        sampler_gib=hidden_gib + _sampler_gib(request, constants),
        encoder_gib=encoder_gib(request),
        graphs_gib=graphs_gib,
        counted_graphs_gib=graphs_gib if request.rules.graphs_are_counted else 0.0,
        context_gib=context_gib,
        context_share=constants.context_growth_share if request.rules.graphs_are_counted else 0.0,
        gpu_gib=request.accelerator.total_gib,
        outside_gib=_outside_gib(request, graphs_gib),
    )


def traits_of(accelerator: Accelerator, rules: ReleaseRules) -> tuple[bool, bool]:
    """Return all of a GPU but its size that `overhead` depends on: the host shares its memory, it sorts as an A100."""
    on_a100 = accelerator.compute_capability == _A100_CAPABILITY
    return accelerator.unified_memory, rules.sampler_sorts and on_a100


def captured_sizes(max_num_seqs: int, speculative_tokens: int) -> int:
    """Return how many batch sizes vLLM 0.33.0 captures: 1, 2, 4, by 8 to 248, by 16 from 256 to 512."""
    largest = min(2 * max_num_seqs * (1 + speculative_tokens), 512)
    if largest >= 256:  # noqa: PLR2004 - the step changes there
        return 34 + (largest - 256) // 16 + 1
    return sum(size <= largest for size in (1, 2, 4)) + largest // 8


def _outside_gib(request: FitRequest, graphs_gib: float) -> float:
    if request.rules.graphs_are_counted:
        graphs_gib *= _GRAPH_OVERRUN
    warm_up_gib = request.max_num_seqs * request.model.architecture.vocab_size * _WARM_UP_BYTES / GIB
    context_gib = _OUTSIDE_CONTEXT_TOGETHER_GIB if request.gpus > 1 else _OUTSIDE_CONTEXT_GIB
    return context_gib + graphs_gib + warm_up_gib


def _forward_gib(architecture: Architecture, tensor_parallel: int, tokens: int) -> float:
    """Return the peak of one forward pass over a full batch of tokens."""
    width = _HIDDEN_COPIES * architecture.hidden_size
    experts = architecture.experts
    if experts:
        hidden = experts.hidden_size or architecture.hidden_size
        routed = experts.per_token * math.ceil(experts.intermediate_size / tensor_parallel)
        # gate and up share their buffer with the down projection's output
        width += max(experts.per_token * hidden, 2 * routed) + routed
        width += _FEED_FORWARD_COPIES * experts.shared_intermediate_size // tensor_parallel
    elif architecture.intermediate_size:
        width += _FEED_FORWARD_COPIES * math.ceil(architecture.intermediate_size / tensor_parallel)
    width += max(_linear_width(group) for group in architecture.attention) // tensor_parallel
    return tokens * _ACTIVATION_BYTES * width / GIB


def _linear_width(group: AttentionLayers) -> int:
    """Return the elements a token that one linear-attention layer keeps alive at once, 0 for other kinds."""
    if isinstance(group, GatedDeltaNet):
        keys, values = group.key_heads * group.key_head_dim, group.value_heads * group.value_head_dim
        expanded = 2 * group.value_heads * group.key_head_dim
        state = group.value_heads * group.key_head_dim * group.value_head_dim
    elif isinstance(group, KimiDelta):
        keys = values = expanded = group.heads * group.head_dim
        state = group.heads * group.head_dim * group.head_dim
    elif isinstance(group, Mamba2):
        keys, values, expanded = group.groups * group.state_size, group.heads * group.head_dim, 0
        state = group.heads * group.head_dim * group.state_size
    else:
        return 0
    convolution = 2 * (2 * keys + values) + values
    return convolution + state // _CHUNK_TOKENS + expanded + _VALUE_COPIES * values


def _sampler_gib(request: FitRequest, constants: Constants) -> float:
    rows = min(request.max_num_seqs, request.batch_tokens)
    each = constants.sampler_bytes
    if request.rules.sampler_sorts:
        _, on_a100 = traits_of(request.accelerator, request.rules)
        each = constants.sampler_a100_bytes if on_a100 else constants.sampler_sorting_bytes
    return rows * request.model.architecture.vocab_size * each / GIB


def _graphs_gib(request: FitRequest, constants: Constants) -> float:
    if request.enforce_eager:
        return 0.0
    sizes = captured_sizes(request.max_num_seqs, request.speculative_tokens)
    layers = math.ceil(request.model.architecture.layers / request.pipeline_parallel)
    return sizes * layers * constants.graph_gib(request.tensor_parallel)
