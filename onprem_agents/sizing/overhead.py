"""Memory that is neither weights nor KV cache: activations, sampler, encoder, CUDA graphs, context, NCCL.

Best estimates; how far they may be off is `band`'s matter. Formulas follow vLLM's profile run (one forward of a
full batch, the encoder at its largest item, then logits and sampler for all sequences), read November 2026.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from onprem_agents.catalog import Accelerator, Architecture, AttentionLayers, GatedDeltaNet, KimiDelta, Mamba2
from onprem_agents.sizing.compiling import COMPILE_DOUBT_GIB, Compiling, compiles_much, compiling_of
from onprem_agents.sizing.constants import CONSTANTS, Constants
from onprem_agents.sizing.encoder import encoded_gib, encoder_gib
from onprem_agents.sizing.kv_cache import writes_checkpoints
from onprem_agents.sizing.release import ReleaseRules
from onprem_agents.sizing.request import FitRequest
from onprem_agents.sizing.runner import runs_v2, sampler_of
from onprem_agents.units import GIB

_ACTIVATION_BYTES = 2  # BF16

# Copies of the hidden state alive at once, and of the gated feed-forward's width (gate, up, product).
_HIDDEN_COPIES = 4
_FEED_FORWARD_COPIES = 3

# Linear attention computes in chunks of 64 tokens and keeps one state a chunk (flash-linear-attention kernels).
_CHUNK_TOKENS = 64
_VALUE_COPIES = 4

_DATA_CENTRE_BLACKWELL = 10
_LARGEST_GRAPH = 512

# By which steps of the profile run may be off: passes over a batch, and the sampler, whose tensors vLLM's code tells
# (sorts took 38.6 to 39.2 bytes where 39 are said).
_SHARE_OF_PASS, _SHARE_OF_SAMPLER = 0.2, 0.05

# Memory that vLLM's budget does not see. The driver and the context hold 0.5 GiB on a small card (an idle
# H100 showed 1.5), with NCCL twice that. Graphs took up to half more than estimated (0.39 estimated, 0.58
# taken). The sampler is warmed up with all sequences, 4 bytes a logit, after the KV cache is there.
# vllm-project/vllm#51590 died of the three: gpt-oss-120b, 8 x 32 GB, 256 sequences, utilization 0.95.
_OUTSIDE_CONTEXT_GIB, _OUTSIDE_CONTEXT_TOGETHER_GIB = 0.5, 1.0
_GRAPH_OVERRUN = 0.5
_WARM_UP_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """GiB on each GPU. The profile run's peak is the largest of its four steps, which do not overlap.

    `compiling` is one of them, `encoded_gib` what the encoder's step leaves alive in the next two. `graphs_gib` is what
    is taken; `counted_graphs_gib` what vLLM takes off its budget. `buffers_gib` is what the model runner keeps for good
    and vLLM counts. The context takes `context_gib` and a share of the GPU's memory. `outside_gib` must stay free
    outside that budget for the server to come up, `least_outside_gib` of it without doubt.
    """

    forward_gib: float
    compiling: Compiling
    sampler_gib: float
    most_sampler_gib: float
    encoder_gib: float
    encoded_gib: float
    graphs_gib: float
    counted_graphs_gib: float
    buffers_gib: float
    context_gib: float
    context_share: float
    gpu_gib: float
    outside_gib: float
    least_outside_gib: float

    @cached_property
    def activation_gib(self) -> float:
        """The peak of the profile run."""
        return max(self.compiling.high_gib, self._steps_gib(self.sampler_gib))

    @cached_property
    def activation_ends_gib(self) -> tuple[float, float, float, float]:
        """The peak at its least, where what is not told is for us and against us, and at its most."""
        compiling = self.compiling
        return (
            max(compiling.low_gib - COMPILE_DOUBT_GIB, self._steps_gib(self.sampler_gib, -1)),
            max(compiling.low_gib, self._steps_gib(self.sampler_gib)),
            max(compiling.high_gib, self._steps_gib(self.most_sampler_gib)),
            max(compiling.high_gib + COMPILE_DOUBT_GIB, self._steps_gib(self.most_sampler_gib, 1)),
        )

    def _steps_gib(self, sampler_gib: float, off: int = 0) -> float:
        """Return the peak of the steps but compiling; `off` is -1 at the least and 1 at the most that they may take."""
        by_pass, by_sampler = 1 + off * _SHARE_OF_PASS, 1 + off * _SHARE_OF_SAMPLER
        text_gib = max(by_pass * self.forward_gib, by_sampler * sampler_gib) + self.encoded_gib
        return max(text_gib, by_pass * self.encoder_gib)

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
        return self.activation_gib + self.counted_graphs_gib + self.buffers_gib + self.context_on(gpu_gib)


def overhead(request: FitRequest, constants: Constants = CONSTANTS) -> Overhead:
    """Return what vLLM takes besides weights and KV cache."""
    architecture, rules = request.model.architecture, request.rules
    graphs_gib = _graphs_gib(request, constants)
    counted = rules.memory.v2_counts_graphs if runs_v2(request) else rules.graphs_are_counted
    compiling = compiling_of(request, constants)
    context_gib = compiling.left_high_gib + constants.context_gib(
        request.tensor_parallel * request.pipeline_parallel, recent=rules.graphs_are_counted
    )
    if request.accelerator.unified_memory:
        context_gib += constants.unified_gib
    hidden_gib = request.batch_tokens * architecture.hidden_size * _ACTIVATION_BYTES / GIB
    sampler, rows = sampler_of(request), min(request.max_num_seqs, request.batch_tokens)
    buffers_gib = request.max_num_seqs * architecture.vocab_size * sampler.kept_bytes / GIB
    return Overhead(
        forward_gib=_forward_gib(architecture, request.tensor_parallel, request.batch_tokens),
        compiling=compiling,
        sampler_gib=hidden_gib + rows * architecture.vocab_size * sampler.bytes / GIB,
        most_sampler_gib=hidden_gib + rows * architecture.vocab_size * sampler.most_bytes / GIB,
        encoder_gib=encoder_gib(request),
        encoded_gib=encoded_gib(request),
        graphs_gib=graphs_gib,
        counted_graphs_gib=constants.graph_estimate * graphs_gib if counted else 0.0,
        buffers_gib=buffers_gib if rules.memory.reads_device_memory else 0.0,
        context_gib=context_gib,
        context_share=constants.context_growth_share if rules.graphs_are_counted else 0.0,
        gpu_gib=request.accelerator.total_gib,
        outside_gib=_outside_gib(
            request,
            graphs_gib=_GRAPH_OVERRUN * graphs_gib if counted else graphs_gib,
            buffers_gib=0.0 if rules.memory.reads_device_memory else buffers_gib,
        ),
        least_outside_gib=_outside_context_gib(request),
    )


class Traits(NamedTuple):
    """All of a GPU but its size that overhead and KV cache depend on.

    Whether the host shares its memory, whether it captures larger graphs, whether delta nets write checkpoints, whether
    much is compiled for it on the spot.
    """

    unified_memory: bool
    larger_graphs: bool
    writes_checkpoints: bool
    compiles_much: bool


def traits_of(accelerator: Accelerator, rules: ReleaseRules) -> Traits:
    """Return those traits of an accelerator under the rules of a release."""
    return Traits(
        unified_memory=accelerator.unified_memory,
        larger_graphs=_largest_graph(accelerator, rules) > _LARGEST_GRAPH,
        writes_checkpoints=writes_checkpoints(accelerator, rules),
        compiles_much=compiles_much(accelerator),
    )


def captured_sizes(max_num_seqs: int, speculative_tokens: int, ceiling: int = _LARGEST_GRAPH) -> int:
    """Return how many batch sizes vLLM 0.33.0 captures: 1, 2, 4, by 8 to 248, by 16 from 256 to the ceiling."""
    largest = min(2 * max_num_seqs * (1 + speculative_tokens), ceiling)
    if largest >= 256:  # noqa: PLR2004 - the step changes there
        return 34 + (largest - 256) // 16 + 1
    return sum(size <= largest for size in (1, 2, 4)) + largest // 8


def _largest_graph(accelerator: Accelerator, rules: ReleaseRules) -> int:
    """Return the largest batch that is captured (vLLM 0.28.0, config/vllm.py, default_max_graph_size)."""
    if int(accelerator.compute_capability) == _DATA_CENTRE_BLACKWELL:
        return rules.memory.largest_graph_blackwell
    return _LARGEST_GRAPH


def _outside_gib(request: FitRequest, *, graphs_gib: float, buffers_gib: float) -> float:
    """Return what vLLM takes beside its budget: context, graphs and buffers that it did not count, sampler warm-up."""
    warm_up_gib = request.max_num_seqs * request.model.architecture.vocab_size * _WARM_UP_BYTES / GIB
    return _outside_context_gib(request) + graphs_gib + buffers_gib + warm_up_gib


def _outside_context_gib(request: FitRequest) -> float:
    return _OUTSIDE_CONTEXT_TOGETHER_GIB if request.gpus > 1 else _OUTSIDE_CONTEXT_GIB


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


def _graphs_gib(request: FitRequest, constants: Constants) -> float:
    if request.enforce_eager:
        return 0.0
    ceiling = min(_largest_graph(request.accelerator, request.rules), request.batch_tokens)
    sizes = captured_sizes(request.max_num_seqs, request.speculative_tokens, ceiling)
    layers = math.ceil(request.model.architecture.layers / request.pipeline_parallel)
    return sizes * layers * constants.graph_gib(request.tensor_parallel)
