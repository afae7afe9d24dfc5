"""What sessions of one length ask of each GPU, whichever it is: bytes and operations of a step, and of prompts.

Of a mixture of experts n tokens touch the share 1 - (1 - k / E)^n of the experts, where each token takes any k of E.
"""

from __future__ import annotations

from typing import NamedTuple

from onprem_agents.catalog import Architecture
from onprem_agents.sizing import losses
from onprem_agents.sizing.load_profile import mean_context_tokens
from onprem_agents.sizing.memory import Memory
from onprem_agents.sizing.work import Attention, Shares, attention_of, session_bytes, shares_of
from onprem_agents.units import GIB


class Demand(NamedTuple):
    """What one GPU of the fullest stage does for sessions of `context_tokens`; a tuple, as a search makes very many.

    `always_bytes` of the weights are read by each step, `experts_bytes` are all experts', of which one token leaves
    the share `idle_share` unread; `session_bytes` and `session_operations` come with each session. For prompts,
    `token_operations` are done for each new token but for attention, whose operations are those of whole prompts: of a
    turn whose session is kept and of one whose session is not, of the timed prompt cold and warm. `kernels_seconds` is
    what a step takes whatever it reads.
    """

    context_tokens: int
    always_bytes: float
    experts_bytes: float
    idle_share: float
    session_bytes: float
    session_operations: float
    token_operations: float
    kept_turn_operations: float
    lost_turn_operations: float
    cold_prompt_operations: float
    warm_prompt_operations: float
    kernels_seconds: float


def demand_of(memory: Memory) -> Demand:
    """Return what sessions of the mean length ask of the server that this account is of."""
    request = memory.request
    architecture, stages = request.model.architecture, request.pipeline_parallel
    tokens = mean_context_tokens(request.context_tokens)
    read = session_bytes(architecture, request.tensor_parallel, request.cache_dtype, tokens)
    return demand_from(
        shares_of(request),
        attention_of(architecture, tokens),
        context_tokens=tokens,
        weights_gib=memory.weights.gib,
        read_bytes=read / stages,
        gpus=request.tensor_parallel * stages,
        kernels_seconds=kernels_seconds(architecture),
    )


def demand_from(
    shares: Shares,
    attention: Attention,
    *,
    context_tokens: int,
    weights_gib: float,
    read_bytes: float,
    gpus: int,
    kernels_seconds: float,
) -> Demand:
    """Put a demand together from its terms; weights and `read_bytes` of a session are those of one GPU."""
    operations = shares.token_operations + shares.head_operations + attention.token
    return Demand(
        context_tokens=context_tokens,
        always_bytes=weights_gib * GIB * shares.always,
        experts_bytes=weights_gib * GIB * shares.experts,
        idle_share=shares.idle_share,
        session_bytes=read_bytes,
        session_operations=operations / gpus,
        token_operations=shares.token_operations / gpus,
        kept_turn_operations=attention.kept_turn / gpus,
        lost_turn_operations=attention.lost_turn / gpus,
        cold_prompt_operations=attention.cold_prompt / gpus,
        warm_prompt_operations=attention.warm_prompt / gpus,
        kernels_seconds=kernels_seconds,
    )


def kernels_seconds(architecture: Architecture) -> float:
    """Return what a decode step takes whatever it reads: its layers, and what stands beside the model."""
    seconds = losses.STEP_SECONDS + losses.LAYER_SECONDS * architecture.layers
    return seconds + losses.EXPERT_LAYER_SECONDS * architecture.expert_layers
