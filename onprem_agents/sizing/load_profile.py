"""The load that speed is told for: turns of coding agents, all developers at work at once."""

from __future__ import annotations

# A turn of a coding agent: 1,500 new tokens in, 425 out, then 15 s in which its tool runs (llm-d guide
# "agentic code generation", read August 2026; 95.8 % of the input of 357,000 agent steps came from the prefix
# cache, TraceLab, June 2026).
NEW_TOKENS, OUTPUT_TOKENS, TOOL_SECONDS = 1500, 425, 15.0

# A session grows from the start prompt of an agent (Claude Code 2.1.330: 12,000 tokens, November 2026) to the context
# that it may have, and is then compacted.
START_TOKENS = 12_000

PROMPT_TOKENS = 30_000
"""The prompt whose first token is timed: instructions, tools and the first files of a task."""


def mean_context_tokens(limit_tokens: int) -> int:
    """Return how long a session of at most that many tokens is on average: it grows evenly from its start."""
    return (min(START_TOKENS, limit_tokens) + limit_tokens) // 2
