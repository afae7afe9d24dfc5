"""The one exception tree of the product; libraries raise, only the command lines print and exit.

OnpremError
├── InvalidInput        every problem of one input at once (a stack config, a catalogue, a connection file)
├── UnknownFact         the catalogue has no entry of that name
│   └── FormerName      but it knows what became of it
├── ClusterError        a Kubernetes API server said no or did not answer
└── EnvironmentProblem  this machine lacks something (Go, disk, a free port, a passphrase)
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

EVIDENCE_CHARS = 300
_LONG_SECRET_CHARS = 8
# How many names are offered for one that is unknown, up to how many are all listed, and how many letters tell a family.
_OFFERED, _LISTED, _TELLING = 3, 12, 4

# The fixed words by which scripts tell problems apart; a word never changes its meaning, and none is reused.
Cause = Literal[
    # of form
    "unreadable",  # a file that cannot be opened, or is no text
    "broken-syntax",  # not the YAML, JSON or CSV that it should be
    "wrong-shape",  # a map where a list is due, or the reverse
    "unknown-key",  # a key that nothing reads
    "missing-key",  # a key that has no default is left out
    "bad-value",  # of the wrong type, out of range, or badly written
    "repeated",  # a name or key that may stand only once
    "contradiction",  # two values that cannot both hold
    "unknown-name",  # the catalogue, the stack or the machine has nothing of that name
    "former-name",  # a name of other times or other programs, which is called otherwise here
    "name-too-long",  # names that are fine alone, and too long where they are put together
    "newer-version",  # written by a later release of this product
    # of secrets
    "secret-in-plain-text",
    "looks-like-key",  # a value that would be published and looks like a credential
    "missing-secret",
    "bad-secret",  # a key that could be guessed, or that no header could carry
    "not-a-secret",  # an encrypted value where a plain setting is due
    # of models, GPUs and vLLM
    "does-not-fit",  # the GPU's memory does not hold it
    "does-not-split",  # the model cannot be divided over that many GPUs
    "no-room",  # no node has GPUs left for a replica
    "too-few-sessions",
    "context-too-long",
    "no-tool-calls",  # vLLM has no parser for the model's tool calls
    "no-speculation",  # the model has nothing to draft tokens with
    "release-too-old",  # the model needs a later vLLM
    "release-refuses",  # that vLLM release has no such option, parser or value
    "unreadable-model",  # a config.json that cannot be sized
    # of developers' machines
    "not-supported",  # the agent cannot work with any served model
    "foreign-setting",  # a setting of somebody else's stands in the way
    "nothing-to-do",  # what should be changed or taken back is not there
    "for-a-person",  # a change that an agent proposed and a person decides
    "unusual-layout",  # a file whose text cannot be changed without touching what is not ours
]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong, told in three parts, with a fixed word for scripts.

    `found` is what is there (empty: the value itself), `why` the reason it cannot work, `fix` what to change.
    """

    cause: Cause
    found: str
    why: str
    fix: str

    def at(self, where: str, value: str = "") -> Problem:
        """Return this as the problem of a place; `value` is told where nothing else was found."""
        return Problem(where=where, cause=self.cause, found=self.found or value, why=self.why, fix=self.fix)


@dataclass(frozen=True, kw_only=True)
class Problem(Finding):
    """A finding with its place: `where` is the config key, file or command concerned."""

    where: str

    def __str__(self) -> str:
        return f"{self.where}\n  found: {self.found}\n  why:   {self.why}\n  fix:   {self.fix}"


class OnpremError(Exception):
    """Base of all errors that the product raises on purpose."""

    def as_json(self) -> dict[str, Any]:
        """Return the error as JSON values, for commands that were asked for JSON."""
        return {"error": type(self).__name__, "message": str(self)}


class InvalidInput(OnpremError):
    """One input with all of its problems, so that they can be mended in one go."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__(self._text())

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {
            "source": self.source,
            "problems": [asdict(problem) for problem in self.problems],
        }

    def _text(self) -> str:
        count = len(self.problems)
        head = f"{self.source}: {count} problem{'s' if count != 1 else ''}"
        text = "\n".join([head, *(str(problem) for problem in self.problems)])
        return text.encode("utf-8", "backslashreplace").decode()  # half characters, which no terminal takes


class UnknownFact(OnpremError):
    """The catalogue has no entry of that name; the message offers the nearest ones.

    `listed_by` is the command that lists all, where there is one.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, listed_by: str | None = None) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        listed = f" ('{listed_by}' lists all)" if listed_by is not None else ""
        self.hint = f"{nearest_hint(name, self.known)}{listed}"
        super().__init__(self._text())

    def _text(self) -> str:
        return f"unknown {self.kind} {self.name!r}; {self.hint}"

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {"problems": [asdict(self.problem(self.kind))]}

    def problem(self, where: str) -> Problem:
        """Return this as the problem of the config key that holds the name."""
        return Problem(
            where=where,
            cause="unknown-name",
            found=repr(self.name),
            why=f"the catalogue knows no {self.kind} of that name, so nothing can be derived for it",
            fix=self.hint,
        )


class FormerName(UnknownFact):
    """A name of other times or other programs: what became of it, and what to take instead.

    `source` says where that is from, and when it was read there.
    """

    def __init__(
        self, kind: str, name: str, became: str, instead: Iterable[str], *, source: str, listed_by: str
    ) -> None:
        self.became = became
        self.source = source
        self.instead = tuple(instead)
        self.listed_by = listed_by
        super().__init__(kind, name, self.instead, listed_by=listed_by)

    def _text(self) -> str:
        return f"{self.name!r}: {self.became} ({self.source}); {self._advice('take')}"

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {
            "became": self.became,
            "instead": list(self.instead),
            "source": self.source,
        }

    def problem(self, where: str) -> Problem:
        return Problem(
            where=where,
            cause="former-name",
            found=repr(self.name),
            why=self.became,
            fix=self._advice(f"set {where} to"),
        )

    def _advice(self, verb: str) -> str:
        return f"{verb} {' or '.join(self.instead) or f'a {self.kind} that {self.listed_by!r} lists'}"


class ClusterError(OnpremError):
    """A Kubernetes API server refused a request or could not be reached."""


class EnvironmentProblem(OnpremError):
    """This machine lacks something that the command needs."""


def needs_platform(what: str, package: str) -> str:
    """Return the sentence for a machine that lacks a package of the extra `platform`."""
    return f"{what} needs {package}, of the extra `platform`: pip install 'onprem-coding-agents[platform]'"


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """Return a sentence that offers the closest known names; where none is close, all of a few or the nearest."""
    names = sorted(known)
    wanted = name.casefold()
    folded = {candidate.casefold(): candidate for candidate in names}
    close = difflib.get_close_matches(wanted, list(folded), n=_OFFERED, cutoff=0.6)
    family = [candidate for candidate in folded if len(wanted) >= _TELLING and candidate.startswith(wanted)]
    if len(family) > 1:
        close = family[:_OFFERED]
    if close:
        return "did you mean " + " or ".join(folded[match] for match in close) + "?"
    if len(names) <= _LISTED:
        return "known: " + ", ".join(names)
    nearest = difflib.get_close_matches(wanted, list(folded), n=_OFFERED, cutoff=0.0)
    return "the nearest are " + ", ".join(folded[match] for match in nearest)


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
