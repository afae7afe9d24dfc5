"""Runs with their answers: what vLLM printed, next to the engine's prediction and the usual estimates."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from onprem_agents.advice.past_runs import predict, request_of
from onprem_agents.catalog import Catalog, Variant
from onprem_agents.errors import InvalidInput, OnpremError, Problem
from onprem_agents.sizing import FitRequest, memory_of
from tools.bench.sizing_baselines import BASELINES

COLUMNS = ("weights", "KV pool", "concurrency")
ENGINE = "onprem"
COUNTED = "onprem, no log"
"""The engine without the sizes that logs showed: every weight is counted from the architecture."""

MOST_TOLD = 20
"""Rows that are named one by one; a file may have thousands."""

_FIGURES = ("model_load_gib", "available_kv_gib", "max_concurrency")

# Columns that say what vLLM printed; the engine must not see them.
_ANSWERS = (
    "model_load_gib", "available_kv_gib", "kv_cache_tokens", "max_concurrency", "graph_gib", "activation_peak_gib",
    "non_torch_gib", "kv_needed_gib", "est_max_len", "outcome", "source", "quote_key",
)  # fmt: skip


class _NotCompared(OnpremError):
    """A row that is no run to compare with."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run that can be compared. Figures are GiB per GPU, None where vLLM did not print them.

    `outcome` is how it ended ("ok", "kv_too_small", "oom_start"), `verdict` what the engine says of it.
    """

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
    outcome: str
    verdict: str | None

    @property
    def has_pool(self) -> bool:
        """Whether the pool that it printed can be held against a prediction: of V1, and of a share that it tells."""
        return self.pool_gib is not None and self.told_utilization and not self.request.rules.is_v0


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A row that is compared with nothing: its line in the file, its `id`, and why."""

    line: int
    ident: str
    why: str

    def __str__(self) -> str:
        return f"line {self.line} ({self.ident or 'no id'}): {self.why}"


def read_runs(path: Path, catalog: Catalog) -> tuple[list[Run], list[Unread]]:
    """Return the runs that can be compared, and the other rows. Raises `InvalidInput` when there is no run."""
    runs: list[Run] = []
    unread: list[Unread] = []
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines)
            for row in reader:
                try:
                    runs.append(_run(row, catalog))
                except OnpremError as error:
                    unread.append(Unread(line=reader.line_num, ident=row.get("id") or "", why=str(error)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _refusal(path, str(error), "it cannot be read as CSV") from None
    if not runs:
        why = "\n".join(str(row) for row in unread[:MOST_TOLD]) or "it has no rows below its header"
        raise _refusal(path, f"0 of {len(unread)} rows can be compared", why)
    return runs, unread


def _refusal(path: Path, found: str, why: str) -> InvalidInput:
    fix = (
        f"give a CSV file of runs with the columns of `onprem-agents fit --cases` and {', '.join(_FIGURES)}: "
        "one of these at least must be filled"
    )
    return InvalidInput(
        "./dev bench sizing", [Problem(where=str(path), cause="unreadable", found=found, why=why, fix=fix)]
    )


def errors_of(run: Run) -> Iterator[tuple[str, str, float]]:
    """Yield estimator, column and error of each figure that vLLM printed.

    Weights and concurrency as a share of the printed figure, the pool as a share of the GPU's memory.
    """
    memory = memory_of(run.request)
    concurrency = (
        None if run.pool_gib is None else memory.layout.concurrency(run.pool_gib, run.request.context_tokens)
    )
    counted = memory_of(replace(run.request, variant=unseen(run.request.variant)))
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


def unseen(variant: Variant) -> Variant:
    """Return the checkpoint as one that no log shows: its weights are counted from the architecture."""
    return variant.model_copy(update={"measured": False, "loaded_gib_per_gpu": {}})


def _run(row: Mapping[str, str], catalog: Catalog) -> Run:
    if row.get("patched"):
        raise _NotCompared("its vLLM was changed (column patched)")
    asked = {key: value for key, value in row.items() if key not in _ANSWERS}
    request = request_of(asked, catalog)
    load, pool, concurrency = (_number(row, name) for name in _FIGURES)
    if load is None and pool is None and concurrency is None and not row.get("outcome"):
        raise _NotCompared(f"it has none of the figures {', '.join(_FIGURES)}")
    return Run(
        ident=row.get("id") or "",
        family=request.model.family,
        precision=request.variant.precision,
        source=row.get("source") or "",
        request=request,
        load_gib=load,
        pool_gib=pool,
        concurrency=concurrency if row.get("max_model_len") else None,
        told_utilization=bool(_number(row, "gpu_memory_utilization")),
        graphs_gib=_number(row, "graph_gib"),
        activation_gib=_number(row, "activation_peak_gib"),
        non_torch_gib=_number(row, "non_torch_gib"),
        outcome=row.get("outcome") or "",
        verdict=predict(asked, catalog)["verdict"],
    )


def _number(row: Mapping[str, str], column: str) -> float | None:
    try:
        return float(row.get(column) or "")
    except ValueError:
        return None
