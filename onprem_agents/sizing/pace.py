"""How fast one replica is expected to be: the seconds of a decode step, and of a prompt.

    step of n sessions = p x (reads / bandwidth + operations / rate + links + layers) + what stands beside the model

for a pipeline of p stages, each of which then works on n / p sessions. Speculation is left aside: a model that drafts
is expected to be as fast as without.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from onprem_agents.catalog import Accelerator, Variant
from onprem_agents.sizing import losses
from onprem_agents.sizing.demand import Demand, demand_of
from onprem_agents.sizing.links import Links, links_of
from onprem_agents.sizing.load_profile import NEW_TOKENS, PROMPT_TOKENS, mean_context_tokens
from onprem_agents.sizing.memory import Memory
from onprem_agents.sizing.work import work_of
from onprem_agents.units import GB

READ, COMPUTE, LINKS, KERNELS = "memory bandwidth", "compute", "links", "kernels"
_FP8_PRECISIONS = frozenset({"fp8", "fp8+int4", "native", "nvfp4", "mxfp4", "int8"})


class Shape(NamedTuple):
    """How a replica is laid out: stages of a pipeline, data parallel ranks, tokens of a batch."""

    stages: int
    ranks: int
    batch_tokens: int


class Pace(NamedTuple):
    """The expected seconds of one replica's work; a tuple, as a search makes very many.

    A step takes `read`, `links` and `kernels` whatever it works on, and `session_*` for each session; reading all
    experts takes `experts`, of which a session leaves the share `idle_share` unread. `token` is what each new token of
    a prompt adds but for attention, which `attention_*` are of whole prompts (see `Demand`).
    """

    read: float
    links: float
    kernels: float
    session_read: float
    session_compute: float
    session_links: float
    experts: float
    idle_share: float
    token: float
    attention_kept: float
    attention_lost: float
    attention_cold: float
    attention_warm: float
    context_tokens: int
    shape: Shape

    def step_seconds(self, sessions: float) -> float:
        """Return the seconds of one step in which so many sessions each get a token."""
        fixed = self.read + self.links + self.kernels
        each = self.session_read + self.session_compute + self.session_links
        return fixed + sessions * each + self.experts_seconds(sessions)

    def step_by_cause(self, sessions: float) -> dict[str, float]:
        """Return the same, cause by cause."""
        return {
            READ: self.read + sessions * self.session_read + self.experts_seconds(sessions),
            COMPUTE: sessions * self.session_compute,
            LINKS: self.links + sessions * self.session_links,
            KERNELS: self.kernels,
        }

    def experts_seconds(self, sessions: float) -> float:
        """Return what a step of so many sessions reads of the experts."""
        if not self.experts:
            return 0.0
        return self.experts * (1 - math.pow(self.idle_share, sessions / self.shape.stages))

    def turn_seconds(self, kept_share: float) -> float:
        """Return what the prompt of a turn adds to the steps that take it, where that share of sessions is kept."""
        kept = NEW_TOKENS * self.token + self.attention_kept
        lost = self.context_tokens * self.token + self.attention_lost
        return kept_share * kept + (1 - kept_share) * lost

    def first_token_seconds(self, sessions: float, *, warm: bool) -> float:
        """Return the seconds to the first token of the timed prompt beside so many sessions that decode.

        A batch shares its tokens with them; a pipeline has its stages to fill.
        """
        new_tokens = NEW_TOKENS if warm else PROMPT_TOKENS
        steps = math.ceil(new_tokens / max(1.0, self.shape.batch_tokens - sessions))
        seconds = new_tokens * self.token + (self.attention_warm if warm else self.attention_cold)
        seconds += steps * (self.step_seconds(sessions) + self.experts - self.experts_seconds(sessions))
        return seconds * (1 + (self.shape.stages - 1) / steps)


def pace_of(memory: Memory) -> Pace:
    """Return the pace of the server that this account is of, at the mean length of a session."""
    request = memory.request
    demand = demand_of(work_of(memory), mean_context_tokens(request.context_tokens))
    shape = Shape(
        stages=request.pipeline_parallel, ranks=request.data_parallel, batch_tokens=request.batch_tokens
    )
    rate = expected_rate(request.accelerator, request.variant)
    return pace_on(request.accelerator, demand, links_of(request), shape, rate)


def pace_on(
    gpu: Accelerator, demand: Demand, links: Links, shape: Shape, operations_per_second: float
) -> Pace:
    """Return the pace for that demand on such GPUs, which compute at that rate."""
    stages, ranks, _ = shape
    byte = 1 / (gpu.bandwidth_gb_per_second * GB * losses.BANDWIDTH_SHARE)
    share = losses.EXPERTS_COMPUTE_SHARE if demand.layers_of_experts else losses.DENSE_COMPUTE_SHARE
    operation = 1 / (operations_per_second * share)
    return Pace(
        read=stages * demand.always_bytes * byte,
        links=stages * links.step_seconds,
        kernels=demand.layers_seconds + losses.STEP_SECONDS,
        session_read=demand.session_bytes * byte / ranks,
        session_compute=demand.session_operations * operation / ranks,
        session_links=links.token_seconds / ranks,
        experts=stages * demand.experts_bytes * byte,
        idle_share=demand.idle_share,
        token=(demand.token_operations * operation + links.token_seconds) / ranks,
        attention_kept=demand.kept_turn_operations * operation / ranks,
        attention_lost=demand.lost_turn_operations * operation / ranks,
        attention_cold=demand.cold_prompt_operations * operation / ranks,
        attention_warm=demand.warm_prompt_operations * operation / ranks,
        context_tokens=demand.context_tokens,
        shape=shape,
    )


def expected_rate(gpu: Accelerator, variant: Variant) -> float:
    """Return the operations per second of the units that vLLM computes that checkpoint in.

    Weights of four bits are unpacked for BF16 units but on Blackwell, whose FP4 units are taken to be as fast as its
    FP8 units: what they gain beyond that, unpacking and scales take.
    """
    narrow = variant.precision in _FP8_PRECISIONS
    if narrow and gpu.fp8_tflops and variant.runs_natively_on(gpu.compute_capability):
        return gpu.fp8_tflops * 1e12
    return gpu.bf16_tflops * 1e12
