"""The ranking of `onprem-agents advise` without its shared terms: every server sized on its own.

The search is compared with it: in its results by a test, in its time by `./dev bench advise`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from onprem_agents.advice.quality import standings
from onprem_agents.catalog import Accelerator, Catalog, Model
from onprem_agents.plan.choice import kv_cache_dtypes, noticeable_loss, request_of
from onprem_agents.plan.own_flags import own_flags
from onprem_agents.sizing import Fit, FitRequest, Memory, fit, speed_of
from onprem_agents.sizing.speed import turns_on
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import load_release, newest_release

_ROLE = ModelRole(role="coder", model="any")
_NEWEST = load_release(newest_release())
# Agents' start prompt and compaction reserve leave nothing below (see the agents' facts).
_LEAST_CONTEXT_TOKENS = 32_768


def one_by_one(
    catalog: Catalog, gpu: Accelerator, gpus: int, developers: int, context_tokens: int
) -> list[tuple[Any, ...]]:
    """Return request, sessions and largest context of the ranked choices."""
    ranked = []
    standing_of = standings(catalog.models)
    for model in (model for model in catalog.models if model.tool_call_parser is not None):
        works = sum({"yes": 1, "unproven": 0, "no": -1}[support.works] for support in model.agents.values())
        best: tuple[Any, ...] | None = None
        for asked, found in servers_that_start(model, gpu, gpus, context_tokens):
            replicas = gpus // asked.tensor_parallel
            sessions = replicas * found.sessions
            cover = (sessions >= developers) + (sessions >= math.ceil(developers / 2))
            native = gpu.computes_in(asked.variant)
            own = asked.cache_dtype == "auto"
            if found.memory is None or not _is_fast(found.memory, developers, replicas):
                continue
            busy = _busy_seconds(found.memory, developers, replicas)
            rank = cover, native, -noticeable_loss(asked.variant), own, -busy, -asked.tensor_parallel
            if best is None or rank > best[0]:
                best = rank, asked, found, sessions
        if best is not None:
            (cover, *_), asked, found, sessions = best
            quality = standing_of[model.name].order if model.name in standing_of else ()
            ranked.append(((cover, works >= 0, quality, works, model.total_params, sessions), asked, found))
    ranked.sort(key=lambda one: one[0], reverse=True)
    return [(asked, found.memory, place[-1], found.largest_context_tokens) for place, asked, found in ranked]


def _is_fast(memory: Memory, developers: int, replicas: int) -> bool:
    speed = speed_of(memory, developers, replicas)
    return speed.tokens_per_second_per_developer >= 15 and speed.first_token_seconds_cold_30k <= 20  # noqa: PLR2004 - the floors


def _busy_seconds(memory: Memory, developers: int, replicas: int) -> float:
    turns = turns_on(memory, developers, replicas)
    most = min(turns.agents, turns.at_once)
    return turns.answer_seconds(most) * turns.agents / most


def servers_that_start(
    model: Model, gpu: Accelerator, gpus: int, context_tokens: int
) -> Iterator[tuple[FitRequest, Fit]]:
    """Yield all of which a whole number fills the GPUs and that start, each asked for on its own.

    The context is cut down where that is what it takes.
    """
    for variant in model.variants:
        for size in (size for size in range(1, gpus + 1) if gpus % size == 0):
            for dtype in kv_cache_dtypes(
                _ROLE, gpu, needed=own_flags(model, variant, _NEWEST).kv_cache_dtype
            ):
                asked = request_of(
                    _ROLE,
                    model,
                    variant,
                    gpu,
                    tensor_parallel=size,
                    context_tokens=min(context_tokens, model.architecture.max_context_tokens),
                    kv_cache_dtype=dtype,
                )
                found = fit(asked)
                shorter = found.largest_context_tokens // 1024 * 1024
                if not found.fits and _LEAST_CONTEXT_TOKENS <= shorter < asked.context_tokens:
                    asked = replace(asked, context_tokens=shorter)
                    found = fit(asked)
                if found.fits:
                    yield asked, found
