"""Whether memory is sized for a cold start or a warm one follows from where what vLLM compiles lies."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.errors import InvalidInput
from onprem_agents.manifests.model_source import cache_environment
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.report import role_report
from tests.unit.manifest_samples import planned

pytestmark = pytest.mark.unit

CLAIM: dict[str, Any] = {"pvc": {}}
FOLDER: dict[str, Any] = {"hostPath": {"path": "/var/lib/coding-agents"}}
GROUP: dict[str, Any] = {"localModelCache": {"nodeGroup": "gpus"}}


def with_cache(cache: dict[str, Any] | None, **model: Any) -> PlatformPlan:
    return planned(model={**({} if cache is None else {"cache": cache}), **model})


@pytest.mark.parametrize(
    ("cache", "kind", "because"),
    [
        (None, "cold", "goes with the pod"),
        (GROUP, "cold", "KServe's cache keeps the weights and nothing that vLLM compiles"),
        (CLAIM, "warm", "kept on its claim"),
        (FOLDER, "warm", "kept in /var/lib/coding-agents of each node"),
    ],
)
def test_a_start_is_warm_where_what_is_compiled_outlives_the_pod(
    cache: dict[str, Any] | None, kind: str, because: str
) -> None:
    serving = with_cache(cache).main

    assert serving.start.kind == kind
    assert because in serving.start.because
    assert serving.fit.memory is not None
    assert serving.fit.memory.request.start == kind, "what is said is what the memory is sized for"
    assert role_report(serving)["loading"]["start"] == kind
    # The same as the manifests and the time to load take for it.
    assert ("VLLM_CACHE_ROOT" in cache_environment(serving)) == (kind == "warm")
    assert (serving.loading.restart_seconds < serving.loading.start_seconds) == (kind == "warm")


def test_a_cold_start_leaves_less_to_the_cache_than_a_warm_one() -> None:
    assert with_cache(None).main.fit.kv_pool_gib < with_cache(CLAIM).main.fit.kv_pool_gib


@pytest.mark.parametrize(("value", "kind"), [("1", "cold"), ("0", "warm")])
def test_a_compile_cache_that_is_turned_off_is_not_there(value: str, kind: str) -> None:
    start = with_cache(CLAIM, env={"VLLM_DISABLE_COMPILE_CACHE": value}).main.start

    assert start.kind == kind
    assert ("VLLM_DISABLE_COMPILE_CACHE" in start.because) == (kind == "cold")


def test_a_model_that_fits_warm_alone_is_refused_with_the_claim_that_makes_it_warm() -> None:
    # 29.6 GiB of weights on 44.3, and 9.6 of cache for one context: a cold start leaves 8.8, a warm one 10
    asked: dict[str, Any] = {
        "model": "Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8",
        "context": 209_712,
        "kvCacheDtype": "fp8",
        "tensorParallel": 1,
    }
    with pytest.raises(InvalidInput) as refused:
        with_cache(None, **asked)
    (problem,) = refused.value.problems
    assert problem.fix.startswith("set platform.models[0].cache to {pvc: {}}")
    assert with_cache(CLAIM, **asked).main.fit.fits, "what is advised is enough"
    with pytest.raises(InvalidInput) as elsewhere:
        with_cache(None, **asked, source="pvc://weights/coder")
    assert "cache to" not in elsewhere.value.problems[0].fix, (
        "such weights are kept already, in no claim of ours"
    )
