"""The search of the ranking, which computes shared terms once, finds what asking `fit` for every server finds."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from onprem_agents.advice.advise import advise, rankings
from onprem_agents.catalog import Accelerator, Model, load_catalog
from onprem_agents.plan.choice import kv_cache_dtypes, request_of
from onprem_agents.plan.own_flags import own_flags
from onprem_agents.sizing import Fit, FitRequest, fit
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import load_release, newest_release

pytestmark = pytest.mark.unit

CATALOG = load_catalog()
NEWEST = load_release(newest_release())
ROLE = ModelRole(role="coder", model="any")
# Agents' start prompt and compaction reserve leave nothing below (see the agents' facts).
LEAST_CONTEXT_TOKENS = 32_768


def _servers(
    model: Model, gpu: Accelerator, gpus: int, context_tokens: int
) -> Iterator[tuple[FitRequest, Fit]]:
    """Yield all that start, each asked for on its own, the context cut down where that is what it takes."""
    for variant in model.variants:
        for size in (size for size in range(1, gpus + 1) if gpus % size == 0):
            for dtype in kv_cache_dtypes(ROLE, gpu, needed=own_flags(model, variant, NEWEST).kv_cache_dtype):
                asked = request_of(
                    ROLE,
                    model,
                    variant,
                    gpu,
                    tensor_parallel=size,
                    context_tokens=min(context_tokens, model.architecture.max_context_tokens),
                    kv_cache_dtype=dtype,
                )
                found = fit(asked)
                shorter = found.largest_context_tokens // 1024 * 1024
                if not found.fits and LEAST_CONTEXT_TOKENS <= shorter < asked.context_tokens:
                    asked = replace(asked, context_tokens=shorter)
                    found = fit(asked)
                if found.fits:
                    yield asked, found


def _one_by_one(gpu: Accelerator, gpus: int, developers: int, context_tokens: int) -> list[tuple[Any, ...]]:
    """Return request, sessions and largest context of the ranked choices."""
    ranked = []
    for model in (model for model in CATALOG.models if model.tool_call_parser is not None):
        works = sum({"yes": 1, "unproven": 0, "no": -1}[support.works] for support in model.agents.values())
        best: tuple[Any, ...] | None = None
        for asked, found in _servers(model, gpu, gpus, context_tokens):
            sessions = gpus // asked.tensor_parallel * found.sessions
            cover = (sessions >= developers) + (sessions >= math.ceil(developers / 2))
            native = asked.variant.runs_natively_on(gpu.compute_capability)
            own = asked.cache_dtype == "auto"
            rank = cover, native, asked.variant.weights_gib, own, sessions, -asked.tensor_parallel
            if best is None or rank > best[0]:
                best = rank, asked, found
        if best is not None:
            (cover, _, _, _, sessions, _), asked, found = best
            ranked.append(((cover, works, model.total_params, sessions), asked, found))
    ranked.sort(key=lambda one: one[0], reverse=True)
    return [(asked, found.memory, place[3], found.largest_context_tokens) for place, asked, found in ranked]


@pytest.mark.parametrize(
    ("gpu", "gpus", "developers", "context_tokens"),
    [
        ("L40S", 4, 20, 131_072),
        ("RTX-3060", 1, 1, 131_072),
        ("A100-80", 6, 45, 200_000),
        ("H100-MIG-3g.40gb", 2, 7, 65_536),
        ("H200-MIG-1g.18gb", 1, 3, 33_000),
        ("T4", 3, 5, 49_152),
        ("GB10", 1, 2, 131_072),
        ("B300", 8, 300, 1_048_576),
    ],
)
def test_the_ranking_is_that_of_sizing_every_server_on_its_own(
    gpu: str, gpus: int, developers: int, context_tokens: int
) -> None:
    accelerator = CATALOG.accelerator(gpu)
    found = advise(CATALOG, accelerator, gpus, developers=developers, context_tokens=context_tokens)
    expected = _one_by_one(accelerator, gpus, developers, context_tokens)
    assert [(one.request, one.memory, one.sessions, one.largest_context_tokens) for one in found] == expected
    assert expected, "a sample in which nothing fits would prove nothing"


def test_a_ranking_among_many_is_the_one_that_is_asked_for_alone() -> None:
    names = ["RTX-4090", "L40", "L40S", "H100", "H100-PCIe", "H100-MIG-1g.20gb"]
    gpus = [CATALOG.accelerator(name) for name in names]
    for ranking in rankings(CATALOG, gpus, (1, 2, 3, 8), developers=12, context_tokens=98_304):
        alone = advise(CATALOG, ranking.accelerator, ranking.gpus, developers=12, context_tokens=98_304)
        assert [(one.request, one.sessions, one.reasons) for one in ranking.choices] == [
            (one.request, one.sessions, one.reasons) for one in alone
        ]


def test_all_rankings_of_the_catalogue_cost_less_than_eight_made_one_by_one() -> None:
    gpu = CATALOG.accelerator("L40S")
    start = time.process_time()
    _one_by_one(gpu, 4, 20, 131_072)
    one_seconds = time.process_time() - start
    start = time.process_time()
    found = list(rankings(CATALOG, CATALOG.accelerators, range(1, 9), developers=20))
    all_seconds = time.process_time() - start
    assert len(found) == len(CATALOG.accelerators) * 8
    assert all_seconds < 8 * one_seconds, f"{all_seconds:.2f} s for all, {one_seconds:.2f} s for one by one"
