"""Codex's own list of models: the platform's roles, each with its window, its limit and its efforts.

Without the list Codex guesses a window for names that it does not know, offers OpenAI's models in `/model` and warns at
each start. With it a setting in config.toml would hold for every role alike, so windows and efforts stand here alone.
Fields as Codex 0.169.0 and 0.171.0 print and ask for them (`codex debug models`, 2026-11-28).
"""

from __future__ import annotations

from typing import Any

from onprem_agents.agents.config import Values
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.stack.thinking import ServedThinking

MODELS_FILE = "onprem-models.json"
AGENT = "codex"
TOOL_OUTPUT_TOKENS = (
    16_000  # what one command may print into the context; seen working in a 64k window, 2026-11
)
_EFFORTS = {
    "none": "No thinking",
    "minimal": "Hardly any thinking",
    "low": "Little thinking",
    "medium": "Some thinking",
    "high": "Much thinking",
    "xhigh": "Very much thinking",
    "max": "As much thinking as the model can",
}
# A listed model must bring its own instructions (0.169.0, 2026-11-28). Those that Codex has for unknown models are
# 17 KB and speak of `apply_patch` as a tool, which Codex offers with a grammar only, and vLLM refuses such a tool.
INSTRUCTIONS = """\
You are Codex, a coding agent in a terminal. You work in the user's folder, with the user watching, until the task is \
done: look, change, check, report.

# Working
- Look before you change: read the files that matter, search with `rg` (or `grep`), and follow the conventions of the \
code that is there.
- Run commands with the tool `exec_command`. Give it a `workdir` instead of `cd`. Use `write_stdin` for a process that \
still runs.
- Edit files with the command `apply_patch`, run by `exec_command`, or with any other command that fits:
apply_patch <<'PATCH'
*** Begin Patch
*** Update File: path/in/the/folder.py
@@ def the_function():
-    old line
+    new line
*** End Patch
PATCH
  `*** Add File: path` (every line begins with +) makes a file, `*** Delete File: path` removes one.
- Call a tool instead of announcing that you will. Several calls that do not depend on each other may go out together.
- Mend the cause, not the symptom, with the smallest change that does it. Leave alone what the task does not ask for, \
and name what else you noticed.
- Never undo changes that you did not make, and never commit, push or make a branch unless you are asked to.
- Check your work: run the tests or the program that show it, first the nearest ones. When a check cannot be run, say \
so.
- When a command fails, read what it said and change something before you try again.

# AGENTS.md
A repository may hold AGENTS.md files with rules for its folder and all below it. Obey those that concern a file that \
you touch; a deeper file goes before a higher one, and the user's own words go before all. What is told to you at the \
start need not be read again.

# Permissions
A message tells which sandbox and which approvals hold. Ask for an approval where it says that you may; where it says \
that nobody answers, find another way or say what is missing.

# Answers
Be short and plain. While you work, one sentence before a group of commands is enough. At the end say what changed and \
how it was checked, with paths as `path/file.py:12`; do not print whole files.
"""


def models(connection: Connection) -> Values:
    """Return the list, the main role first: every role that serves Codex."""
    roles = [role for role in connection.roles if AGENT in role.supported_agents]
    roles.sort(key=lambda role: role.role != connection.main_role)
    return {"models": [_model(role, place) for place, role in enumerate(roles)]}


def _model(role: Role, place: int) -> dict[str, Any]:
    return {
        "slug": role.model,
        "display_name": role.model,
        "description": f"{role.role}: {role.model_id}, {role.context_tokens} tokens",
        "visibility": "list",
        "supported_in_api": True,
        "priority": place,
        "context_window": role.context_tokens,
        "max_context_window": role.context_tokens,
        "auto_compact_token_limit": role.compact_at_tokens,
        "truncation_policy": {"mode": "tokens", "limit": tool_output_tokens(role)},
        "input_modalities": ["text", "image"] if role.vision else ["text"],
        **_efforts(role.thinking),
        "default_reasoning_summary": "none",
        "support_verbosity": False,
        "shell_type": "unified_exec",
        "experimental_supported_tools": [],
        "include_apps_usage_instructions": False,
        "base_instructions": INSTRUCTIONS,
    }


def tool_output_tokens(role: Role) -> int:
    """Return how much of what a command prints is kept."""
    return min(TOOL_OUTPUT_TOKENS, role.context_tokens // 4)


def effort(thinking: ServedThinking | None) -> str | None:
    """Return the effort that Codex sends; `none` switches thinking off (0.169.0 sends each as it stands, 2026-11)."""
    if thinking is None:
        return None
    return thinking.effort if thinking.default == "on" else "none"


def _efforts(thinking: ServedThinking | None) -> dict[str, Any]:
    """Return the choice in `/model` and what is sent without one; nothing is sent where the contract names none."""
    chosen = effort(thinking)
    told = {chosen} if chosen is not None else set()
    if thinking is not None and thinking.efforts:
        told |= {*thinking.efforts, *(("none",) if thinking.switch is not None else ())}
    levels = [{"effort": name, "description": text} for name, text in _EFFORTS.items() if name in told]
    default = {"default_reasoning_level": chosen} if chosen is not None else {}
    return {"supported_reasoning_levels": levels, **default}
