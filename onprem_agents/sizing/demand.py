"""What sessions of one length ask of each GPU, whichever it is: bytes and operations of a step, and of prompts."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.sizing import losses
from onprem_agents.sizing.load_profile import NEW_TOKENS, PROMPT_TOKENS
from onprem_agents.sizing.work import Work


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Bytes and operations of one stage; of a step as `Work` has them, of a session for each of its tokens.

    Attention's operations over a whole prompt: of a turn whose session is kept and of one whose session is not, of the
    timed prompt cold and warm. `layers_seconds` is what all layers take whatever they read.
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
    layers_seconds: float
    layers_of_experts: bool


def demand_of(work: Work, context_tokens: int) -> Demand:
    """Return what sessions of that length ask for."""
    architecture = work.request.model.architecture
    before = context_tokens - NEW_TOKENS
    operations = work.token_operations + work.head_operations + work.attention_operations(context_tokens)
    return Demand(
        context_tokens=context_tokens,
        always_bytes=work.always_bytes,
        experts_bytes=work.experts_bytes,
        idle_share=work.idle_share,
        session_bytes=work.kv_bytes(context_tokens),
        session_operations=operations,
        token_operations=work.token_operations,
        kept_turn_operations=work.prompt_operations(NEW_TOKENS, before),
        lost_turn_operations=work.prompt_operations(context_tokens, 0),
        cold_prompt_operations=work.prompt_operations(PROMPT_TOKENS, 0),
        warm_prompt_operations=work.prompt_operations(NEW_TOKENS, PROMPT_TOKENS - NEW_TOKENS),
        layers_seconds=losses.LAYER_SECONDS * architecture.layers
        + losses.EXPERT_LAYER_SECONDS * architecture.expert_layers,
        layers_of_experts=architecture.experts is not None,
    )
