"""The KV arithmetic against the committed figures of vLLM's own planner; tests/planner makes them anew."""

from __future__ import annotations

import pytest

from onprem_agents.catalog import load_catalog
from tests.planner import golden

pytestmark = pytest.mark.unit


def test_a_request_costs_what_vllms_planner_says_within_one_percent() -> None:
    off = [figure for figure in golden.figures(golden.committed()) if figure.difference > golden.LIMIT]
    assert off == [], f"{len(off)} figures are off, the first is {off[0]}"


def test_what_vllm_refuses_to_shard_is_refused_here_as_well() -> None:
    found = list(golden.refusals(golden.committed()))
    assert [name for name, vllm, ours in found if vllm != ours] == []
    # The refused ones are of small models with 4, 12, 14, 20 or 28 heads and of Phi-4 with 10 KV heads.
    assert sum(vllm for _, vllm, _ in found) >= 26


def test_vllm_refused_for_heads_alone_and_not_for_what_the_pretended_gpu_lacks() -> None:
    plans = [plan for entry in golden.committed()["models"] for plan in entry["plans"].values()]
    said = {plan["refused"] for plan in plans if "refused" in plan}
    assert all("attention heads" in sentence or "num_kv_heads" in sentence for sentence in said), said


def test_every_model_of_the_catalogue_is_planned_at_every_size_and_dtype() -> None:
    committed = golden.committed()
    planned = {entry["name"]: entry for entry in committed["models"]}
    assert set(planned) | set(committed["not_served"]) == {model.name for model in load_catalog().models}
    wanted = {f"{size} {dtype}" for size in (1, 2, 4, 8) for dtype in ("auto", "fp8")}
    for name, entry in planned.items():
        assert set(entry["plans"]) == wanted, name
        for plan in entry["plans"].values():
            assert "refused" in plan or len(plan["bytes"]) == 3, name


def test_the_figures_say_where_they_come_from() -> None:
    committed = golden.committed()
    assert committed["vllm"] == "0.32.0"
    assert committed["made"] == "2026-11-28"


def test_each_model_was_planned_by_the_class_of_vllm_that_its_type_names() -> None:
    asked = {entry["name"]: entry["config"]["architectures"] for entry in golden.question()["models"]}
    planned = {entry["name"]: [entry["class"]] for entry in golden.committed()["models"]}
    assert planned == asked
