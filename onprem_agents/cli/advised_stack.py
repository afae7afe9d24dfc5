"""The stack file that `advise --write` writes: it plans without a fault, so what it needs beside the choice is said."""

from __future__ import annotations

from typing import Any

from onprem_agents.advice.advise import Advice
from onprem_agents.plan.derive import plan_stack
from onprem_agents.plan.own_flags import SAME_CACHE
from onprem_agents.plan.ways_out import checkpoint_fields
from onprem_agents.stack.settings import PROJECT


def stack_of(advice: Advice, gpus: int, developers: int) -> dict[str, Any]:
    """Return the content of a stack file that serves this choice to that many developers, with time enough to load."""
    platform = _platform(advice, gpus, developers)
    loading = plan_stack(platform, stack="advised").main.loading
    if loading.enough_budget_seconds not in (None, loading.budget_seconds):
        platform["timeouts"] = {"loadBudgetSeconds": loading.enough_budget_seconds}
    return {"config": {f"{PROJECT}:platform": platform}}


def _platform(advice: Advice, gpus: int, developers: int) -> dict[str, Any]:
    request = advice.request
    role: dict[str, Any] = {
        "role": "coder",
        "model": request.variant.hf_id,
        "context": request.context_tokens,
        "tensorParallel": request.tensor_parallel,
        "replicas": advice.replicas,
        "kvCacheDtype": SAME_CACHE.get(request.kv_cache_dtype, request.kv_cache_dtype),
    }
    named = checkpoint_fields(request.model, request.variant)["precision"]
    if request.variant.hf_id == request.model.hf_id and named is not None:
        role["precision"] = named  # the bare name would leave every checkpoint open
    return {
        "hardware": {"accelerator": request.accelerator.name, "gpusPerNode": gpus, "nodes": 1},
        "models": [role],
        "access": {
            "host": "agents.example.internal",
            "tls": {"secretName": "agents-tls", "secretNamespace": "certificates"},
            "developers": {f"developer-{number}": {} for number in range(1, developers + 1)},
        },
    }
