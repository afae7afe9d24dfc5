"""The examples on mocks: each program as it stands, with its own stack files. `tests/cluster` runs them for real."""

from __future__ import annotations

import ast
import re
from typing import Any

import pulumi
import pytest
import yaml

from tests.components.example_project import EXAMPLES, ExampleProject, Run

_REVISION = "6f1c2d3e4b5a69788796a5b4c3d2e1f001234567"
_ENVIRONMENTS = ("dev", "staging", "prod")

MODEL_SERVER = ExampleProject(EXAMPLES / "model-server")
ENVIRONMENTS = ExampleProject(EXAMPLES / "environments")
CLUSTER = ExampleProject(EXAMPLES / "environments" / "cluster")
TWO_TEAMS = ExampleProject(EXAMPLES / "two-teams")


def key_of(developer: str) -> str:
    return f"{developer}-".ljust(40, "k")


def test_a_model_server_in_another_program_needs_five_arguments_and_its_outputs_feed_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = MODEL_SERVER.run(monkeypatch)

    (service,) = run.of_kind("InferenceService")
    assert service["metadata"]["namespace"] == "code-reviews"
    (bot,) = run.of_kind("Deployment")
    environment = {entry["name"]: entry["value"] for entry in _container(bot)["env"]}
    assert environment == {"OPENAI_BASE_URL": run.outputs["url"], "OPENAI_MODEL": "coder"}
    assert run.outputs["url"].startswith("http://coder-predictor.code-reviews.svc"), "inside the cluster"
    assert "opencode" in run.outputs["agents"]
    assert len(_arguments("InferenceServiceArgs")) <= 5


def _arguments(name: str) -> list[str]:
    """Return the arguments that the model server's program gives to a call."""
    tree = ast.parse((MODEL_SERVER.folder / "__main__.py").read_text(encoding="utf-8"))
    (call,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    )
    return [str(keyword.arg) for keyword in call.keywords]


def _container(workload: Any) -> Any:
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    return container


def test_the_owner_of_the_cluster_tells_all_that_the_environments_ask_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = (ENVIRONMENTS.folder / "__main__.py").read_text(encoding="utf-8")
    asked = set(re.findall(r'cluster\.require_output\("(\w+)"\)', program))

    for environment in _ENVIRONMENTS:
        run = CLUSTER.run(monkeypatch, environment)
        assert set(run.outputs) == asked
        assert run.objects() == [("ReferenceGrant", "certificates", f"agents-{environment}")]


def environment_run(monkeypatch: pytest.MonkeyPatch, environment: str, **more: Any) -> Run:
    owner = CLUSTER.run(monkeypatch, environment).outputs
    developers = more.get("developers") or ENVIRONMENTS.config(environment)["agents:developers"]
    return ENVIRONMENTS.run(
        monkeypatch,
        environment,
        secrets={"developerKeys": {name: key_of(name) for name in developers}, "serverKey": key_of("server")},
        stacks={f"organization/agents-cluster/{environment}": owner},
        revision=_REVISION,
        **more,
    )


@pytest.mark.parametrize(
    ("environment", "replicas", "host", "keys"),
    [
        ("dev", 1, "dev.agents.example.internal", ["alice"]),
        ("staging", 1, "staging.agents.example.internal", ["alice", "bob"]),
        ("prod", 2, "agents.example.internal", ["alice", "bob", "carol"]),
    ],
)
def test_an_environment_differs_by_its_stack_file_and_by_what_its_cluster_says(
    monkeypatch: pytest.MonkeyPatch, environment: str, replicas: int, host: str, keys: list[str]
) -> None:
    run = environment_run(monkeypatch, environment)

    (service,) = run.of_kind("InferenceService")
    assert service["metadata"]["namespace"] == f"agents-{environment}"
    assert service["spec"]["predictor"]["minReplicas"] == replicas
    assert _REVISION in str(service["spec"]["predictor"])
    assert run.outputs["revision"] == _REVISION
    assert run.outputs["url"] == f"https://{host}/v1"
    held = [name for kind, _, name in run.objects() if kind == "Secret"]
    assert sorted(held) == sorted([*(f"key-{name}" for name in keys), "vllm-server-key"])


def test_the_stack_files_of_the_environments_are_alike_and_hold_no_secret() -> None:
    assert set(ENVIRONMENTS.stacks) == set(CLUSTER.stacks) == set(_ENVIRONMENTS)
    for file in EXAMPLES.rglob("Pulumi.*.yaml"):
        text = file.read_text(encoding="utf-8")
        assert "secure:" not in text, f"{file}: nobody could decrypt it"
        assert "encryptionsalt" not in text, f"{file}: each copy makes its own"


def test_an_environment_without_a_revision_is_refused_before_anything_is_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(pulumi.ConfigMissingError, match="agents:revision"):
        ENVIRONMENTS.run(monkeypatch, "dev")


def test_what_esc_would_give_is_what_the_program_of_production_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service itself is not run: its files are merged here by the rule for plain values, later over earlier."""
    folder = ENVIRONMENTS.folder / "esc"
    stack_file = yaml.safe_load((folder / "Pulumi.prod.yaml").read_text(encoding="utf-8"))
    (environment,) = stack_file["environment"]
    definition = yaml.safe_load((folder / f"{_name(environment)}.yaml").read_text(encoding="utf-8"))
    opened: dict[str, Any] = {}
    for each in definition["imports"]:
        base = yaml.safe_load((folder / f"{_name(each)}.yaml").read_text(encoding="utf-8"))
        opened |= base["values"]["pulumiConfig"]
    opened |= definition["values"]["pulumiConfig"] | stack_file["config"]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    set_besides = set(re.findall(r"pulumi env set \S+ 'pulumiConfig\[\"agents:(\w+)\"\]", readme))

    assert set_besides == {"developerKeys", "serverKey"}
    given = {name.removeprefix("agents:"): value for name, value in opened.items()}
    with_esc = environment_run(monkeypatch, "prod", **given)
    without = environment_run(monkeypatch, "prod")

    assert with_esc.outputs == without.outputs
    assert with_esc.inputs() == without.inputs()


def _name(environment: str) -> str:
    project, _, name = environment.partition("/")
    assert project == "agents"
    return name


def test_two_teams_share_no_object(monkeypatch: pytest.MonkeyPatch) -> None:
    teams = TWO_TEAMS.config("shared")["agents-of-teams:teams"]
    secrets = {
        "developerKeys": {
            team: {name: key_of(name) for name in settings["developers"]} for team, settings in teams.items()
        },
        "serverKeys": {team: key_of(f"server-of-{team}") for team in teams},
    }

    both = TWO_TEAMS.run(monkeypatch, "shared", secrets=secrets)
    alone = {
        team: TWO_TEAMS.run(monkeypatch, "shared", secrets=secrets, teams={team: settings})
        for team, settings in teams.items()
    }

    assert set(teams) == {"payments", "search"}
    assert len(set(both.objects())) == len(both.objects()), "a name twice is two owners of one object"
    assert sorted(both.objects()) == sorted(each for run in alone.values() for each in run.objects())
    assert both.outputs["urls"] == {
        "payments": "https://payments.agents.example.internal/v1",
        "search": "https://search.agents.example.internal/v1",
    }
    for team, run in alone.items():
        namespaces = {namespace for _, namespace, _ in run.objects() if namespace}
        assert namespaces == {f"agents-{team}", "certificates"}, "the grant for its Gateway is there"
