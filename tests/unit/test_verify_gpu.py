"""What `python -m tools.verify_gpu` reads, chooses and says, on recorded log lines and a pretended GPU."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from embedded.gateway.real_vllm import Vllm
from onprem_agents.catalog import load_catalog
from onprem_agents.plan import ServingPlan
from onprem_agents.sizing import memory_of
from tools.verify_gpu import __main__ as command
from tools.verify_gpu import run as running
from tools.verify_gpu.choice import chosen
from tools.verify_gpu.command import argv_here, changed_words, flags_here, planned, request_of
from tools.verify_gpu.folder import can_be_made, write_model
from tools.verify_gpu.machine import Machine, found_machine
from tools.verify_gpu.printed import Printed, last_error, read_log
from tools.verify_gpu.start import Start, start

pytestmark = pytest.mark.unit

H100 = Machine(
    accelerator=load_catalog().accelerator("H100"),
    gpus=1,
    printed="NVIDIA H100 80GB HBM3",
    vllm=Vllm(python="/python", version="0.33.0"),
)
# As vLLM 0.25.1 and 0.33.0 write them: sentences of their sources, figures made up.
LOG_OF_0_25 = """\
(EngineCore pid=7) INFO 11-29 09:00:01 [gpu_model_runner.py:5307] Model loading took 27.21 GiB memory and 3.1 seconds
(EngineCore pid=7) INFO 11-29 09:00:31 [gpu_worker.py:539] Available KV cache memory: 41.05 GiB
(EngineCore pid=7) INFO 11-29 09:00:32 [kv_cache_utils.py:2150] GPU KV cache size: 1,234,567 tokens
(EngineCore pid=7) INFO 11-29 09:00:32 [kv_utils.py:2151] Maximum concurrency for 131,072 tokens per request: 9.42x
(EngineCore pid=7) INFO 11-29 09:00:40 [gpu_model_runner.py:6700] Graph capturing finished in 7 secs, took 0.58 GiB
(EngineCore pid=7) INFO 11-29 09:00:40 [gpu_worker.py:820] Free memory on device (78.4/79.2 GiB) on startup. Actual \
usage is 27.21 GiB for weight, 1.43 GiB for peak activation, 0.21 GiB for non-torch memory, and \
0.58 GiB for CUDAGraph memory.
(EngineCore pid=7) INFO 11-29 09:00:41 [core.py:307] init engine (profile, create kv cache, warmup model) took 38.20 s
"""
LOG_OF_0_33 = """\
(EngineCore pid=9) INFO 11-29 09:00:31 [gpu_worker.py:773] Available KV cache memory: 40.9 GiB
(EngineCore pid=9) INFO 11-29 09:00:32 [kv_cache_utils.py:1150] GPU KV cache size: 99,000 tokens, Maximum concurrency \
for 65,536 tokens per request: 1.51x
(EngineCore pid=9) INFO 11-29 09:00:40 [gpu_worker.py:1050] Actual usage is 27.4 GiB for consumed memory (weights + \
non-torch), 1.5 GiB for peak activation, and -0.02 GiB for CUDAGraph memory.
"""


def test_the_figures_of_a_start_are_read_from_its_log() -> None:
    assert read_log(LOG_OF_0_25.splitlines()) == Printed(
        model_load_gib=27.21,
        available_kv_gib=41.05,
        kv_cache_tokens=1_234_567,
        max_concurrency=9.42,
        graph_gib=0.58,
        activation_peak_gib=1.43,
        non_torch_gib=0.21,
        engine_seconds=38.2,
    )


def test_since_0_28_one_sum_is_told_and_since_0_33_one_line() -> None:
    assert read_log(LOG_OF_0_33.splitlines()) == Printed(
        available_kv_gib=40.9,
        kv_cache_tokens=99_000,
        max_concurrency=1.51,
        activation_peak_gib=1.5,
        consumed_gib=27.4,
    )


def test_the_first_error_of_a_start_is_told_and_a_log_without_one_tells_none() -> None:
    lines = [
        "INFO ok",
        "(pid=3) ERROR 11-29 [core.py:1] ValueError: No available memory",
        "RuntimeError: later",
    ]
    assert last_error(lines) == "ValueError: No available memory"
    assert last_error(LOG_OF_0_25.splitlines()) is None


def test_an_error_in_a_warning_is_not_what_a_start_ended_with() -> None:
    # As vLLM 0.32.0 starts where few files may be open.
    warning = "(EngineCore pid=1) WARNING 11-29 [core.py:1] ... errors like `OSError: [Errno 24] Too many open files`"
    assert last_error([warning]) is None
    assert last_error([warning, "ValueError: No available memory"]) == "ValueError: No available memory"


def test_six_checkpoints_from_small_to_large_are_chosen_and_no_model_twice() -> None:
    plans = chosen(H100).plans
    sizes = [plan.variant.weights_gib for plan in plans]
    assert len(plans) == 6
    assert sizes == sorted(sizes)
    # From a model that fits a telephone to one that fills the GPU, of four kinds of attention at least.
    assert sizes[0] < 2
    assert sizes[-1] > 40
    assert len({plan.model.name for plan in plans}) == 6
    kinds = {tuple(sorted({group.kind for group in plan.model.architecture.attention})) for plan in plans}
    assert len(kinds) >= 4, kinds


def test_a_model_that_is_named_is_planned_or_told() -> None:
    choice = chosen(H100, ("Qwen3-8B", "DeepSeek-V3"))
    assert [plan.model.name for plan in choice.plans] == ["Qwen3-8B"]
    assert len(choice.left_out) == 1
    assert (
        "DeepSeek-V3: no checkpoint in bf16, fp8 or mxfp4 that the plan puts on 1 x NVIDIA H100"
        in choice.left_out[0]
    )


def test_the_command_is_the_plans_but_for_weights_address_and_the_checkpoints_files() -> None:
    plan = _plan("Qwen3-8B", "bf16")
    flags = flags_here(plan, Path("/somewhere"), 8123)
    argv = argv_here(flags, "0.33.0")
    assert argv[0] == "/somewhere"
    assert argv[argv.index("--load-format") + 1] == "dummy"
    for option in (
        "--max-model-len",
        "--max-num-seqs",
        "--max-num-batched-tokens",
        "--gpu-memory-utilization",
    ):
        assert argv[argv.index(option) + 1] == plan.argv[plan.argv.index(option) + 1]
    changed = changed_words(plan, flags)
    assert {"host", "load_format", "model", "port"} <= set(changed)
    assert not {"kv_cache_dtype", "max_num_seqs", "language_model_only", "enable_prefix_caching"} & set(
        changed
    )


def test_a_folder_says_how_the_checkpoint_is_quantised_and_one_that_only_its_maker_knows_is_not_made(
    tmp_path: Path,
) -> None:
    model = load_catalog().model("Qwen3-8B")
    write_model(tmp_path, model, model.variant("fp8"))
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["num_hidden_layers"] == 36
    assert config["quantization_config"]["quant_method"] == "fp8"
    assert config["quantization_config"]["weight_block_size"] == [128, 128]
    assert (tmp_path / "tokenizer.json").is_file()
    assert not can_be_made(model, model.variant("int4"))


def _plan(name: str, precision: str) -> ServingPlan:
    model = load_catalog().model(name)
    plan = planned(model, model.variant(precision), H100)
    assert plan is not None
    assert plan.variant.precision == precision
    return plan


def _ready(pool_gib: float) -> Start:
    return Start(outcome="ready", seconds=31.0, printed=Printed(available_kv_gib=pool_gib), error=None)


def _run(plans: Sequence[ServingPlan], folder: Path, *, seconds: float = 600, **more: Any) -> running.Results:
    return running.run(
        plans, H100, folder, until=time.monotonic() + seconds, most_seconds=seconds / 3, **more
    )


def test_a_pool_outside_the_band_and_a_start_that_ended_count_as_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plan = _plan("Qwen3-8B", "bf16")
    said = running.said_of(memory_of(request_of(plan, H100, "cold")))
    ended = Start(outcome="ended", seconds=9.0, printed=Printed(), error="ValueError: no")
    starts = iter([_ready(said["available_kv_gib"]), _ready(said["available_kv_gib_low"] - 1), ended])
    monkeypatch.setattr(running, "start", lambda *_words, **_named: next(starts))
    results = _run((plan, _plan("Qwen3-4B", "bf16")), tmp_path)
    assert [row.inside for row in results.rows[:3]] == [True, False, None]
    assert [row.temperature for row in results.rows] == ["cold", "warm", "cold"]


def test_a_cold_start_finds_none_of_the_users_compiled_kernels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", "/home/of/triton")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "/home/of/inductor")
    cache = tmp_path / "cache"
    cache.mkdir()
    script = 'import os; print("ValueError:", sorted(n for n in os.environ if os.environ[n] == os.getcwd()))'
    result = start((sys.executable, "-c", script), port=1, cache=cache, log=tmp_path / "log", seconds=60)
    assert result.outcome == "ended"
    assert result.error is not None
    for name in ("HOME", "VLLM_CACHE_ROOT", "TORCHINDUCTOR_CACHE_DIR"):
        assert f"'{name}'" in result.error
    assert "TRITON" not in result.error


def test_small_and_large_checkpoints_take_turns_each_cold_and_then_warm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plans = [_plan(name, "bf16") for name in ("Qwen3-0.6B", "Qwen3-1.7B", "Qwen3-4B", "Qwen3-8B")]
    settled = []
    monkeypatch.setattr(running, "start", lambda *_words, **_named: _ready(40.0))
    results = _run(plans, tmp_path, settle=lambda: settled.append(1))
    assert [f"{row.model.partition('-')[2]} {row.temperature}" for row in results.rows] == [
        *("0.6B cold", "0.6B warm", "8B cold", "8B warm"),
        *("1.7B cold", "1.7B warm", "4B cold", "4B warm"),
    ]
    assert len(settled) == 8


def test_what_finds_no_time_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = _plan("Qwen3-8B", "bf16")
    monkeypatch.setattr(running, "start", lambda *_words, **_named: pytest.fail("no time was left"))
    results = _run((plan,), tmp_path, seconds=100)
    assert results.rows == ()
    assert results.not_reached == ("Qwen/Qwen3-8B cold", "Qwen/Qwen3-8B warm")


def _smi(folder: Path, says: str, code: int = 0) -> None:
    file = folder / "nvidia-smi"
    file.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    file.chmod(0o755)


def _vllm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = folder / "python"
    python.write_text("#!/bin/sh\necho 0.33.0\n")
    python.chmod(0o755)
    monkeypatch.setenv("ONPREM_VLLM_PYTHON", str(python))
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


def test_the_gpu_is_that_of_the_catalogue_with_the_memory_that_the_driver_tells(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _vllm(tmp_path, monkeypatch)
    _smi(tmp_path, "NVIDIA H200, 143771, 4")
    machine = found_machine()
    assert (machine.accelerator.name, machine.gpus, machine.vllm.version) == ("H200", 1, "0.33.0")
    assert machine.accelerator.total_gib == pytest.approx(140.4, abs=0.01)


@pytest.mark.parametrize(
    ("says", "code", "told"),
    [
        ("No devices were found", 6, "nvidia-smi tells no GPU (No devices were found)"),
        ("NVIDIA H200, 143771, 90000", 0, "GPU 0 already holds 90000 MiB of another program"),
        ("NVIDIA H200, [N/A], [N/A]", 0, "a MIG slice tells no memory"),
    ],
)
def test_a_machine_that_cannot_be_measured_says_why_and_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str, code: int, told: str
) -> None:
    _vllm(tmp_path, monkeypatch)
    _smi(tmp_path, says, code)
    done = CliRunner().invoke(command.main)
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.split())


def test_without_nvidia_smi_or_vllm_the_missing_thing_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ONPREM_VLLM_PYTHON", raising=False)
    done = CliRunner().invoke(command.main)
    assert done.exit_code == 2
    assert "nvidia-smi, which tells the GPUs, cannot be run" in " ".join(done.stderr.split())
    _smi(tmp_path, "NVIDIA H200, 143771, 4")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    done = CliRunner().invoke(command.main)
    assert done.exit_code == 2
    assert "none is installed here: install vLLM for CUDA" in " ".join(done.stderr.split())


def test_the_json_has_what_was_said_beside_what_was_printed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _vllm(tmp_path, monkeypatch)
    _smi(tmp_path, "NVIDIA H100 80GB HBM3, 81559, 4")
    monkeypatch.setattr(running, "start", lambda *_words, **_named: _ready(0.5))
    done = CliRunner().invoke(
        command.main, ["--models", "Qwen/Qwen3-8B-FP8", "--json", "--keep", str(tmp_path / "kept")]
    )
    told = json.loads(done.stdout)
    assert done.exit_code == 1  # half a GiB is outside any band of an 8B on an H100
    assert [row["temperature"] for row in told["rows"]] == ["cold", "warm"]
    row = told["rows"][0]
    assert row["start"]["printed"]["available_kv_gib"] == 0.5
    assert row["said"]["available_kv_gib"] > 40
    assert row["inside"] is False
    assert row["argv"][0].endswith("/model")
    assert (tmp_path / "kept" / "Qwen--Qwen3-8B-FP8" / "model" / "config.json").is_file()


def test_the_table_says_which_pool_lies_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _vllm(tmp_path, monkeypatch)
    _smi(tmp_path, "NVIDIA H100 80GB HBM3, 81559, 4")
    monkeypatch.setattr(running, "start", lambda *_words, **_named: _ready(0.5))
    done = CliRunner().invoke(command.main, ["--models", "Qwen3-8B"])
    assert "0.50 OUTSIDE" in done.stdout
