"""What other makers' accelerators run: what was read of their builds of vLLM, never by a number of CUDA's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from onprem_agents.advice.advise import Asked, advise
from onprem_agents.catalog import BUILDS, DEVICES, load_catalog
from onprem_agents.catalog.fact import Source
from onprem_agents.sizing import FitRequest, fit

pytestmark = pytest.mark.unit

CATALOG = load_catalog()
QWEN = CATALOG.model("Qwen3.6-27B")


def asked(accelerator: str, precision: str, **changed: Any) -> FitRequest:
    """Return a request for 32k tokens of Qwen3.6-27B."""
    request = FitRequest(
        model=QWEN,
        variant=QWEN.variant(precision),
        accelerator=CATALOG.accelerator(accelerator),
        tensor_parallel=1,
        context_tokens=32_768,
        max_num_seqs=8,
        kv_cache_dtype="auto",
        max_num_batched_tokens=8192,
        gpu_memory_utilization=0.9,
        language_model_only=True,
    )
    return replace(request, **changed)


@pytest.mark.parametrize(
    ("accelerator", "labels"),
    [
        # ROCm/k8s-device-plugin, docs/user-guide/installation.md: its example of an MI300X.
        ("MI300X", {"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM", "amd.com/gpu.vram": "192G"}),
        # Nodes of public clusters, which say MI325 and MI355 without the X.
        ("MI325X", {"amd.com/gpu.product-name": "AMD_Instinct_MI325_OAM", "amd.com/gpu.vram": "256G"}),
        ("MI355X", {"amd.com/gpu.product-name": "AMD_Instinct_MI355_OAM", "amd.com/gpu.vram": "288G"}),
        # MindCluster, "K8s native objects".
        (
            "Ascend-910B3",
            {"node.kubernetes.io/npu.chip.name": "910B3", "mind-cluster/npu-chip-memory": "64G"},
        ),
        ("L40S", {"nvidia.com/gpu.product": "NVIDIA-L40S", "nvidia.com/gpu.memory": "46068"}),
    ],
)
def test_nodes_are_known_by_the_labels_of_their_maker(accelerator: str, labels: dict[str, str]) -> None:
    assert CATALOG.accelerator(accelerator).node_labels == labels


def test_every_maker_has_a_device_and_a_build() -> None:
    makers = {gpu.vendor for gpu in CATALOG.accelerators}

    assert makers == set(DEVICES) == set(BUILDS) == {"nvidia", "amd", "huawei"}


@pytest.mark.parametrize(
    ("accelerator", "runs"),
    [
        ("MI300X", {"bf16", "fp8", "int4"}),
        ("MI355X", {"bf16", "fp8", "int4"}),
        ("Ascend-910B3", {"bf16"}),
        ("H100", {"bf16", "fp8", "int4", "nvfp4"}),
    ],
)
def test_a_checkpoint_runs_where_the_makers_build_was_read_to_run_it(
    accelerator: str, runs: set[str]
) -> None:
    gpu = CATALOG.accelerator(accelerator)

    assert {variant.precision for variant in QWEN.variants if gpu.runs(variant)} == runs


def test_cdna_computes_in_fp8_and_only_stores_int4() -> None:
    for name in ("MI300X", "MI325X", "MI350X", "MI355X"):
        gpu = CATALOG.accelerator(name)
        assert gpu.native_fp8
        assert gpu.computes_in(QWEN.variant("fp8"))
        assert not gpu.computes_in(QWEN.variant("int4"))
        assert gpu.native_fp4 == name.startswith("MI35")


def test_what_nobody_read_to_run_is_refused_with_the_reason() -> None:
    on_amd, on_ascend = fit(asked("MI300X", "nvfp4")), fit(asked("Ascend-910B3", "fp8"))

    assert not on_amd.fits
    assert "vLLM for ROCm does not run" in on_amd.problems[0]
    assert "only emulates it" in on_amd.problems[0]
    assert not on_ascend.fits
    assert "no FP8 units" in on_ascend.problems[0]


def test_an_fp8_cache_is_refused_where_the_build_keeps_none() -> None:
    on_ascend = fit(asked("Ascend-910B3", "bf16", kv_cache_dtype="fp8"))

    assert fit(asked("MI300X", "fp8", kv_cache_dtype="fp8")).fits
    assert "vLLM Ascend keeps no KV cache in FP8 on Ascend-910B3" in on_ascend.problems


def test_memory_that_no_log_was_held_against_is_said_and_never_put_forward() -> None:
    for gpu in CATALOG.accelerators:
        assert bool(gpu.build.unproven) == (gpu.vendor != "nvidia"), gpu.name
        assert not (gpu.proposed and gpu.build.unproven), gpu.name
        assert isinstance(gpu.source, Source)


def test_advice_says_what_is_not_proven_of_the_gpus_that_it_was_asked_for() -> None:
    (best, *_) = advise(CATALOG, CATALOG.accelerator("MI300X"), 2, Asked(developers=10))

    assert CATALOG.accelerator("MI300X").build.unproven in best.reasons
