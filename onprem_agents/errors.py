"""The one exception tree of the product; libraries raise, only the command lines print and exit.

OnpremError
├── InvalidInput        every problem of one input at once (a stack config, a catalogue, a connection file)
├── UnknownFact         the catalogue has no entry of that name
├── ClusterError        a Kubernetes API server said no or did not answer
└── EnvironmentProblem  this machine lacks something (Go, disk, a free port, a passphrase)
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EVIDENCE_CHARS = 300
_LONG_SECRET_CHARS = 8


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong, told in three parts.

    `where` is the config key, file or command concerned; `found` what is there; `why` the reason it
    cannot work; `fix` what to change.
    """

    where: str
    found: str
    why: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}\n  found: {self.found}\n  why:   {self.why}\n  fix:   {self.fix}"


class OnpremError(Exception):
    """Base of all errors that the product raises on purpose."""


class InvalidInput(OnpremError):
    """One input with all of its problems, so that they can be mended in one go."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__(self._text())

    def _text(self) -> str:
        count = len(self.problems)
        head = f"{self.source}: {count} problem{'s' if count != 1 else ''}"
        return "\n".join([head, *(str(problem) for problem in self.problems)])


class UnknownFact(OnpremError):
    """The catalogue has no entry of that name; the message offers the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        self.hint = nearest_hint(name, self.known)
        super().__init__(f"unknown {kind} {name!r}; {self.hint}")

    def problem(self, where: str) -> Problem:
        """Return this as the problem of the config key that holds the name."""
        return Problem(
            where=where,
            found=repr(self.name),
            why=f"the catalogue knows no {self.kind} of that name, so nothing can be derived for it",
            fix=f"{self.hint} ('onprem-agents catalog' lists all)",
        )


class ClusterError(OnpremError):
    """A Kubernetes API server refused a request or could not be reached."""


class EnvironmentProblem(OnpremError):
    """This machine lacks something that the command needs."""


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """Return a sentence that offers the closest known names, or lists them all when none is close."""
    names = sorted(known)
    folded = {candidate.casefold(): candidate for candidate in names}
    close = difflib.get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(folded[match] for match in close) + "?"
    return "known: " + ", ".join(names)


def _masked(text: str, secret: str) -> str:
    """Take the secret out: a long one wherever it stands, a short one where it stands alone.

    A short one, such as `x` or `none` for a server that asks for no key, is part of many words.
    """
    pattern = re.escape(secret)
    if len(secret) < _LONG_SECRET_CHARS:
        pattern = rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
    return re.sub(pattern, "***", text)


def cleaned(text: str, *, secret: str | None) -> str:
    """Return a text from outside as one short printable line, with the secret taken out."""
    for form in (secret, json.dumps(secret)[1:-1]) if secret else ():  # as it is, and as JSON writes it
        text = _masked(text, form)
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= EVIDENCE_CHARS else line[:EVIDENCE_CHARS] + "…"
