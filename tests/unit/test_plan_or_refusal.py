"""Whatever stands in a stack file: it is refused with the settings to change, or all that follows from it succeeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from onprem_agents.agents import target_named
from onprem_agents.catalog import load_catalog
from onprem_agents.cli.render import yaml_of
from onprem_agents.contract.connection_file import parse
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import render
from onprem_agents.plan import AGENTS_ROUTE, PROXY_NAME, PlatformPlan, plan_stack, plan_stack_file
from onprem_agents.plan.derive_connection import connection_of, stack_key
from onprem_agents.plan.report import report
from onprem_agents.setup.printed import printed
from tests.unit.manifest_samples import planned
from tests.unit.stack_generator import BASE, places, stack

ROOT = Path(__file__).parents[2]
STACKS_TRIED = 300


def everything_of(plan: PlatformPlan) -> None:
    """Make all that users get of a plan."""
    objects = render(plan)
    assert yaml_of(objects).encode()
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(set(names)) == len(names), "two objects of one kind and name"
    assert json.loads(json.dumps(report(plan), allow_nan=False))
    assert parse(plan.connection.to_json(), "the contract") == plan.connection
    for agent in plan.main.supported_agents:
        assert printed(plan.connection, target_named(agent))


def refusal_of(raw: object, name: str = "test") -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        plan_stack(raw, stack=name)
    return caught.value.problems


def test_every_stack_is_refused_at_its_settings_or_rendered_whole() -> None:
    refused = rendered = 0
    for seed in range(STACKS_TRIED):
        raw = stack(seed)
        try:
            plan = plan_stack(raw, stack="test")
        except InvalidInput as error:
            refused += 1
            for problem in error.problems:
                assert problem.where == "platform" or problem.where.startswith("platform."), (seed, problem)
                assert problem.found, (seed, problem)
                assert problem.why, (seed, problem)
                assert problem.fix, (seed, problem)
            continue
        rendered += 1
        everything_of(plan)

    assert min(refused, rendered) > STACKS_TRIED // 10, (
        f"{refused} refused, {rendered} rendered: that tries little"
    )


def test_the_generator_tries_every_setting() -> None:
    tried = {place.path for place in places()}

    assert ("models", 0, "context") in tried
    assert ("access", "tls", "caHint") in tried
    assert ("queue", "localQueue") in tried
    everything_of(plan_stack(BASE, stack="test"))


@pytest.mark.parametrize("name", [model.name for model in load_catalog().models])
def test_every_model_that_plans_can_be_rendered_and_told(name: str) -> None:
    raw: dict[str, Any] = BASE | {"models": [{"role": "coder", "model": name}]}
    raw["hardware"] = {"accelerator": "B300", "gpusPerNode": 8, "nodes": 1}
    try:
        plan = plan_stack(raw, stack="test")
    except InvalidInput as error:
        places = [problem.where for problem in error.problems]
    else:
        everything_of(plan)
        places = []

    assert all(place.startswith("platform.") for place in places)


@pytest.mark.parametrize(
    ("where", "changed"),
    [
        ("platform.models[0].role", {"models": [{"role": "a" * 37, "model": "Qwen/Qwen3.6-27B-FP8"}]}),
        ("platform.models[0].role", {"models": [{"role": "coder-", "model": "Qwen/Qwen3.6-27B-FP8"}]}),
        (
            "platform.models[0].context",
            {"models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", "context": 1024}]},
        ),
        ("platform.access.host", {"access": BASE["access"] | {"host": "10.0.0.7"}}),
        ("platform.access.host", {"access": BASE["access"] | {"host": "a" * 64 + ".example"}}),
        (
            "platform.access.tls.secretName",
            {"access": BASE["access"] | {"tls": {"secretName": "tls-9f8e7d6c5b4a39281706f5e4"}}},
        ),
        (
            "platform.access.tls.caHint",
            {"access": BASE["access"] | {"tls": {"issuer": "ca", "caHint": "sk-abcdefghijkl"}}},
        ),
        ("platform.namespace", {"namespace": "kube-system"}),
        ("platform.queue.localQueue", {"queue": {"localQueue": "a" * 64}}),
    ],
)
def test_what_only_the_contract_or_the_cluster_would_refuse_is_refused_before(
    where: str, changed: dict[str, Any]
) -> None:
    assert [problem.where for problem in refusal_of(BASE | changed)] == [where]


def test_names_that_are_too_long_together_are_refused() -> None:
    raw = BASE | {"namespace": "n" * 40, "models": [{"role": "r" * 31, "model": "Qwen/Qwen3.6-27B-FP8"}]}

    (problem,) = refusal_of(raw)

    assert problem.cause == "name-too-long"
    assert "19 characters" in problem.fix
    plan_stack(raw | {"namespace": "n" * 21}, stack="test")


@pytest.mark.parametrize("name", ["a" * 64, "-a", "a b", "team-9f8e7d6c5b4a39281706f5e4"])
def test_a_stack_whose_name_no_label_or_contract_takes_is_refused(name: str) -> None:
    (problem,) = refusal_of(BASE, name)

    assert problem.where == "the stack's name"


def test_what_the_release_does_not_take_is_told_with_all_other_problems() -> None:
    raw = BASE | {
        "serving": {"vllm": "0.33.0"},
        "namespace": "n" * 40,
        "models": [
            {"role": "r" * 31, "model": "Qwen/Qwen3.6-27B-FP8", "toolCallParser": "no-parser"},
            {"role": "huge", "model": "Qwen/Qwen3.6-27B-FP8", "context": 10_000_000},
        ],
    }

    assert {problem.where for problem in refusal_of(raw)} == {
        "platform.models[0].role",
        "platform.models[0].toolCallParser",
        "platform.models[1].context",
    }


def test_an_option_that_the_release_lacks_is_told_at_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> tuple[str, ...]:
        told = {
            "cause": "release-refuses",
            "found": "fp8",
            "why": "vLLM 0.33.0 does not know it",
            "fix": "rename it",
        }
        problems = [Problem(where=where, **told) for where in ("--kv-cache-dtype", "--tool-call-parser")]  # type: ignore[arg-type]
        raise InvalidInput("arguments for vLLM 0.33.0", problems)

    monkeypatch.setattr("onprem_agents.plan.derive_serving.to_argv", refuse)
    raw = BASE | {"models": [BASE["models"][0] | {"kvCacheDtype": "fp8"}]}

    assert [problem.where for problem in refusal_of(raw)] == [
        "platform.models[0].kvCacheDtype",
        "platform.models[0].model",
    ]


def test_a_contract_that_no_setting_forbids_is_still_refused_at_a_setting() -> None:
    plan = planned()
    (server,) = plan.servers
    served = server.model_copy(update={"name": "a/b", "context_tokens": 64})

    with pytest.raises(InvalidInput) as caught:
        connection_of(
            plan.access,
            stack="test",
            translation="native",
            servers=[served],
            timeouts=plan.timeouts,
            support=None,
            source="test",
            key_of=stack_key,
        )

    assert {problem.where for problem in caught.value.problems} == {
        "platform.models[0].role",
        "platform.models[0].context",
    }


def test_agents_are_told_why_they_cannot_use_a_short_window() -> None:
    plan = planned(model={"context": 16_384})

    assert plan.main.supported_agents == ("opencode", "cline", "kilo", "pi", "aider", "goose")
    assert set(plan.main.unsupported_reasons) == {"codex", "claude", "qwen", "copilot", "cn"}
    assert plan.connection.main.supported_agents == plan.main.supported_agents


def test_the_pod_runs_the_arguments_of_the_plan() -> None:
    plan = plan_stack_file(ROOT / "stacks", "team")
    documents = [item for item in render(plan) if item["kind"] == "InferenceService"]

    for serving, document in zip(plan.serving, documents, strict=True):
        (container,) = (
            found
            for found in document["spec"]["predictor"]["containers"]
            if found["name"] == "kserve-container"
        )
        assert tuple(container["args"]) == serving.argv


def test_a_role_may_not_be_called_like_the_proxys_own_objects() -> None:
    raw = {**BASE, "translation": "litellm", "models": [{**BASE["models"][0], "role": PROXY_NAME}]}

    (problem,) = refusal_of(raw)

    assert problem.where == "platform.models[0].role"
    assert plan_stack({**raw, "translation": "native"}, stack="test").main.role == PROXY_NAME


def test_more_roles_than_a_route_has_rules_are_refused_where_the_proxy_needs_one() -> None:
    roles = [
        {"role": f"role-{number}", "model": "google/gemma-4-E4B-it", "context": 32768} for number in range(16)
    ]
    raw = {**BASE, "hardware": {"accelerator": "H100", "gpusPerNode": 8, "nodes": 4}, "models": roles}

    (problem,) = refusal_of({**raw, "translation": "claude-code-router"})

    assert problem.where == "platform.models"
    rules = {
        translation: len(route["spec"]["rules"])
        for translation in ("native", "litellm")
        for route in render(plan_stack({**raw, "translation": translation}, stack="test"))
        if route["kind"] == "HTTPRoute" and route["metadata"]["name"] == AGENTS_ROUTE
    }
    assert rules == {"native": 16, "litellm": 1}


def test_a_release_without_a_convenience_is_planned_with_a_note_of_what_it_costs() -> None:
    models = [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8"}]
    old = plan_stack({**BASE, "models": models, "serving": {"vllm": "0.17.1"}}, stack="test")

    assert old.main.flags.shutdown_timeout is None
    assert any("--shutdown-timeout" in note for note in old.main.notes)
    assert not plan_stack(BASE, stack="test").main.notes


def test_another_checkpoint_than_the_one_named_is_told() -> None:
    raw = {**BASE, "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B"}]}

    (note,) = plan_stack(raw, stack="test").main.notes

    assert note.startswith("asked Qwen/Qwen3.6-27B, serves Qwen/Qwen3.6-27B-FP8, because ")
