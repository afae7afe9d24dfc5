"""The cells of one row of a file of runs: read with their types, and every fault of a row told at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from onprem_agents.errors import Cause, OnpremError, Problem

WHOLE_ROW = "all columns"
"""The place of what is wrong with a row in which no cell has a sure column."""

# Beyond what any run has: GiB and shares of memory, and tokens, sequences and GPUs.
_MOST_NUMBER, _MOST_WHOLE = 100_000, 100_000_000
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


class UnreadableRow(OnpremError, ValueError):
    """A row that cannot be answered; `problems` name a column each, what was found there and what is taken."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(_in_words(problem) for problem in problems))


class Cells:
    """One row. A cell that cannot be read counts as blank, and as one more of `problems`."""

    def __init__(self, row: Mapping[str, str | None]) -> None:
        self._row = row
        self.problems: list[Problem] = []

    def text(self, column: str) -> str:
        """Return a cell without the blanks around it, "" where there is none."""
        return (self._row.get(column) or "").strip()

    def refuse(self, column: str, why: str, taken: str, *, cause: Cause = "bad-value") -> None:
        """Note that a cell cannot be used, why, and what could be."""
        found = repr(self.text(column))
        self.problems.append(Problem(where=column, cause=cause, found=found, why=why, fix=f"taken: {taken}"))

    def number(self, column: str, *, least: float | None = None) -> float | None:
        """Return a number, None where the cell is blank."""
        taken = "a number" if least is None else f"a number of at least {least:g}"
        return self._number(column, least, _MOST_NUMBER, f"{taken}, at most {_MOST_NUMBER}")

    def whole(self, column: str, *, least: int = 1) -> int | None:
        """Return a whole number, None where the cell is blank."""
        taken = f"a whole number of at least {least}, at most {_MOST_WHOLE}"
        number = self._number(column, least, _MOST_WHOLE, taken)
        if number is None:
            return None
        if number != int(number):
            self.refuse(column, "it is no whole number", taken)
            return None
        return int(number)

    def flag(self, column: str) -> bool | None:
        """Return a yes or no, None where the cell is blank."""
        text = self.text(column).casefold()
        if text in _TRUE:
            return True
        if text and text not in _FALSE:
            self.refuse(column, "it is neither yes nor no", f"{', '.join((*_TRUE, *_FALSE))} or nothing")
        return False if text in _FALSE else None

    def word(self, column: str, known: Iterable[str], *, cause: Cause = "bad-value") -> str | None:
        """Return one of the known words, None where the cell is blank."""
        text, words = self.text(column).casefold(), tuple(known)
        if not text or text in words:
            return text or None
        self.refuse(column, "nothing is known of it", f"{', '.join(words)} or nothing", cause=cause)
        return None

    def raise_if_any(self) -> None:
        """Raise `UnreadableRow` where a cell was refused."""
        if self.problems:
            raise UnreadableRow(self.problems)

    def _number(self, column: str, least: float | None, most: float, taken: str) -> float | None:
        text = self.text(column)
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.refuse(column, "it is no number", taken)
        elif least is not None and number < least:
            self.refuse(column, "it is too small", taken)
        elif abs(number) > most:
            self.refuse(column, "it is too large", taken)
        else:
            return number
        return None


def _in_words(problem: Problem) -> str:
    if problem.where == WHOLE_ROW:
        return f"{problem.why} ({problem.found}); {problem.fix}"
    found = "empty" if problem.found == "''" else problem.found
    return f"{problem.where} is {found}: {problem.why} ({problem.fix})"
