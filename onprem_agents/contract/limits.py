"""What the agents' own arithmetic asks of a served window: output caps, compaction, and windows too small.

Measured with Claude Code 2.1.330, Codex CLI 0.169.0 and opencode 1.18.33 in November 2026; all in tokens.
"""

from __future__ import annotations

from typing import Literal

Agent = Literal["opencode", "codex", "claude"]
MAX_OUTPUT_TOKENS = 16_384
# First requests, measured 2026-11: Claude Code 20k to 22k tokens with our switches, opencode about 8k; Codex
# resends about 10k after each compaction and loops for ever when the limit is below about 25k.
_LEAST_COMPACTION_TOKENS: dict[Agent, int] = {"claude": 24_000, "codex": 25_000, "opencode": 12_000}
_LEAST_CONTEXT_TOKENS: dict[Agent, int] = {"claude": 65_536, "codex": 32_768, "opencode": 16_384}


def output_cap_tokens(context_tokens: int) -> int:
    """Return the output cap, in tokens, that clients should send to a server with that window.

    An eighth of the window, at most 16384. Claude Code 2.1.330 compacts at window - min(cap, 20000) - 13000
    and starts with 20k to 22k tokens, and sends the cap unreduced: more than an eighth leaves a 64k server
    hardly a turn of work between start and compaction; more than 20000 overflows the window (2026-11).
    """
    return min(MAX_OUTPUT_TOKENS, context_tokens // 8)


def compact_at_tokens(context_tokens: int) -> int:
    """Return the size in tokens at which an agent that can be told so (Codex) should compact: 80 %."""
    return context_tokens * 8 // 10


def claude_compacts_at_tokens(*, context_tokens: int, max_output_tokens: int) -> int:
    """Return where Claude Code compacts by itself, in tokens (2.1.330, measured 2026-11)."""
    return context_tokens - min(max_output_tokens, 20_000) - 13_000


def agent_obstacle(
    agent: Agent, *, context_tokens: int, max_output_tokens: int, tool_calling: bool
) -> str | None:
    """Return why an agent cannot work with a model of these limits (tokens), or None if it can."""
    if not tool_calling:
        return "the model is served without tool calling, so the agent could talk but not edit files"
    limit = {
        "claude": claude_compacts_at_tokens(
            context_tokens=context_tokens, max_output_tokens=max_output_tokens
        ),
        "codex": compact_at_tokens(context_tokens),
        "opencode": context_tokens - max_output_tokens,
    }[agent]
    if limit >= _LEAST_COMPACTION_TOKENS[agent]:
        return None
    return (
        f"a context of {context_tokens} makes {agent} compact at {max(limit, 0)} tokens, which leaves no room"
        f" beside its own first request, serve at least {_LEAST_CONTEXT_TOKENS[agent]}"
    )
