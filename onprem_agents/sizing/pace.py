"""How fast one replica is expected to be: the seconds of a decode step, and of a prompt.

    step of n sessions = p x (reads / bandwidth + operations / rate + links + layers) + what stands beside the model

for a pipeline of p stages, each of which then works on n / p sessions. Speculation is left aside: a model that drafts
is expected to be as fast as without.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from onprem_agents.catalog import Accelerator, Variant
from onprem_agents.sizing import losses
from onprem_agents.sizing.links import Links, links_of
from onprem_agents.sizing.load_profile import mean_context_tokens
from onprem_agents.sizing.memory import Memory
from onprem_agents.sizing.work import Work, work_of
from onprem_agents.units import GB

READ, COMPUTE, LINKS, KERNELS = "memory bandwidth", "compute", "links", "kernels"


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The expected seconds of one replica's work, sessions being `context_tokens` long.

    By cause: `fixed` is what any step takes, `sequence` what each session adds; `experts_seconds` is reading all
    experts, of which a session leaves the share `idle_share` unread. `token` is what each new token of a prompt adds,
    but for attention.
    """

    work: Work
    context_tokens: int
    fixed: dict[str, float]
    sequence: dict[str, float]
    token: dict[str, float]
    experts_seconds: float
    operations_per_second: float

    @cached_property
    def _fixed_seconds(self) -> float:
        return sum(self.fixed.values())

    @cached_property
    def _sequence_seconds(self) -> float:
        return sum(self.sequence.values())

    @cached_property
    def _token_seconds(self) -> float:
        return sum(self.token.values())

    def step_seconds(self, sessions: float) -> float:
        """Return the seconds of one step in which so many sessions each get a token."""
        return self._fixed_seconds + sessions * self._sequence_seconds + self._experts(sessions)

    def step_by_cause(self, sessions: float) -> dict[str, float]:
        """Return the same, cause by cause."""
        found = {
            cause: seconds + sessions * self.sequence.get(cause, 0.0) for cause, seconds in self.fixed.items()
        }
        found[READ] += self._experts(sessions)
        return found

    def prompt_seconds(self, new_tokens: float, cached_tokens: float = 0.0) -> float:
        """Return what so many new tokens of a prompt add to the steps that take them, after so many cached ones."""
        looked_back = cached_tokens + new_tokens / 2
        attention = self.work.attention_operations(looked_back) / self.operations_per_second
        return new_tokens * (self._token_seconds + attention)

    def extra_seconds(self, sessions: float) -> float:
        """Return what a step with a prompt reads beyond its sessions': all experts."""
        return self.experts_seconds - self._experts(sessions)

    def first_token_seconds(self, new_tokens: int, cached_tokens: int, sessions: float) -> float:
        """Return the seconds to the first token of a prompt beside so many sessions that decode, once it is served.

        A batch shares its tokens with them; a pipeline has its stages to fill.
        """
        request = self.work.request
        steps = math.ceil(new_tokens / max(1.0, request.batch_tokens - sessions))
        seconds = self.prompt_seconds(new_tokens, cached_tokens)
        seconds += steps * (self.step_seconds(sessions) + self.extra_seconds(sessions))
        return seconds * (1 + (request.pipeline_parallel - 1) / steps)

    def _experts(self, sessions: float) -> float:
        if not self.experts_seconds:
            return 0.0
        stages = self.work.request.pipeline_parallel
        return self.experts_seconds * (1 - math.pow(self.work.idle_share, sessions / stages))


def pace_of(memory: Memory) -> Pace:
    """Return the pace of the server that this account is of, at the mean length of a session."""
    request = memory.request
    return pace_from(work_of(memory), links_of(request), mean_context_tokens(request.context_tokens))


def pace_from(work: Work, links: Links, context_tokens: int) -> Pace:
    """Return the pace for that work over those links."""
    request = work.request
    architecture, gpu = request.model.architecture, request.accelerator
    stages, ranks = request.pipeline_parallel, request.data_parallel
    bytes_per_second = gpu.bandwidth_gb_per_second * GB * losses.BANDWIDTH_SHARE
    share = losses.EXPERTS_COMPUTE_SHARE if architecture.experts else losses.DENSE_COMPUTE_SHARE
    rate = _rate(gpu, request.variant) * share
    layers = losses.LAYER_SECONDS * architecture.layers
    layers += losses.EXPERT_LAYER_SECONDS * architecture.expert_layers
    operations = work.token_operations + work.head_operations + work.attention_operations(context_tokens)
    return Pace(
        work=work,
        context_tokens=context_tokens,
        fixed={
            READ: stages * work.always_bytes / bytes_per_second,
            COMPUTE: 0.0,
            LINKS: stages * links.step_seconds,
            KERNELS: layers + losses.STEP_SECONDS,
        },
        sequence={
            READ: work.kv_bytes(context_tokens) / bytes_per_second / ranks,
            COMPUTE: operations / rate / ranks,
            LINKS: links.token_seconds / ranks,
        },
        token={COMPUTE: work.token_operations / rate / ranks, LINKS: links.token_seconds / ranks},
        experts_seconds=stages * work.experts_bytes / bytes_per_second,
        operations_per_second=rate,
    )


def _rate(gpu: Accelerator, variant: Variant) -> float:
    """Return the operations per second of the units that vLLM computes that checkpoint in.

    Weights of four bits are unpacked for BF16 units but on Blackwell, whose FP4 units are taken to be as fast as its
    FP8 units: what they gain beyond that, unpacking and scales take.
    """
    narrow = variant.precision in ("fp8", "fp8+int4", "native", "nvfp4", "mxfp4", "int8")
    if narrow and gpu.fp8_tflops and variant.runs_natively_on(gpu.compute_capability):
        return gpu.fp8_tflops * 1e12
    return gpu.bf16_tflops * 1e12
