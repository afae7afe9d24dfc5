"""`./dev bench speed`: how far expected speeds lie from public measurements of decode and prefill."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from rich.console import Console
from rich.table import Table

from onprem_agents.catalog import Accelerator, Catalog, load_catalog
from onprem_agents.errors import UnknownFact
from onprem_agents.sizing import FitRequest, memory_of
from onprem_agents.sizing.demand import demand_from, kernels_seconds
from onprem_agents.sizing.links import links_of
from onprem_agents.sizing.pace import Pace, pace_from, rates_of
from onprem_agents.sizing.work import attention_of, session_bytes, shares_of
from tools.bench.speed_cases import Kind, Score, SpeedCase, read_speed_cases, score

AIM = 0.25
"""The median error that is aimed at."""

_BATCH_TOKENS = 8192
# What a case has instead of the links that the catalogue gives its GPU: NVLink of an A100, PCI Express 4.0.
_NVLINK_GB_PER_SECOND, _PCIE_GB_PER_SECOND = 600, 64


def scores() -> Mapping[tuple[Kind, bool], Score]:
    """Return the score of decode and prefill, for the cases to tune on (False) and those kept aside (True)."""
    catalog = load_catalog()
    cases = [case for case in read_speed_cases() if case.kind != "load"]
    return score(lambda case: predict(case, catalog), cases)


def predict(case: SpeedCase, catalog: Catalog) -> float | None:
    """Return the expected figure of a case in its unit; None where its GPU is not known or tokens were drafted."""
    try:
        gpu = _with_links(case, catalog.accelerator(case.gpu))
        checkpoint = case.checkpoint(catalog)
    except UnknownFact:
        return None
    if case.speculative_tokens:
        return None
    prompt_tokens, output_tokens = case.prompt_tokens or 0, case.output_tokens or 0
    context_tokens = max(1, prompt_tokens + output_tokens // 2)
    request = FitRequest(
        model=checkpoint.model,
        variant=checkpoint.variant,
        accelerator=gpu,
        tensor_parallel=case.tensor_parallel,
        context_tokens=context_tokens,
        max_num_seqs=256,
        kv_cache_dtype="fp8" if case.kv_cache_dtype == "fp8" else "auto",
        max_num_batched_tokens=_BATCH_TOKENS,
        gpu_memory_utilization=0.92,
    )
    pace, prompt_seconds = _pace(request, prompt_tokens)
    if case.kind == "prefill":
        return _prefill(case, pace, prompt_seconds)
    return _decode(case, pace, prompt_seconds)


def _decode(case: SpeedCase, pace: Pace, prompt_seconds: float) -> float:
    step, output_tokens = pace.step_seconds(case.concurrency), case.output_tokens or 0
    if case.unit == "tokens_per_second_per_user":
        if "whole time" not in case.note or not output_tokens:
            return 1 / step
        return output_tokens / (output_tokens * step + prompt_seconds)
    if "no prefill" in case.note or not output_tokens:
        return case.concurrency / step
    whole = output_tokens * step + case.concurrency * prompt_seconds
    return case.concurrency * output_tokens / whole


def _prefill(case: SpeedCase, pace: Pace, prompt_seconds: float) -> float:
    tokens = case.concurrency * (case.prompt_tokens or 0)
    steps = max(1, math.ceil(tokens / _BATCH_TOKENS))
    whole = case.concurrency * prompt_seconds + steps * (pace.step_seconds(0) + pace.experts)
    if case.unit == "prefill_tokens_per_second":
        return tokens / whole
    return (
        whole if case.concurrency == 1 else whole / 2
    )  # prompts that start together wait half of it on average


def _pace(request: FitRequest, prompt_tokens: int) -> tuple[Pace, float]:
    """Return the pace at the case's own length, and the seconds that its prompt adds to the steps that take it."""
    model, size = request.model, request.tensor_parallel
    architecture = model.architecture
    rates = rates_of(request.accelerator, model, request.variant)
    links = links_of(request)

    def pace(context_tokens: int) -> Pace:
        demand = demand_from(
            shares_of(request),
            attention_of(architecture, context_tokens),
            context_tokens=context_tokens,
            weights_gib=memory_of(request).weights.gib,
            read_bytes=session_bytes(architecture, size, request.cache_dtype, context_tokens),
            gpus=size,
            kernels_seconds=kernels_seconds(architecture),
        )
        return pace_from(demand, links, rates, batch_tokens=_BATCH_TOKENS)

    return pace(request.context_tokens), pace(prompt_tokens).lost_prompt if prompt_tokens else 0.0


def _with_links(case: SpeedCase, gpu: Accelerator) -> Accelerator:
    if case.nvlink is None or case.nvlink == gpu.nvlink:
        return gpu
    speed = _NVLINK_GB_PER_SECOND if case.nvlink else _PCIE_GB_PER_SECOND
    return gpu.model_copy(update={"nvlink": case.nvlink, "interconnect_gb_per_second": speed})


@cache
def table_rows() -> tuple[tuple[str, ...], ...]:
    """Return the scores as cells: group, cases, those not predicted, median error, p90, predicted over measured."""
    return tuple(
        (
            f"{kind}, {'kept aside' if kept_aside else 'the other half'}",
            f"{one.count}",
            f"{one.unpredicted}",
            f"{one.median_error:.0%}",
            f"{one.p90_error:.0%}",
            f"{one.median_ratio:.2f}",
        )
        for (kind, kept_aside), one in sorted(scores().items())
    )


def speed_wire() -> dict[str, Any]:
    """Return the scores as plain values for JSON."""
    return {
        "aim": AIM,
        "scores": [
            {
                "kind": kind,
                "keptAside": kept_aside,
                "cases": one.count,
                "unpredicted": one.unpredicted,
                "medianError": round(one.median_error, 3),
                "p90Error": round(one.p90_error, 3),
                "medianRatio": round(one.median_ratio, 3),
            }
            for (kind, kept_aside), one in sorted(scores().items())
        ],
    }


def show_speed(console: Console) -> None:
    """Print the scores."""
    table = Table("", "cases", "without", "median error", "p90", "predicted / measured", show_edge=False)
    for row in table_rows():
        table.add_row(*row)
    console.print(table)
    console.print(f"aim: a median error of at most {AIM:.0%}")
