"""Runs with their answers: what vLLM printed, next to the engine's prediction and the usual estimates."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from onprem_agents.catalog import Catalog, Variant
from onprem_agents.errors import InvalidInput, OnpremError, Problem
from onprem_agents.sizing import FitRequest, memory_of
from onprem_agents.sizing.cases import request_of
from tools.bench.sizing_baselines import BASELINES

COLUMNS = ("weights", "KV pool", "concurrency")
ENGINE = "onprem"
COUNTED = "onprem, no log"
"""The engine without the sizes that logs showed: every weight is counted from the architecture."""

# Columns that say what vLLM printed; the engine must not see them.
_ANSWERS = (
    "model_load_gib", "available_kv_gib", "kv_cache_tokens", "max_concurrency", "graph_gib", "activation_peak_gib",
    "non_torch_gib", "kv_needed_gib", "est_max_len", "outcome", "source", "quote_key",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run that can be compared. Figures are GiB per GPU, None where vLLM did not print them."""

    ident: str
    family: str
    precision: str
    source: str
    request: FitRequest
    load_gib: float | None
    pool_gib: float | None
    concurrency: float | None
    told_utilization: bool
    graphs_gib: float | None
    activation_gib: float | None
    non_torch_gib: float | None


def read_runs(path: Path, catalog: Catalog) -> tuple[list[Run], int]:
    """Return the runs that the engine can answer, and how many rows count. Raises `InvalidInput`."""
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = [row for row in csv.DictReader(lines) if row.get("hf_id") and not row.get("patched")]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problem = Problem(
            where=str(path), found=str(error), why="it cannot be read as CSV", fix="give a file of runs"
        )
        raise InvalidInput("./dev bench sizing", [problem]) from None
    return [run for row in rows for run in _run(row, catalog)], len(rows)


def errors_of(run: Run) -> Iterator[tuple[str, str, float]]:
    """Yield estimator, column and error of each figure that vLLM printed.

    Weights and concurrency as a share of the printed figure, the pool as a share of the GPU's memory.
    """
    memory = memory_of(run.request)
    concurrency = (
        None if run.pool_gib is None else memory.layout.concurrency(run.pool_gib, run.request.context_tokens)
    )
    counted = memory_of(replace(run.request, variant=_unseen(run.request.variant)))
    estimates = {
        ENGINE: (memory.weights.gib, memory.pool_gib, concurrency),
        COUNTED: (counted.weights.gib, counted.pool_gib, concurrency),
    }
    for name, baseline in BASELINES.items():
        estimates[name] = baseline(run.request, run.pool_gib)
    for name, (weights, pool, held) in estimates.items():
        if run.load_gib:
            yield name, "weights", abs(weights - run.load_gib) / run.load_gib
        if run.request.rules.is_v0:
            continue
        if run.pool_gib is not None and run.told_utilization:
            yield name, "KV pool", abs(pool - run.pool_gib) / run.request.accelerator.total_gib
        if run.pool_gib and run.concurrency and held is not None:
            yield name, "concurrency", abs(held - run.concurrency) / run.concurrency


def _unseen(variant: Variant) -> Variant:
    return variant.model_copy(update={"measured": False, "loaded_gib_per_gpu": {}})


def _run(row: Mapping[str, str], catalog: Catalog) -> Iterator[Run]:
    try:
        request = request_of({key: value for key, value in row.items() if key not in _ANSWERS}, catalog)
    except OnpremError:
        return
    yield Run(
        ident=row["id"],
        family=request.model.family,
        precision=request.variant.precision,
        source=row["source"],
        request=request,
        load_gib=_number(row["model_load_gib"]),
        pool_gib=_number(row["available_kv_gib"]),
        concurrency=_number(row["max_concurrency"]) if row["max_model_len"] else None,
        told_utilization=bool(_number(row["gpu_memory_utilization"])),
        graphs_gib=_number(row["graph_gib"]),
        activation_gib=_number(row["activation_peak_gib"]),
        non_torch_gib=_number(row["non_torch_gib"]),
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
