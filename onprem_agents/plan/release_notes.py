"""What the reader of a plan should know about its vLLM release, although the plan holds."""

from __future__ import annotations

from onprem_agents.vllm import nearest_release, serves

# What agents ask of a server besides chat completions, and what a release without it means for them.
_AGENT_ENDPOINTS = {
    "/v1/messages": "Claude Code needs a translation proxy",
    "/v1/messages/count_tokens": "Claude Code guesses how full its context is",
    "/v1/responses": "Codex needs a translation proxy",
}


def release_notes(version: str) -> tuple[str, ...]:
    """Return that the release is judged by another one, and what it lacks that agents ask for."""
    facts = nearest_release(version)
    notes = []
    if facts.release != version:
        notes.append(
            f"vLLM {version} is not in the catalogue: options, parsers and memory are taken for those of "
            f"{facts.release}, the nearest that is"
        )
    missing = [path for path in sorted(_AGENT_ENDPOINTS) if not serves(version, path)]
    notes += [f"vLLM {version} does not serve {path}: {_AGENT_ENDPOINTS[path]}" for path in missing]
    return tuple(notes)
