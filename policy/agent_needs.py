"""What the coding agents ask of a server: the path they speak to and the least context with which they can work.

The agents themselves (`onprem_agents.agents`) are out of the policies' sight; a test holds these figures to theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AgentNeeds:
    """One agent: its name in a contract, its title, the path it asks, the least window (tokens) it can work in.

    Below that window its own arithmetic leaves no room between what it starts with and where it compacts (but for some
    sizes that nobody serves).
    """

    name: str
    title: str
    path: str
    least_context_tokens: int


AGENT_NEEDS: tuple[AgentNeeds, ...] = tuple(
    AgentNeeds(name=name, title=title, path=path, least_context_tokens=least)
    for name, title, path, least in (
        ("opencode", "opencode", "/v1/chat/completions", 13_714),
        ("codex", "Codex CLI", "/v1/responses", 31_250),
        ("claude", "Claude Code", "/v1/messages", 42_285),
        ("qwen", "Qwen Code", "/v1/chat/completions", 61_000),
        ("cline", "Cline CLI", "/v1/chat/completions", 13_334),
        ("kilo", "Kilo CLI", "/v1/chat/completions", 13_714),
        ("copilot", "GitHub Copilot CLI", "/v1/chat/completions", 18_285),
        ("pi", "pi", "/v1/chat/completions", 13_714),
        ("cn", "Continue CLI", "/v1/chat/completions", 17_142),
        ("aider", "aider", "/v1/chat/completions", 9_142),
        ("goose", "goose", "/v1/chat/completions", 15_000),
    )
)

LEAST_CONTEXT_TOKENS = min(needs.least_context_tokens for needs in AGENT_NEEDS)
"""The least context with which any agent can work."""


def titles(agents: Iterable[AgentNeeds]) -> str:
    """Return agents as words: "Claude Code, Codex CLI and pi"."""
    *first, last = [needs.title for needs in agents]
    return f"{', '.join(first)} and {last}" if first else last
