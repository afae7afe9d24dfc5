"""The output cap and the compaction limit that a served window gives to every client, in tokens."""

from __future__ import annotations

MAX_OUTPUT_TOKENS = 16_384


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
