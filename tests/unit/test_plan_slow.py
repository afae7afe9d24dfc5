"""A stack that is too slow for its developers says so in its plan, with every floor that it misses and a way out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from onprem_agents.cli import main
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.derive import plan_stack
from onprem_agents.sizing import speed_of
from onprem_agents.sizing.floors import Floors


def settings(developers: int, **hardware: Any) -> dict[str, Any]:
    return {
        "hardware": {"accelerator": "L40S", "gpusPerNode": 4, "nodes": 1} | hardware,
        "models": [
            {
                "role": "coder",
                "model": "Qwen/Qwen3.6-27B-FP8",
                "context": 131072,
                "replicas": 1,
                "tensorParallel": 2,
            }
        ],
        "access": {
            "host": "agents.example.internal",
            "tls": {"secretName": "agents-tls"},
            "developers": {f"developer-{number}": {} for number in range(developers)},
        },
    }


def slow_notes(plan: PlatformPlan) -> list[str]:
    return [note for note in plan.notes if "too slow" in note]


def test_two_hundred_developers_on_five_sessions_are_told_each_floor_that_is_missed_and_what_helps() -> None:
    (note,) = slow_notes(plan_stack(settings(200), stack="big"))

    assert note.startswith("coder: too slow with 200 developers at work: about ")
    assert "tokens/s for each, at least 15 wanted" in note
    assert "min to the first token of 30k, at most 20 s wanted" in note
    assert "min of it until a session is free" in note
    assert "set platform.models[0].replicas to " in note
    assert "set platform.hardware.nodes to " in note


def test_a_stack_that_is_fast_enough_says_nothing_of_it() -> None:
    assert slow_notes(plan_stack(settings(5), stack="small")) == []


@pytest.mark.parametrize("nodes", [1, 12])
def test_the_change_that_is_named_makes_it_fast_enough(nodes: int) -> None:
    stack = settings(200, nodes=nodes)
    (note,) = slow_notes(plan_stack(stack, stack="big"))
    steps = [step.removeprefix("set platform.") for step in note.split("; ")[-1].split(" and ")]
    assert all(" to " in step for step in steps)
    for step in steps:
        key, value = step.split(" to ")
        place = stack["hardware"] if key.startswith("hardware") else stack["models"][0]
        place[key.rpartition(".")[2]] = yaml.safe_load(value)

    plan = plan_stack(stack, stack="big")

    assert slow_notes(plan) == []
    memory = plan.main.fit.memory
    assert memory is not None
    assert Floors().missed(speed_of(memory, 200, plan.main.replicas)) == ()


def test_free_gpus_are_used_before_others_are_bought() -> None:
    (note,) = slow_notes(plan_stack(settings(200, nodes=12), stack="big"))

    assert "hardware" not in note
    assert "set platform.models[0].replicas to " in note


def test_a_model_that_is_too_slow_for_one_developer_names_advise() -> None:
    stack = settings(20, accelerator="GB10", gpusPerNode=1)
    stack["models"] = [{"role": "coder", "model": "Qwen/Qwen3.6-27B", "precision": "bf16", "context": 65536}]

    (note,) = slow_notes(plan_stack(stack, stack="desk"))

    assert "'onprem-agents advise --developers 20' ranks them" in note


@pytest.mark.parametrize("command", ["plan", "report", "render"])
def test_every_command_that_shows_a_plan_shows_it(command: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.big.yaml"
    file.write_text(yaml.safe_dump({"config": {"onprem-coding-agents:platform": settings(200)}}))

    result = CliRunner().invoke(main, [command, "big", "--stacks", str(tmp_path)])

    assert result.exit_code == 0, result.output
    assert "too slow" in " ".join(result.output.split())
    if command == "plan":
        whole = CliRunner().invoke(main, ["plan", "big", "--json", "--stacks", str(tmp_path)])
        (role,) = json.loads(whole.stdout)["models"]
        assert any("too slow" in note for note in role["notes"])
        assert role["speed"]["sessionWaitSeconds"] > 600
