"""A whole run of `tools.verify_gpu` with a stand-in for vLLM: its time is kept, and what was seen is not lost."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from embedded.gateway.real_vllm import Vllm
from onprem_agents.catalog import load_catalog
from onprem_agents.plan import ServingPlan
from tests.unit import stand_in_for_vllm
from tools.verify_gpu import run as running
from tools.verify_gpu import start as starting
from tools.verify_gpu.command import planned
from tools.verify_gpu.machine import Machine

pytestmark = pytest.mark.unit

NAMES = ("Qwen3-0.6B", "Qwen3-1.7B", "Qwen3-4B")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """An H100 on which the stand-in is what vLLM is elsewhere; all waiting is a hundredth of what it is there."""
    python = tmp_path / "stand-in-python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {stand_in_for_vllm.__file__} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("STAND_IN_STARTS", str(tmp_path / "starts"))
    monkeypatch.setattr(starting, "_STEP_SECONDS", 0.05)
    monkeypatch.setattr(starting, "STOP_SECONDS", 0.3)
    monkeypatch.setattr(running, "LEAST_SECONDS", 1.0)
    monkeypatch.setattr(running, "ENDING_SECONDS", 0.6)
    return Machine(
        accelerator=load_catalog().accelerator("H100"),
        gpus=1,
        printed="NVIDIA H100 80GB HBM3",
        vllm=Vllm(python=str(python), version="0.33.0"),
    )


def _plans(machine: Machine, *names: str) -> list[ServingPlan]:
    models = [load_catalog().model(name) for name in names or NAMES]
    return [plan for model in models if (plan := planned(model, model.variant("bf16"), machine)) is not None]


def _run(
    machine: Machine, folder: Path, *names: str, seconds: float, most_seconds: float, **more: Any
) -> running.Results:
    folder.mkdir(exist_ok=True)
    plans = _plans(machine, *names)
    until = time.monotonic() + seconds
    return running.run(plans, machine, folder, until=until, most_seconds=most_seconds, **more)


def _outcomes(results: running.Results) -> list[str]:
    return [f"{row.model} {row.temperature} {row.start.outcome}" for row in results.rows]


def _starts(folder: Path) -> int:
    return len((folder / "starts").read_text(encoding="utf-8").splitlines())


def test_a_server_that_hangs_and_heeds_no_end_takes_no_more_than_its_part(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_HANGS", "Qwen3-0.6B")
    results = _run(machine, tmp_path / "kept", *NAMES[:2], seconds=120, most_seconds=3)

    # A cold start that never answered leaves no cache for a warm one.
    assert results.not_reached == ("Qwen/Qwen3-0.6B warm",)
    assert _outcomes(results) == [
        "Qwen/Qwen3-0.6B cold out of time",
        "Qwen/Qwen3-1.7B cold ready",
        "Qwen/Qwen3-1.7B warm ready",
    ]
    assert results.rows[0].start.printed.available_kv_gib == 41.05
    assert results.rows[0].start.error == "last said: Available KV cache memory: 41.05 GiB"


def test_a_run_ends_within_its_time_whatever_the_servers_do(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_HANGS", "Qwen3")
    folder = tmp_path / "kept"
    folder.mkdir()
    plans = _plans(machine)
    began = time.monotonic()
    results = running.run(plans, machine, folder, until=began + 8, most_seconds=5)

    # A second for a loaded machine: each limit above is kept to a hundredth.
    assert time.monotonic() - began < 8 + 1
    assert "out of time" in {row.start.outcome for row in results.rows}
    assert "Qwen/Qwen3-1.7B warm" in results.not_reached


def test_each_start_is_written_down_at_once_and_a_run_that_was_ended_goes_on(
    machine: Machine, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"

    def end() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(machine, folder, *NAMES[:2], seconds=120, most_seconds=60, settle=end)
    (line,) = (folder / "starts.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["row"]["start"]["outcome"] == "ready"
    before = _starts(tmp_path)

    results = _run(machine, folder, *NAMES[:2], seconds=120, most_seconds=60)

    assert [f"{row.model} {row.temperature}" for row in results.rows] == [
        *("Qwen/Qwen3-0.6B cold", "Qwen/Qwen3-0.6B warm", "Qwen/Qwen3-1.7B cold", "Qwen/Qwen3-1.7B warm"),
    ]
    assert results.not_reached == ()
    assert _starts(tmp_path) - before == 3, "the first cold start was not made again"
    again = _run(machine, folder, *NAMES[:2], seconds=120, most_seconds=60)
    assert again.rows == results.rows
    assert _starts(tmp_path) - before == 3, "nothing was left to start"


def test_a_record_without_its_cache_is_no_cold_start_for_a_warm_one(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    _run(machine, folder, NAMES[0], seconds=120, most_seconds=60)
    kept = folder / "starts.jsonl"
    first, _second = kept.read_text(encoding="utf-8").splitlines()
    kept.write_text(f"{first}\n{first[:40]}", encoding="utf-8")  # ended while it wrote the second
    (folder / "Qwen--Qwen3-0.6B" / "cache" / "compiled").unlink()
    before = _starts(tmp_path)

    results = _run(machine, folder, NAMES[0], seconds=120, most_seconds=60)

    assert [row.temperature for row in results.rows] == ["cold", "warm"]
    assert _starts(tmp_path) - before == 2


def test_what_another_machine_or_release_recorded_is_left_alone(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    _run(machine, folder, NAMES[0], seconds=120, most_seconds=60)
    before = _starts(tmp_path)
    other = replace(machine, printed="NVIDIA H100 NVL")

    _run(other, folder, NAMES[0], seconds=120, most_seconds=60)

    assert _starts(tmp_path) - before == 2
    assert len((folder / "starts.jsonl").read_text(encoding="utf-8").splitlines()) == 4


def test_a_start_that_fails_is_recorded_with_its_error_and_not_tried_again(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_FAILS", "Qwen3-0.6B")
    folder = tmp_path / "kept"
    for _ in range(2):
        (row,) = _run(machine, folder, NAMES[0], seconds=120, most_seconds=60).rows
        assert row.start.outcome == "ended"
        assert row.start.error == "ValueError: the stand-in was told to fail"
    assert _starts(tmp_path) == 1
