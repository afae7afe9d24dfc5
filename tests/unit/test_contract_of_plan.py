"""The connection contract that a plan leads to: what agents are told equals what is served."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from onprem_agents.contract.connection_file import parse
from onprem_agents.plan import plan_stack, plan_stack_file
from onprem_agents.plan.report import report

STACKS = Path(__file__).parents[2] / "stacks"
GPT_OSS: dict[str, Any] = {
    "hardware": {"accelerator": "H100", "gpusPerNode": 2},
    "models": [{"role": "coder", "model": "openai/gpt-oss-120b"}],
    "access": {"host": "agents.example.internal", "tls": {"issuer": "ca"}, "developers": {"alice": {}}},
}


def test_the_contract_says_what_the_servers_are_told() -> None:
    plan = plan_stack_file(STACKS, "team")

    contract = plan.connection

    assert contract.base_url == "https://agents.example.internal/v1"
    assert (contract.main_role, contract.small_role) == ("coder", "fast")
    for role, serving in zip(contract.roles, plan.serving, strict=True):
        assert serving.flags.served_model_name == (role.model,)
        assert serving.flags.max_model_len == role.context_tokens
        assert role.max_output_tokens == serving.max_output_tokens
    assert contract.timeouts.client_timeout_seconds == plan.timeouts.client_seconds


def test_a_port_other_than_443_is_part_of_both_addresses() -> None:
    contract = plan_stack_file(STACKS, "local").connection

    assert contract.base_url == "https://localhost:18443/v1"
    assert contract.anthropic_base_url == "https://localhost:18443"


def test_the_contract_survives_a_trip_through_a_file() -> None:
    contract = plan_stack_file(STACKS, "team").connection

    assert parse(contract.to_json(), "test") == contract


def test_the_contract_names_the_agents_that_the_stack_names_and_says_nothing_where_it_does_not() -> None:
    silent = plan_stack(GPT_OSS, stack="test").connection
    access = {**GPT_OSS["access"], "agents": ["pi", "opencode"]}
    said = plan_stack(GPT_OSS | {"access": access}, stack="test").connection

    assert "agents" not in silent.to_wire(), (
        "a release that does not know the key would tell its users to update"
    )
    assert said.to_wire()["agents"] == ["pi", "opencode"]
    assert parse(said.to_json(), "test") == said


def test_codex_is_told_why_it_cannot_use_a_model_that_refuses_its_tools() -> None:
    (role,) = plan_stack(copy.deepcopy(GPT_OSS), stack="test").connection.roles

    assert "codex" not in role.supported_agents
    assert role.unsupported_reasons["codex"]


def test_the_report_is_plain_json_and_its_account_adds_up() -> None:
    told = json.loads(json.dumps(report(plan_stack_file(STACKS, "team"))))

    for model in told["models"]:
        memory = model["memory"]
        assert abs(sum(term["gib"] for term in memory["terms"]) - memory["gpuTotalGib"]) < 0.1
    assert told["pool"] == {
        "name": "h100",
        "accelerator": "H100",
        "nodes": 2,
        "gpusPerNode": 4,
        "gpus": 8,
        "freeGpus": 5,
    }
