"""What a check found, as the command tells it: findings with their places, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["mandatory", "advisory"]

REFUSED, NOT_READ = 1, 2
"""Exit codes of a check that found something mandatory, and of one that could not read all."""


@dataclass(frozen=True, kw_only=True)
class CheckFinding:
    """One finding; `file` is "" for standard input, `line` counts from 1, `change` says what to change."""

    policy: str
    pack: str
    level: Level
    resource: str
    file: str
    line: int
    message: str
    change: str = ""


@dataclass(frozen=True, kw_only=True)
class NotRead:
    """Something that was to be checked and could not be read."""

    resource: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One policy that was asked."""

    name: str
    pack: str
    level: Level
    description: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything of one check; `read` counts the objects that were looked at."""

    findings: tuple[CheckFinding, ...]
    read: int
    not_read: tuple[NotRead, ...]
    policies: tuple[Policy, ...]

    @property
    def refused(self) -> bool:
        """Whether anything mandatory was found."""
        return any(finding.level == "mandatory" for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """0 fine, 1 refused, 2 something could not be read."""
        if self.refused:
            return REFUSED
        return NOT_READ if self.not_read else 0
