"""How long a server needs until it serves: in the plan, in its report, and against the load budget."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.errors import InvalidInput
from onprem_agents.plan import PlatformPlan, plan_stack, plan_stack_file
from onprem_agents.plan.loading import Loading, budget_notes
from onprem_agents.plan.plan_parts import plan_server
from onprem_agents.plan.report import role_report
from onprem_agents.stack.stack_file import stack_names
from tests.unit.manifest_samples import STACK, planned
from tests.unit.preflight_samples import STACKS

BIG: dict[str, Any] = STACK | {
    "hardware": {"tier": "multi-gpu"},
    "models": [
        {
            "role": "coder",
            "model": "Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8",
            "context": 65536,
            "kvCacheDtype": "fp8",
        }
    ],
}


def big(**sections: Any) -> PlatformPlan:
    return plan_stack(BIG | sections, stack="test")


def about_the_budget(plan: PlatformPlan) -> list[str]:
    return [note for note in plan.main.notes if "loadBudgetSeconds" in note]


def test_a_download_takes_its_size_at_the_rate_that_the_stack_says() -> None:
    # 29.6 GiB of Qwen3.6-27B-FP8: 304 s at 100 MiB/s, a tenth of it at 1000
    slow, fast = planned(), planned(serving={"downloadMibPerSecond": 1000})

    assert slow.main.loading.download_seconds == pytest.approx(304, abs=1)
    assert fast.main.loading.download_seconds == pytest.approx(31, abs=1)
    assert slow.main.loading.start_seconds == fast.main.loading.start_seconds


@pytest.mark.parametrize("source", ["pvc://models/coder", "oci://registry.example.internal/coder:1"])
def test_weights_that_are_there_are_not_downloaded(source: str) -> None:
    assert planned(model={"source": source}).main.loading.download_seconds == 0


def test_the_report_says_each_part_of_the_time() -> None:
    assert role_report(planned().main)["loading"] == {
        "weightsGib": 29.6,
        "downloadMibPerSecond": 100,
        "downloadSeconds": 304,
        "startSeconds": 282,
        "restartSeconds": 586,
        "restartKind": "download",
        "budgetSeconds": 2700,
        "keptIn": None,
        "start": "cold",
        "startBecause": "what vLLM compiles goes with the pod; cache.pvc or cache.hostPath keeps it",
    }


def test_a_budget_that_cannot_hold_the_download_is_told_with_each_way_out() -> None:
    (note,) = about_the_budget(big())

    assert "449 GiB of weights take about 77 min of download at 100 MiB/s" in note
    assert "holds 45 min" in note
    assert "set platform.timeouts.loadBudgetSeconds to 7500" in note
    assert "pvc:// or oci://" in note


def test_the_budget_that_the_note_names_is_enough() -> None:
    assert about_the_budget(big(timeouts={"loadBudgetSeconds": 7500})) == []


def test_a_faster_line_holds_the_budget() -> None:
    assert about_the_budget(big(serving={"downloadMibPerSecond": 1000})) == []


def test_no_budget_is_named_that_the_setting_refuses() -> None:
    (note,) = about_the_budget(big(serving={"downloadMibPerSecond": 20}))

    assert "6.4 h of download" in note
    assert "loadBudgetSeconds to" not in note


def test_weights_of_a_volume_that_load_too_slowly_are_told_as_well() -> None:
    loading = Loading(weights_gib=1000, downloads=False, mib_per_second=100, budget_seconds=2700, kept=None)
    (note,) = budget_notes(loading)

    assert "download" not in note
    assert "set platform.timeouts.loadBudgetSeconds to 3900" in note


def test_a_server_that_stands_alone_is_told_of_its_arguments() -> None:
    arguments = BIG["models"][0] | {"accelerator": "H100", "gpusPerNode": 8, "namespace": "team-a"}
    part = plan_server(arguments, stack="test", source="the component", has_key=True)
    (note,) = [note for note in part.notes if "loadBudgetSeconds" in note]

    assert "platform." not in note
    assert "in source" in note


@pytest.mark.parametrize("rate", [0, -1, 100_001, "fast", 12.5])
def test_a_rate_that_is_none_is_refused_at_its_key(rate: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(serving={"downloadMibPerSecond": rate})

    assert [problem.where for problem in caught.value.problems] == ["platform.serving.downloadMibPerSecond"]


@pytest.mark.parametrize("stack", stack_names(STACKS))
def test_no_shipped_stack_takes_longer_to_load_than_it_gives_itself(stack: str) -> None:
    plan = plan_stack_file(STACKS, stack)

    assert not [note for note in plan.notes if "loadBudgetSeconds" in note]
