"""Sizing requests of all kinds for properties that hold whatever the model."""

from __future__ import annotations

import random
from dataclasses import replace

from onprem_agents.catalog import Accelerator, Model, Variant, load_catalog
from onprem_agents.sizing import FitRequest, candidate_tensor_parallel

CATALOG = load_catalog()
H100 = CATALOG.accelerator("H100")


def request(model: Model, variant: Variant, gpu: Accelerator = H100, **changes: object) -> FitRequest:
    base = FitRequest(
        model=model,
        variant=variant,
        accelerator=gpu,
        tensor_parallel=1,
        context_tokens=min(32_768, model.architecture.max_context_tokens),
        max_num_seqs=16,
        kv_cache_dtype="auto",
        max_num_batched_tokens=2048,
        gpu_memory_utilization=0.92,
        vllm="0.33.0",
    )
    return replace(base, **changes)  # type: ignore[arg-type] # keyword values are the fields of FitRequest


def named_request(model: str, variant: str, gpu: str, **changes: object) -> FitRequest:
    """A session of 128k in an FP8 cache on one GPU; all three by their names in the catalogue."""
    known = CATALOG.model(model)
    asked = {"context_tokens": 131_072, "kv_cache_dtype": "fp8", **changes}
    return request(known, known.variant(variant), CATALOG.accelerator(gpu), **asked)


def sample(count: int) -> list[FitRequest]:
    """Requests of all kinds, the same in every run."""
    dice = random.Random(20261124)  # noqa: S311 - no secret
    found: list[FitRequest] = []
    while len(found) < count:
        model = dice.choice(CATALOG.models)
        gpu = dice.choice(CATALOG.accelerators)
        sizes = candidate_tensor_parallel(model, gpu, 8)
        if not sizes:
            continue
        context = dice.choice((2048, 8192, 16_384, 40_000, 131_072))
        found.append(
            request(
                model,
                dice.choice(model.variants),
                gpu,
                tensor_parallel=dice.choice(sizes),
                context_tokens=min(context, model.architecture.max_context_tokens),
                max_num_seqs=dice.choice((1, 4, 16, 64)),
                kv_cache_dtype=dice.choice(("auto", "fp8")),
                vllm=dice.choice((None, "0.11.0", "0.19.1", "0.24.0")),
            )
        )
    return found
