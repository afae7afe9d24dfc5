"""Edits as text, for an agent that offers no tools: aider's blocks of what stands there and what shall stand there.

aider 0.86.2 (2026-11) asks for them in its prompt. It compares whole lines, offers a command to its user to run, and
tells what came of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from scripted_model.actions import Action, Create, Edit, Run
from scripted_model.turn import Asked

_WANTED = "SEARCH/REPLACE block"
_RAN = "I ran this command"
_FENCE = "`" * 3


def are_wanted(asked: Asked) -> bool:
    """Whether the request asks for edits as blocks."""
    return not asked.tools and any(
        entry.role == "system" and _WANTED in entry.text for entry in asked.entries
    )


def of(actions: Sequence[Action], asked: Asked) -> str:
    """Return the actions as text, nothing once a command was run; reading needs no words."""
    told = [line for entry in asked.entries if entry.role == "user" for line in entry.text.splitlines()]
    if any(_RAN in line for line in told):
        return ""
    return "\n\n".join(text for action in actions if (text := _text(action, told)))


def _text(action: Action, told: Sequence[str]) -> str:
    match action:
        case Create():
            return _block(action.file, "", f"{action.content}\n")
        case Edit():
            # The file's own line, as far as it was shown, and not the one of the task.
            lines = (line for line in told if action.old in line and action.new not in line)
            old = next(lines, action.old)
            return _block(action.file, f"{old}\n", f"{old.replace(action.old, action.new)}\n")
        case Run():
            return f"{_FENCE}bash\n{action.command}\n{_FENCE}"
        case _:
            return ""


def _block(file: str, old: str, new: str) -> str:
    return f"{file}\n{_FENCE}\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n{_FENCE}"
