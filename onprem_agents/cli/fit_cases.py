"""`onprem-agents fit --cases FILE`: what would have been said of runs that happened."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import click

from onprem_agents.advice.past_runs import predict
from onprem_agents.catalog import load_catalog
from onprem_agents.errors import InvalidInput, Problem


def answer_cases(path: Path) -> None:
    """Print one JSON object a row. Raises `InvalidInput` when the file cannot be read at all."""
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problem = Problem(
            where=str(path),
            cause="unreadable",
            found=str(error),
            why="it cannot be read as CSV",
            fix="give a CSV file in UTF-8",
        )
        raise InvalidInput(str(path), [problem]) from None
    if rows and "id" not in rows[0]:
        problem = Problem(
            where=f"{path}, line 1",
            cause="missing-key",
            found=", ".join(str(name) for name in rows[0])[:200],
            why="there is no column 'id', so no answer could be told from another",
            fix="start the file with a header that has id, hf_id, precision, gpu, …",
        )
        raise InvalidInput(str(path), [problem])
    catalog = load_catalog()
    for row in rows:
        click.echo(json.dumps(predict(row, catalog)))
