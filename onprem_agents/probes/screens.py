"""The screens of the agents that have been driven in a terminal: what they show, and which keys answer it.

Seen 2026-11-28 with Claude Code 2.1.330, Codex CLI 0.169.0 and opencode 1.18.33 on a screen of `terminal.COLUMNS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onprem_agents.contract.connection import Connection

_HERE = "[\u276f\u203a]"
"""The mark of a prompt or a choice, in Claude Code and in Codex."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A screen before the first prompt. `mark` must stand before the answer; `key` moves there, Enter takes it.

    `cause` is empty where the agent asks every developer for good reason: whether a folder is trusted.
    """

    shows: str
    mark: str
    key: str = "down"
    cause: str = ""
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class Screens:
    """One agent in a terminal. Patterns are searched in the whole screen.

    `begin` and `resume` are the words after the program, of the folder; the agent is told to ask before it writes by
    them, by `variables` and by what `asks` adds to the task. `ready` is its empty prompt. `permission` is the question
    before a write, `allow` the choice that allows it once. `row` is one line of the picker that `models` opens.
    `status` shows what `told` expects of a contract; `compacted` is shown after `compact`,
    `resumed` where the former conversation stands again.
    """

    begin: Callable[[Path], tuple[str, ...]]
    resume: Callable[[Path], tuple[str, ...]]
    variables: Mapping[str, str] = field(default_factory=dict)
    ready: str
    questions: tuple[Question, ...] = ()
    asks: str = ""
    permission: str
    allow: str
    models: str
    row: str
    status: str
    told: Callable[[Connection], tuple[str, ...]]
    compact: str = "/compact"
    compacted: str
    resumed: str = r"hello\.txt"


def _thousands(tokens: int) -> str:
    return f"{tokens / 1000:.1f}".removesuffix(".0")


CLAUDE = Screens(
    begin=lambda _folder: ("--permission-mode", "default"),
    resume=lambda _folder: ("--continue", "--permission-mode", "default"),
    ready=rf"^{_HERE}",
    questions=(
        Question(
            shows=r"Yes, I trust this folder",
            mark=rf"{_HERE} Yes, I trust",
        ),
        Question(
            shows=r"Choose the text style",
            mark=rf"{_HERE} \S",
            cause="first-screen",
            fix="run: onprem-agents setup claude; it marks Claude Code's introduction as seen",
        ),
        Question(shows=r"Press Enter to continue", mark=r"Press Enter", cause="first-screen"),
        Question(
            shows=r"Select login method",
            mark=rf"{_HERE} \S",
            cause="login",
            fix="run: onprem-agents setup claude; it names the key's file in settings.json",
        ),
    ),
    permission=r"Do you want to (?:create|make|proceed|write|overwrite)",
    allow=rf"{_HERE} 1\. Yes",
    models="/model",
    row=rf"^\s*{_HERE}?\s*\d+\. +(\S.*)$",
    status="/context",
    told=lambda connection: (
        rf"\b{connection.main.model}\b",
        rf"/{_thousands(connection.main.context_tokens)}k tokens",
    ),
    compacted=r"[Cc]onversation compacted|Compacted",
)

CODEX = Screens(
    begin=lambda folder: (*_codex_trust(folder), "-s", "read-only", "-a", "on-request"),
    resume=lambda folder: ("resume", "--last", *_codex_trust(folder), "-s", "read-only", "-a", "on-request"),
    ready=rf"^{_HERE} (?!\d)[\s\S]*· [~/]",
    questions=(
        Question(shows=r"Trust this folder\?", mark=rf"{_HERE} 1\. Trust and continue"),
        Question(
            shows=r"Sign in with ChatGPT|Provide your own API key",
            mark=r"\S",
            cause="login",
            fix="run: onprem-agents setup codex; it names the platform as model_provider",
        ),
        Question(
            shows=r"Update available|Skip until next version",
            mark=rf"{_HERE} 2\. Skip",
            cause="first-screen",
            fix="run: onprem-agents setup codex; it sets check_for_update_on_startup = false",
        ),
    ),
    asks=" Ask for escalated permissions first.",
    permission=r"Would you like to (?:run the following command|make the following edits)",
    allow=rf"{_HERE} 1\. Yes, proceed",
    models="/model",
    row=rf"^\s*{_HERE}?\s*\d+\. +(\S.*)$",
    status="/status",
    told=lambda connection: (
        rf"Model: +{connection.main.model}\b",
        r"Model provider: +(?:onprem|On-Prem)",
        rf"/ {_three_digits(connection.main.context_tokens * 95 // 100)}\)",
    ),
    compacted=r"Context compacted|[Cc]ompacted",
)


def _three_digits(tokens: int) -> str:
    """Return tokens as Codex tells them, which counts 95 % of the window as its own (0.169.0): 8.95K, 62.3K, 125K."""
    decimals = max(0, 3 - len(str(tokens // 1000)))
    return re.escape(f"{tokens / 1000:.{decimals}f}K")


def _codex_trust(folder: Path) -> tuple[str, ...]:
    """Return the options that trust this folder for one run, so that nothing of it stays in the user's file."""
    return ("-c", f'projects={{"{folder}"={{trust_level="trusted"}}}}')


OPENCODE = Screens(
    begin=lambda _folder: (),
    resume=lambda _folder: ("--continue",),
    variables={"OPENCODE_PERMISSION": '{"edit":"ask"}'},
    ready=r"ctrl\+p commands",
    questions=(
        Question(
            shows=r"Update Available",
            mark=r"Skip",
            cause="first-screen",
            fix="run: onprem-agents setup opencode; it sets autoupdate to false",
        ),
        Question(
            shows=r"Connect a provider",
            mark=r"Connect a provider",
            cause="login",
            fix="run: onprem-agents setup opencode; it names the platform as provider",
        ),
    ),
    permission=r"Permission required",
    allow=r"Allow once",
    models="/models",
    # The list lies over the middle half of the conversation: names from column 34 on, the dot of the chosen one before.
    row=r"^.{30}  (?:\u25cf |  )((?!Select model|Search|On-Prem|Recent|Favorites|Connect provider)\S.*?)(?: {2,}.*)?$",
    status="/status",
    # The share of the window that the conversation takes; without a window it tells the tokens alone.
    told=lambda _connection: (r"\d[\d.]*K? \(\d+%\)",),
    compacted=r"\u2500 Compaction \u2500",
)

SCREENS: Mapping[str, Screens] = {"opencode": OPENCODE, "codex": CODEX, "claude": CLAUDE}
