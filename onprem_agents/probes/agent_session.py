"""How a person works with an agent in a terminal: what is typed, waited for and taken from the screen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from onprem_agents.contract.connection import Connection
from onprem_agents.probes.screens import Question, Screens
from onprem_agents.probes.terminal import Terminal, found

SCREEN_SECONDS = 180.0
STILL_SECONDS = 1.0
"""How long a screen must stand still before a key is pressed: keys that come with text are taken for a paste."""
_SETTLE_SECONDS = 15.0


class Unasked(Exception):
    """The agent wrote without having been allowed to."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """An agent that runs in a terminal, and how its screens are read; `seconds` bounds each wait."""

    terminal: Terminal
    screens: Screens
    connection: Connection
    folder: Path
    seconds: float = SCREEN_SECONDS

    def answer_questions(self) -> tuple[tuple[str, Question], ...]:
        """Answer what is asked before the first prompt; return the screens that should not be there."""
        unwanted: list[tuple[str, Question]] = []
        patterns = [question.shows for question in self.screens.questions]
        for _ in range(len(patterns) + 1):
            self.terminal.wait("|".join([*patterns, self.screens.ready]), self.seconds, wanted="its prompt")
            self.terminal.settle(STILL_SECONDS, _SETTLE_SECONDS)
            shown = self.terminal.text
            asked = next((each for each in self.screens.questions if found(each.shows, shown)), None)
            if asked is None:
                break
            if asked.cause:
                unwanted.append((shown, asked))
            if asked.cause == "login":
                break
            self.choose(asked.mark, key=asked.key)
        return tuple(unwanted)

    def say(self, text: str) -> None:
        """Type a line, see it on the screen, and send it."""
        self.terminal.wait(self.screens.ready, self.seconds, wanted="its prompt")
        self.terminal.send(text)
        self.terminal.wait(re.escape(text[:24]), self.seconds, wanted="what was typed")
        self.terminal.settle(STILL_SECONDS, _SETTLE_SECONDS)
        self.terminal.press("enter")

    def choose(self, mark: str, *, key: str = "down") -> None:
        """Move to a choice and take it."""
        self.terminal.settle(STILL_SECONDS, _SETTLE_SECONDS)
        if not found(mark, self.terminal.text):
            self.terminal.press_until(key, mark, self.seconds)
        self.terminal.settle(STILL_SECONDS, _SETTLE_SECONDS)
        self.terminal.press("enter")
        self.terminal.until(lambda shown: not found(mark, shown), self.seconds, wanted="the next screen")

    def back(self) -> None:
        """Leave a picker or a page."""
        self.terminal.press("escape")
        self.terminal.settle(STILL_SECONDS, _SETTLE_SECONDS)

    def edit(self, task: str, file: Path) -> str:
        """Ask for a file, allow it where the agent asks, and return what the file then holds."""
        self.say(task + self.screens.asks)
        self.terminal.wait(self.screens.permission, self.seconds, wanted="the question whether it may write")
        if file.exists():
            raise Unasked(file.name)
        self.choose(self.screens.allow)
        self.terminal.until(lambda _shown: file.is_file(), self.seconds, wanted="the file that was allowed")
        self.terminal.settle(2 * STILL_SECONDS, self.seconds)
        return file.read_text(encoding="utf-8", errors="replace")

    def models(self) -> tuple[str, ...]:
        """Return the rows of the agent's list of models."""
        self.say(self.screens.models)
        self.terminal.wait(self.screens.row, self.seconds, wanted="the list of models")
        self.terminal.settle(STILL_SECONDS, _SETTLE_SECONDS)
        rows = tuple(
            match[1].strip() for match in re.finditer(self.screens.row, self.terminal.text, re.MULTILINE)
        )
        self.back()
        return rows

    def status(self) -> None:
        """Open the page that tells of model and window. Raises `NotShown` where it tells another than ours."""
        self.say(self.screens.status)
        for pattern in self.screens.told(self.connection):
            self.terminal.wait(pattern, self.seconds, wanted=f"{pattern!r} on {self.screens.status}")
        self.back()

    def compact(self) -> None:
        """Let it put the conversation together, on wish."""
        self.say(self.screens.compact)
        self.terminal.wait(self.screens.compacted, self.seconds, wanted="the note that it has compacted")
        self.terminal.settle(2 * STILL_SECONDS, self.seconds)
