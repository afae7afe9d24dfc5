"""`onprem-agents fit --cases FILE`: what would have been said of runs that happened."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from onprem_agents.advice.past_runs import COLUMNS, GIVEN_POOL, predict
from onprem_agents.catalog import load_catalog
from onprem_agents.errors import InvalidInput, Problem

_MOST_TOLD = 20
"""Rows that are named on stderr one by one; a file may have thousands."""


def answer_cases(path: Path) -> None:
    """Print one JSON object a row, and on stderr which rows have no answer, and why.

    Raises `InvalidInput` when the file cannot be read at all.
    """
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines)
            rows = [(reader.line_num, row) for row in reader]
            names = [name.strip() for name in reader.fieldnames or ()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problem = Problem(
            where=str(path),
            cause="unreadable",
            found=str(error),
            why="it cannot be read as CSV",
            fix="give a CSV file in UTF-8",
        )
        raise InvalidInput(str(path), [problem]) from None
    if rows and "id" not in names:
        problem = Problem(
            where=f"{path}, line 1",
            cause="missing-key",
            found=", ".join(names)[:200],
            why="there is no column 'id', so no answer could be told from another",
            fix="start the file with a header that has id, hf_id, precision, gpu, …",
        )
        raise InvalidInput(str(path), [problem])
    catalog = load_catalog()
    unread: list[dict[str, Any]] = []
    for line, row in rows:
        cells = {str(name).strip(): value for name, value in row.items() if name is not None}
        answer = _of_another_width(row) or predict(cells, catalog)
        if answer["verdict"] is None:
            answer["line"] = line
            unread.append(answer)
        click.echo(json.dumps(answer))
    for text in _summary(path, len(rows), unread, names):
        click.echo(text, err=True)


def _of_another_width(row: dict[str | Any, Any]) -> dict[str, Any] | None:
    """Return the answer of a row with more cells than the header names, in which no cell has a sure column."""
    more = [cell for cell in row.get(None) or () if cell.strip()]
    if not more:
        return None
    problem = {
        "where": "all columns",
        "cause": "wrong-shape",
        "found": ", ".join(more)[:200],
        "why": f"{len(more)} cells stand beyond the last column of the header",
        "fix": "taken: as many cells as the header has; put a text with a comma in quotes",
    }
    reason = f"{problem['why']} ({problem['found']}); {problem['fix']}"
    return {"id": (row.get("id") or "").strip(), "verdict": None, "reason": reason, "problems": [problem]}


def _summary(path: Path, rows: int, unread: list[dict[str, Any]], names: list[str]) -> Iterator[str]:
    ignored = [name for name in names if name not in (*COLUMNS, GIVEN_POOL)]
    if ignored:
        yield f"{path}: these columns are not read: {', '.join(ignored)}"
    if not unread:
        return
    yield f"{path}: {len(unread)} of {rows} rows cannot be answered, the others are:"
    for answer in unread[:_MOST_TOLD]:
        yield f"  line {answer['line']} ({answer['id'] or 'no id'}): {answer['reason']}"
    if len(unread) > _MOST_TOLD:
        yield f"  and {len(unread) - _MOST_TOLD} more, each told in its own line of the answers"
