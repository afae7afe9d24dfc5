"""Branches of a script: which of its commands surely run, which surely do not, as far as comparisons of texts tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onprem_agents.vllm.holes import has_hole

_OPENING = frozenset({"for", "while", "until", "case"})
_CLOSING = frozenset({"fi", "done", "esac"})
_BEFORE = frozenset({"then", "else", "do", "{", "!"})
_GLOB = frozenset("*?[")


@dataclass
class _Branch:
    """One construct that is open: whether its present part runs, and whether an earlier part surely or maybe did."""

    runs: bool | None
    earlier: bool | None = False
    asking: bool = False


class Branches:
    """Follows `if`, loops and `case` command by command; anything but a plain comparison leaves it open what runs."""

    def __init__(self) -> None:
        self._open: list[_Branch] = []

    @property
    def runs(self) -> bool | None:
        """Whether what is read now runs; None where that cannot be told."""
        states = [branch.runs for branch in self._open]
        return False if False in states else None if None in states else True

    def note(self, words: Sequence[str], *, alone: bool) -> None:
        """Take in the words of one command; `alone` tells that no `&&`, `||` or `|` joins it with the next."""
        for at, word in enumerate(words):
            if word == "if":
                self._open.append(_Branch(runs=_compared(words[at + 1 :]) if alone else None, asking=True))
                return
            if word in _OPENING:
                self._open.append(_Branch(runs=None))
                return
            if self._open and not self._continues(word, words[at + 1 :], alone=alone):
                return
            if word not in _BEFORE:
                return

    def _continues(self, word: str, rest: Sequence[str], *, alone: bool) -> bool:
        """Take in a word that continues or ends the construct that is open; return whether more may follow it."""
        branch = self._open[-1]
        if word in _CLOSING:
            self._open.pop()
            return False
        if word == "then":
            branch.asking = False
        elif word in ("elif", "else"):
            branch.earlier = _either(branch.earlier, branch.runs)
            told = True if word == "else" else _compared(rest) if alone else None
            branch.runs = _both(_opposite(branch.earlier), told)
            branch.asking = word == "elif"
            return word == "else"
        elif branch.asking:
            branch.runs = None  # a condition of several commands
        return True


def _compared(words: Sequence[str]) -> bool | None:
    """Return what a comparison of two texts says, None for any other condition."""
    match [*words]:
        case ["[", *inside, "]"] | ["[[", *inside, "]]"] | ["test", *inside]:
            return None if any(has_hole(word) for word in inside) else _told(inside)
    return None


def _told(inside: Sequence[str]) -> bool | None:
    match [*inside]:
        case [one, "=" | "==" | "!=" as operator, other] if not _GLOB & set(other):
            return (one == other) == (operator != "!=")
        case ["-n" | "-z" as operator, text]:
            return (text == "") == (operator == "-z")
    return None


def _opposite(told: bool | None) -> bool | None:
    return None if told is None else not told


def _both(one: bool | None, other: bool | None) -> bool | None:
    return False if False in (one, other) else None if None in (one, other) else True


def _either(one: bool | None, other: bool | None) -> bool | None:
    return True if True in (one, other) else None if None in (one, other) else False
