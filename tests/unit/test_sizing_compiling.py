"""A start that compiles takes memory in the very run in which vLLM counts it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from onprem_agents.catalog import load_catalog
from onprem_agents.sizing import FitRequest, memory_of

pytestmark = pytest.mark.unit

CATALOG = load_catalog()


def request(model: str, precision: str, gpu: str, **changes: Any) -> FitRequest:
    known = CATALOG.model(model)
    base = FitRequest(
        model=known,
        variant=known.variant(precision),
        accelerator=CATALOG.accelerator(gpu),
        tensor_parallel=1,
        context_tokens=2048,
        max_num_seqs=8,
        kv_cache_dtype="auto",
        max_num_batched_tokens=2048,
        gpu_memory_utilization=0.82,
        vllm="0.29.0",
        start="cold",
    )
    return replace(base, **changes)


# What vLLM printed as peak activation, less the graphs that it counts there since 0.29.
@pytest.mark.parametrize(
    ("model", "precision", "gpu", "printed_gib"),
    [
        ("Qwen2.5-3B", "int4", "RTX-3060", 0.60),  # a laptop's: 0.67 less 0.07
        ("Qwen2.5-7B", "int4", "L4", 1.04),
        ("Qwen3-32B", "int4", "RTX-5090", 1.46),
        ("Qwen3.6-35B-A3B", "nvfp4", "RTX-5090", 1.00),  # 1.08 less 0.08, text alone
    ],
)
def test_a_cold_start_holds_a_second_table_of_embeddings(
    model: str, precision: str, gpu: str, printed_gib: float
) -> None:
    peak = memory_of(request(model, precision, gpu)).overhead.activation_gib
    assert peak == pytest.approx(printed_gib, abs=0.05)


def test_nothing_is_measured_before_0_12_with_images_in_eager_mode_or_from_a_cache() -> None:
    cold = request("gemma-3-4b", "bf16", "L4")
    # 262,208 x 2,560 in BF16, and 2,048 tokens of it
    assert memory_of(cold).overhead.compiling.high_gib == pytest.approx(1.26, abs=0.01)
    for changes in (
        {"vllm": "0.11.0"},
        {"language_model_only": False},
        {"enforce_eager": True},
        {"start": "warm"},
    ):
        assert memory_of(replace(cold, **changes)).overhead.compiling.high_gib == 0


def test_ranks_share_the_table() -> None:
    one, four = (
        memory_of(request("Qwen3-32B", "bf16", "H100", tensor_parallel=ranks)).overhead.compiling.high_gib
        for ranks in (1, 4)
    )
    # 151,936 x 5,120 in BF16 is 1.45 GiB; 2,048 tokens of 5,120 are 0.02 on every rank
    assert one == pytest.approx(1.47, abs=0.01)
    assert four == pytest.approx(0.38, abs=0.01)


def test_kernels_compiled_on_the_spot_stay_and_more_of_them_on_desktop_blackwell() -> None:
    def left_gib(gpu: str, **changes: Any) -> float:
        cold = request("Qwen3-8B", "bf16", gpu, **changes)
        contexts = [memory_of(one).overhead.non_torch_gib for one in (cold, replace(cold, start="warm"))]
        return contexts[0] - contexts[1]

    assert left_gib("L4") == pytest.approx(0.2)
    assert left_gib("RTX-5090") == pytest.approx(0.5)
    assert left_gib("L4", vllm="0.19.1") == 0, "logs of that time show none"
