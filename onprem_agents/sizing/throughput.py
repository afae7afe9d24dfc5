"""Upper bounds of speed: decode by memory bandwidth, prefill by arithmetic. No server is faster; most are slower.

    decode  tokens/s of n sessions = n x bandwidth / (weights read + n x KV of one session)
    weights read = resident bytes x share of the parameters that n tokens touch (experts: 1 - (1 - k/E)^n)
    prefill tokens/s = arithmetic rate / (2 x active parameters)

per GPU and then for all GPUs that share the model; links between GPUs, kernels' losses and scheduling are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.sizing.memory import Memory
from onprem_agents.units import GB, GIB

# A turn of a coding agent: 1,500 new tokens in, 425 out, then 15 s in which its tool runs (llm-d guide
# "agentic code generation", read August 2026; 95.8 % of the input of 357,000 agent steps came from the prefix
# cache, TraceLab, June 2026).
NEW_TOKENS, OUTPUT_TOKENS, TOOL_SECONDS = 1500, 425, 15.0

DECODE_FORMULA = "sessions x bandwidth / (weights read + sessions x KV of one session)"
PREFILL_FORMULA = "arithmetic rate / (2 x active parameters)"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Tokens per second of one replica that nothing can exceed.

    `sessions` is how many sessions the KV pool holds, `turn_seconds` the shortest time of one turn of the load
    profile with all of them at work, `agents` how many agents keep them at work, as an agent waits for its tools
    between turns.
    """

    decode_tokens_per_second_one: float
    decode_tokens_per_second_all: float
    prefill_tokens_per_second: float
    sessions: int
    turn_seconds: float
    agents: float


def bounds_of(memory: Memory, sessions: int) -> Bounds:
    """Return the bounds for one replica with that many sessions of the requested context."""
    many = max(1, sessions)
    prefill = _prefill(memory)
    every = _decode(memory, many)
    turn = NEW_TOKENS / prefill + OUTPUT_TOKENS * many / every
    return Bounds(
        decode_tokens_per_second_one=_decode(memory, 1),
        decode_tokens_per_second_all=every,
        prefill_tokens_per_second=prefill,
        sessions=sessions,
        turn_seconds=turn,
        agents=sessions * (turn + TOOL_SECONDS) / turn,
    )


def _decode(memory: Memory, sessions: int) -> float:
    request = memory.request
    experts = request.model.architecture.experts
    active = request.model.active_params_b * GB / request.model.total_params
    touched = 1.0
    if experts:
        always = max(
            0.0, (active - experts.per_token / experts.count) / (1 - experts.per_token / experts.count)
        )
        routed = 1 - (1 - experts.per_token / experts.count) ** sessions
        touched = min(1.0, always + (1 - always) * routed)
    read_gib = memory.weights.gib * touched
    read_gib += sessions * memory.layout.gib_per_request(request.context_tokens)
    bytes_per_second = request.accelerator.bandwidth_gb_per_second * GB
    return sessions * bytes_per_second / (read_gib * GIB) / request.pipeline_parallel


def _prefill(memory: Memory) -> float:
    request = memory.request
    gpu = request.accelerator
    narrow = gpu.fp8_tflops is not None and request.variant.precision == "fp8"
    tflops = gpu.fp8_tflops if narrow and gpu.fp8_tflops else gpu.bf16_tflops
    gpus = request.tensor_parallel * request.pipeline_parallel
    return tflops * 1e12 * gpus / (2 * request.model.active_params_b * GB)
