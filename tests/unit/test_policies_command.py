"""`onprem-agents policies`: the list of the rules, and the objects that make an API server ask them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from onprem_agents.cli.main import main
from policy.table import POLICIES

pytestmark = pytest.mark.unit

STACKS = str(Path(__file__).parents[2] / "stacks")
_RUN = CliRunner(env={"COLUMNS": "200"})


def _run(*argv: str) -> Result:
    return _RUN.invoke(main, ["policies", *argv])


def _made(*argv: str) -> list[dict[str, Any]]:
    found = _run("--admission", *argv)
    assert found.exit_code == 0, found.output
    return list(yaml.safe_load_all(found.stdout))


def test_the_list_names_every_policy_with_pack_level_and_who_asks_it() -> None:
    rows = json.loads(_run("--json").stdout)

    assert [(row["name"], row["pack"], row["level"]) for row in rows] == [
        (policy.name, policy.pack, policy.level) for policy in POLICIES
    ]
    asked = {row["name"] for row in rows if row["admission"]}
    assert {"tool-calling-is-on", "registries-are-allowed"} < asked
    assert "routes-check-keys" not in asked, "one object does not tell whether another checks keys"
    assert "asks it too" in _run().stdout


def test_a_configuration_is_in_the_list(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"supply-chain": "disabled", "images-are-pinned": "mandatory"}))

    levels = {
        row["name"]: row["level"] for row in json.loads(_run("--json", "--policy-config", str(config)).stdout)
    }
    assert levels["images-are-pinned"] == "mandatory"
    assert levels["pods-are-restricted"] == "disabled"


def test_a_stack_tells_its_namespace_its_servers_and_its_longest_turn() -> None:
    made = _made("--stack", "local", "--stacks", STACKS)

    (route,) = (
        each
        for each in made
        if each["metadata"]["name"] == "onprem-agents-coding-agents-timeouts-are-monotonic"
        and each["kind"] == "ValidatingAdmissionPolicy"
    )
    variables = {each["name"]: each["expression"] for each in route["spec"]["variables"]}
    assert variables["servers"] == '["coder"]'
    assert variables["longestTurnSeconds"] == "600"
    (selector,) = route["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"]
    assert selector["values"] == ["coding-agents"]


def test_a_namespace_alone_gets_what_needs_no_stack() -> None:
    made = _made("--namespace", "ml", "--namespace", "team-a")
    names = {each["spec"]["policyName"] for each in made if each["kind"].endswith("Binding")}

    assert "onprem-agents-ml-team-a-tool-calling-is-on" in names
    assert "onprem-agents-ml-team-a-timeouts-are-monotonic" not in names
    assert len(made) == 2 * len(names)


def test_a_configuration_gives_settings_and_exemptions(tmp_path: Path) -> None:
    exemption = {"resource": "Deployment ml/router", "reason": "NET-1234", "until": "9999-12-31"}
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps(
            {
                "registries-are-allowed": {"allowedRegistries": ["registry.internal"]},
                "pods-leave-their-node-alone": {"exemptions": [exemption]},
            }
        )
    )
    text = _run("--admission", "--namespace", "ml", "--policy-config", str(config)).stdout

    assert '["registry.internal"]' in text
    assert "Deployment ml/router" in text


def test_a_mode_that_warns_denies_nothing_and_json_is_one_list() -> None:
    made = json.loads(_run("--admission", "--namespace", "ml", "--mode", "warn", "--json").stdout)

    assert made["kind"] == "List"
    actions = {
        tuple(each["spec"]["validationActions"])
        for each in made["items"]
        if each["kind"] == "ValidatingAdmissionPolicyBinding"
    }
    assert actions == {("Warn", "Audit")}


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--admission"], "add --stack STACK or --namespace NAME"),
        (["--admission", "--stack", "local", "--namespace", "ml"], "run the command again for --namespace"),
        (["--namespace", "ml"], "say where --admission holds"),
    ],
)
def test_a_place_and_admission_go_together(argv: list[str], told: str) -> None:
    found = _run(*argv)

    assert found.exit_code == 2
    assert told in found.output
