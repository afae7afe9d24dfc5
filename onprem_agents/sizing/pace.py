"""How fast one replica is expected to be: the seconds of a decode step, and of a prompt.

    step of n sessions = p x (reads / bandwidth + operations / rate + links + layers) + what stands beside the model

for a pipeline of p stages, each of which then works on n / p sessions. Speculation is left aside: a model that drafts
is expected to be as fast as without.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from onprem_agents.catalog import Accelerator, Model, Variant
from onprem_agents.sizing import losses
from onprem_agents.sizing.demand import Demand, demand_of
from onprem_agents.sizing.links import Links, links_of
from onprem_agents.sizing.load_profile import NEW_TOKENS, PROMPT_TOKENS
from onprem_agents.sizing.memory import Memory
from onprem_agents.units import GB

READ, COMPUTE, LINKS, KERNELS = "memory bandwidth", "compute", "links", "kernels"
_FP8_PRECISIONS = frozenset({"fp8", "fp8+int4", "native", "nvfp4", "mxfp4", "int8"})


class Rates(NamedTuple):
    """What one GPU takes for a byte of its memory and for an operation on one checkpoint, in seconds."""

    byte_seconds: float
    operation_seconds: float


class Pace(NamedTuple):
    """The expected seconds of one replica's work; a tuple, as a search makes very many.

    A step takes `fixed` and, for each session, `session`; reading all experts takes `experts`, of which a session
    leaves the share `idle_share` unread. Prompts add to the steps that take them: that of a turn whose session is
    kept, of one whose session is not, the timed prompt cold and warm.
    """

    fixed: float
    session: float
    experts: float
    idle_share: float
    kept_prompt: float
    lost_prompt: float
    cold_prompt: float
    warm_prompt: float
    stages: int
    batch_tokens: int

    def step_seconds(self, sessions: float) -> float:
        """Return the seconds of one step in which so many sessions each get a token."""
        return self.fixed + sessions * self.session + self.experts_seconds(sessions)

    def experts_seconds(self, sessions: float) -> float:
        """Return what a step of so many sessions reads of the experts."""
        if not self.experts:
            return 0.0
        return self.experts * (1 - math.pow(self.idle_share, sessions / self.stages))

    def first_token_seconds(self, sessions: float, *, warm: bool = False) -> float:
        """Return the seconds to the first token of the timed prompt beside so many sessions that decode.

        A batch shares its tokens with them; a pipeline has its stages to fill.
        """
        new_tokens, prompt = (NEW_TOKENS, self.warm_prompt) if warm else (PROMPT_TOKENS, self.cold_prompt)
        steps = math.ceil(new_tokens / max(1.0, self.batch_tokens - sessions))
        seconds = prompt + steps * (self.fixed + sessions * self.session + self.experts)
        return seconds * (1 + (self.stages - 1) / steps)


def pace_of(memory: Memory) -> Pace:
    """Return the pace of the server that this account is of, at the mean length of a session."""
    request = memory.request
    rates = rates_of(request.accelerator, request.model, request.variant)
    return pace_from(
        demand_of(memory),
        links_of(request),
        rates,
        batch_tokens=request.batch_tokens,
        stages=request.pipeline_parallel,
        ranks=request.data_parallel,
    )


def pace_from(
    demand: Demand, links: Links, rates: Rates, *, batch_tokens: int, stages: int = 1, ranks: int = 1
) -> Pace:
    """Return the pace for that demand at those rates; data parallel ranks share the sessions between them."""
    byte, operation = rates
    per_token = (demand.token_operations * operation + links.token_seconds) / ranks
    each = operation / ranks
    session = demand.session_bytes * byte + demand.session_operations * operation + links.token_seconds
    return Pace(
        stages * (demand.always_bytes * byte + links.step_seconds) + demand.kernels_seconds,
        session / ranks,
        stages * demand.experts_bytes * byte,
        demand.idle_share,
        NEW_TOKENS * per_token + demand.kept_turn_operations * each,
        demand.context_tokens * per_token + demand.lost_turn_operations * each,
        PROMPT_TOKENS * per_token + demand.cold_prompt_operations * each,
        NEW_TOKENS * per_token + demand.warm_prompt_operations * each,
        stages,
        batch_tokens,
    )


def step_by_cause(memory: Memory, sessions: float) -> dict[str, float]:
    """Return the seconds of a step of so many sessions, cause by cause; their sum is `Pace.step_seconds`."""
    request, demand, links = memory.request, demand_of(memory), links_of(memory.request)
    byte, operation = rates_of(request.accelerator, request.model, request.variant)
    stages, each = request.pipeline_parallel, sessions / request.data_parallel
    experts = demand.experts_bytes * (1 - math.pow(demand.idle_share, sessions / stages))
    read = stages * (demand.always_bytes + experts) + each * demand.session_bytes
    return {
        READ: read * byte,
        COMPUTE: each * demand.session_operations * operation,
        LINKS: stages * links.step_seconds + each * links.token_seconds,
        KERNELS: demand.kernels_seconds,
    }


def rates_of(gpu: Accelerator, model: Model, variant: Variant) -> Rates:
    """Return what bytes and operations of that checkpoint are expected to take.

    Weights of four bits are unpacked for BF16 units but on Blackwell, whose FP4 units are taken to be as fast as its
    FP8 units: what they gain beyond that, unpacking and scales take.
    """
    tflops = gpu.bf16_tflops
    if variant.precision in _FP8_PRECISIONS and gpu.computes_in(variant):
        tflops = gpu.fp8_tflops or tflops
    share = losses.EXPERTS_COMPUTE_SHARE if model.architecture.experts else losses.DENSE_COMPUTE_SHARE
    return Rates(1 / (gpu.bandwidth_gb_per_second * GB * losses.BANDWIDTH_SHARE), 1 / (tflops * 1e12 * share))
