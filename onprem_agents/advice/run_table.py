"""The table in a CSV file of runs: its header looked at as a whole, its rows with the lines that they stand on."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onprem_agents.advice.past_runs import COLUMNS, GIVEN_POOL
from onprem_agents.advice.run_cells import WHOLE_ROW, UnreadableRow
from onprem_agents.errors import Cause, InvalidInput, Problem, nearest_hint
from onprem_agents.files import read_text

_FIX = "give a CSV file of runs: a header with id, hf_id, precision, gpu, … and one run a line"
# One column of each is needed: without it no row can be answered, or no answer told from another.
_NEEDED = (("id",), ("hf_id",), ("gpu", "total_gpu_mem_gib"))
# What spreadsheets put between cells where a comma is the decimal sign, and where a table is copied.
_OTHER_SIGNS = {";": "semicolons", "\t": "tabs"}
_SHOWN_CHARS = 200


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row. `number` is the line of the file on which it ends; `fault` why its cells cannot be told apart."""

    number: int
    cells: Mapping[str, str]
    fault: UnreadableRow | None = None


@dataclass(frozen=True, kw_only=True)
class RunTable:
    """The rows of a file, blank ones left out, and its columns."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]

    def unread_columns(self) -> Iterator[str]:
        """Yield the columns that are not read, with the one that may be meant."""
        known = (*COLUMNS, GIVEN_POOL)
        for column in self.columns:
            if column in known:
                continue
            hint = nearest_hint(column, known)
            yield f"{column} ({hint})" if hint.startswith("did you mean") else column

    def repeated_ids(self) -> dict[str, list[int]]:
        """Return the lines of each id that several rows have."""
        found: dict[str, list[int]] = {}
        for line in self.lines:
            if line.cells.get("id"):
                found.setdefault(line.cells["id"], []).append(line.number)
        return {name: numbers for name, numbers in found.items() if len(numbers) > 1}


def read_table(path: Path) -> RunTable:
    """Return the table of a file. Raises `InvalidInput` with all that is wrong with it as a whole."""
    text = read_text(path, "a file of runs", fix=_FIX)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise InvalidInput(str(path), [_of_the_header("broken-syntax", str(error), "it is no CSV")]) from None
    problems = list(_header_problems(header, text))
    lines = tuple(_lines(reader, header)) if not problems else ()
    if not problems and not lines:
        problems = [
            _of_the_header("missing-key", "a header and no row below it", "there is no run to answer")
        ]
    if problems:
        raise InvalidInput(str(path), problems)
    return RunTable(columns=tuple(name for name in header if name), lines=lines)


def _header_problems(header: list[str], text: str) -> Iterator[Problem]:
    if not text.strip():
        yield _of_the_header("missing-key", "nothing", "the file is empty")
        return
    shown = ", ".join(header)[:_SHOWN_CHARS]
    sign = next((sign for sign in _OTHER_SIGNS if len(header) == 1 and sign in header[0]), None)
    if sign is not None:
        why = f"cells are parted by commas, and here by {_OTHER_SIGNS[sign]}"
        fix = "save it with commas between cells and points in numbers (CSV UTF-8 in a spreadsheet)"
        yield _of_the_header("wrong-shape", shown, why, fix)
        return
    for names in _NEEDED:
        if not set(names) & set(header):
            why = f"there is no column {' or '.join(names)}, without which no row can be answered"
            yield _of_the_header("missing-key", shown, why)
    for name, times in Counter(name for name in header if name).items():
        if times > 1:
            yield _of_the_header(
                "repeated", f"{times} columns {name!r}", "one of them would be read", f"leave one {name}"
            )


def _of_the_header(cause: Cause, found: str, why: str, fix: str = _FIX) -> Problem:
    return Problem(where="line 1", cause=cause, found=found, why=why, fix=fix)


def _lines(reader: Any, header: list[str]) -> Iterator[Line]:
    """Yield the rows that hold anything. A row of bad quotes is one of them, and reading goes on after it."""
    while True:
        before = reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number=before + 1, cells={}, fault=_of_bad_quotes(error))
            continue
        if any(cell.strip() for cell in row):
            cells = {name: cell for name, cell in zip(header, row, strict=False) if name}
            more = [cell for cell in row[len(header) :] if cell.strip()]
            yield Line(
                number=reader.line_num,
                cells=cells,
                fault=_of_another_width(more) if more else None,
            )


def _of_another_width(more: list[str]) -> UnreadableRow:
    """Return the fault of a row with more cells than the header names, in which no cell has a sure column."""
    problem = Problem(
        where=WHOLE_ROW,
        cause="wrong-shape",
        found=", ".join(more)[:_SHOWN_CHARS],
        why=f"{len(more)} cells stand beyond the last column of the header",
        fix="taken: as many cells as the header has; put a text with a comma in quotes",
    )
    return UnreadableRow([problem])


def _of_bad_quotes(error: csv.Error) -> UnreadableRow:
    problem = Problem(
        where=WHOLE_ROW,
        cause="broken-syntax",
        found=str(error),
        why="a quote opens or closes within a cell, or one that opens here is never closed",
        fix='taken: a cell wholly within quotes, quotes inside it doubled: "a ""b"", c"',
    )
    return UnreadableRow([problem])
