"""`onprem-agents fit --cases FILE`: what would have been said of runs that happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from onprem_agents.advice.past_runs import COLUMNS, predict, unanswered
from onprem_agents.advice.run_table import Line, RunTable, read_table
from onprem_agents.catalog import Catalog, load_catalog
from onprem_agents.errors import Cause

_MOST_TOLD = 20
"""Rows that are named on stderr one by one; a file may have thousands."""

_UNREADABLE: tuple[Cause, ...] = ("bad-value", "wrong-shape", "broken-syntax")
"""What is wrong with the file. Other rows without an answer are read, and about what nobody knows."""

# The column of a row that says what an option of the command says, where it has another name.
_COLUMNS = {
    "count": "gpu_count",
    "tensor_parallel": "tp",
    "pipeline_parallel": "pp",
    "data_parallel": "gpu_count",
    "context": "max_model_len",
    "utilization": "gpu_memory_utilization",
    "prefix_caching": "enable_prefix_caching",
    "images": "text_only",
    "vllm": "vllm_version",
    "model": "hf_id",
}
_BESIDE = ("cases", "as_json")


def answer_cases(path: Path) -> bool:
    """Print one JSON object a row, and on stderr which rows have no answer, and why.

    Returns whether every row could be read. Raises `InvalidInput` when the file cannot be read at all.
    """
    table, catalog = read_table(path), load_catalog()
    unread: list[dict[str, Any]] = []
    for line in table.lines:
        answer = {**_answer(line, catalog), "line": line.number}
        if answer["verdict"] is None:
            unread.append(answer)
        click.echo(json.dumps(answer))
    for text in _summary(path, table, unread):
        click.echo(text, err=True)
    return not any(problem["cause"] in _UNREADABLE for answer in unread for problem in answer["problems"])


def refuse_beside_cases(context: click.Context) -> None:
    """Refuse options that say what each row says for itself, so that none is ignored. Raises `UsageError`."""
    given = [
        option
        for option in context.command.params
        if option.name not in _BESIDE
        and context.get_parameter_source(str(option.name)) is not ParameterSource.DEFAULT
    ]
    if given:
        told = "; ".join(_told(option) for option in given)
        raise click.UsageError(f"--cases takes each row's own settings, and none from the command: {told}")


def _told(option: click.Parameter) -> str:
    name = str(option.name)
    written = name.upper() if isinstance(option, click.Argument) else max(option.opts, key=len)
    column = _COLUMNS.get(name, name)
    return f"{written} (column {column})" if column in COLUMNS else f"{written} (leave it out)"


def _answer(line: Line, catalog: Catalog) -> dict[str, Any]:
    if line.fault is not None:
        return unanswered(line.cells.get("id", "").strip(), line.fault)
    return predict(line.cells, catalog)


def _summary(path: Path, table: RunTable, unread: list[dict[str, Any]]) -> Iterator[str]:
    columns = list(table.unread_columns())
    if columns:
        yield f"{path}: these columns are not read: {', '.join(columns)}"
    for name, numbers in table.repeated_ids().items():
        yield (
            f"{path}: the id {name!r} stands on the lines {', '.join(str(number) for number in numbers)}: only 'line' "
            "tells their answers apart"
        )
    if not unread:
        return
    yield f"{path}: {len(unread)} of {len(table.lines)} rows cannot be answered:"
    for answer in unread[:_MOST_TOLD]:
        yield f"  line {answer['line']} ({answer['id'] or 'no id'}): {answer['reason']}"
    if len(unread) > _MOST_TOLD:
        yield f"  and {len(unread) - _MOST_TOLD} more, each told in its own line of the answers"
