"""Under which names a server answers: a request for any other name gets 404 from vLLM."""

from __future__ import annotations

from onprem_agents.vllm import UNREADABLE

from .serving import Server


def served_names(server: Server) -> tuple[str, ...] | None:
    """Return the names that a server answers to, None where they are known at run time only or out of sight."""
    read = server.parsed.read
    if server.left_open("served_model_name") or server.parsed.other.get("--lora-modules"):
        return None
    if "--enable-lora" in server.parsed.other:
        return None  # adapters that are loaded later have names of their own
    names = read("served_model_name")
    if names is None:
        # Without the option vLLM answers to the model's own words, a path too (vLLM 0.12 to 0.33, read 2026-11).
        model = read("model")
        return None if model in (None, UNREADABLE) else (str(model),)
    return None if names == UNREADABLE else tuple(names)
