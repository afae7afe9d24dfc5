"""The rows of a run as a table: said → printed."""

from __future__ import annotations

from rich.table import Table

from tools.verify_gpu.machine import Machine
from tools.verify_gpu.row import Row
from tools.verify_gpu.run import Results

_COLUMNS = (
    ("load", "model_load_gib"),
    ("activation", "activation_peak_gib"),
    ("non-torch", "non_torch_gib"),
    ("graphs", "graph_gib"),
    ("tokens", "kv_cache_tokens"),
    ("x", "max_concurrency"),
)


def table_of(results: Results, machine: Machine) -> Table:
    """Return the table; GiB on each GPU, what was said before the arrow and what vLLM printed behind it."""
    table = Table(
        title=f"vLLM {machine.vllm.version} on {machine.gpus} x {machine.printed}: said → printed, GiB on a GPU"
    )
    for name in (
        "checkpoint",
        "start",
        "KV pool (band) → printed",
        *(name for name, _ in _COLUMNS),
        "seconds",
    ):
        table.add_column(name)
    for row in results.rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> list[str]:
    said, printed = row.said, row.start.printed
    pool = (
        f"{said['available_kv_gib']:.2f} ({said['available_kv_gib_low']:.2f} to "
        f"{said['available_kv_gib_high']:.2f}) → {_number(printed.available_kv_gib)}"
    )
    mark = {True: "", False: " OUTSIDE", None: ""}[row.inside]
    outcome = f"{row.start.seconds:.0f}" if row.start.outcome == "ready" else row.start.outcome
    return [
        f"{row.model} TP {row.tensor_parallel}",
        row.temperature,
        pool + mark,
        *(f"{_number(said[name])} → {_number(getattr(printed, name))}" for _, name in _COLUMNS),
        outcome if row.start.error is None else f"{outcome}: {row.start.error}",
    ]


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"  # noqa: PLR2004  where tokens begin
