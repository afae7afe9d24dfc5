"""`plan` and `render` ask the policies that `check` asks: what they refuse is told, and not printed as manifests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from policy.table import POLICIES

pytestmark = pytest.mark.unit

STACKS = Path(__file__).parents[2] / "stacks"
STACK = "asked"


def write(folder: Path, **role: Any) -> Path:
    """Write a stack of one role on two H100, with these settings of the role."""
    platform = {
        "hardware": {"accelerator": "H100", "gpusPerNode": 2},
        "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", **role}],
        "access": {
            "host": "agents.example.internal",
            "tls": {"secretName": "agents-tls"},
            "developers": {"alice": {}},
        },
    }
    path = folder / f"Pulumi.{STACK}.yaml"
    path.write_text(yaml.safe_dump({"config": {"onprem-coding-agents:platform": platform}}, sort_keys=False))
    return path


def run(command: str, folder: Path, *words: str) -> Result:
    result = CliRunner().invoke(main, [command, STACK, "--stacks", str(folder), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


# settings of the role, and a part of what each of the three commands must say
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a context that no agent works in": ({"context": 4096}, "platform.models[0].context"),
    "the parser of another family": (
        {"model": "Qwen/Qwen3.8-27B-FP8", "toolCallParser": "hermes"},
        "toolCallParser (the argument --tool-call-parser) to qwen3_coder",
    ),
    "no memory for what vLLM does not count": (
        {"gpuMemoryUtilization": 0.97},
        "gpuMemoryUtilization (the argument --gpu-memory-utilization) to 0.85 to 0.92",
    ),
    "a model whose calls no parser reads": (
        {"model": "microsoft/phi-4", "context": 16384},
        "platform.models[0].model",
    ),
    "the same with a parser of somebody else's": (
        {"model": "microsoft/phi-4", "context": 16384, "toolCallParser": "hermes"},
        "platform.models[0].model",
    ),
}


@pytest.mark.parametrize("command", ["plan", "render", "check"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_never_works_for_an_agent_is_refused_everywhere_with_what_to_change(
    name: str, command: str, tmp_path: Path
) -> None:
    settings, part = REFUSED[name]
    write(tmp_path, **settings)

    result = run(command, tmp_path)

    assert result.exit_code == 1
    assert part in " ".join(result.output.split())


@pytest.mark.parametrize("words", [(), ("--all",), ("--explain",)])
def test_findings_stand_below_the_plan_with_the_line_of_their_role(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    path = write(tmp_path, toolCallParser="hermes")
    line = next(
        number for number, text in enumerate(path.read_text().splitlines(), 1) if "- role: coder" in text
    )
    plan, _, below = run("plan", tmp_path, *words).stdout.partition(f"{path}:{line}: mandatory: ")

    assert "tools hermes" in plan or "tool parser hermes" in plan
    assert below.startswith("parser-fits-the-model\n")
    assert below.endswith("The policies refuse this stack: 1 finding to mend.\n")


def test_a_plan_as_json_has_the_findings_that_check_has(tmp_path: Path) -> None:
    write(tmp_path, gpuMemoryUtilization=0.97)
    told = run("plan", tmp_path, "--json")

    assert (told.exit_code, told.stderr) == (1, "")
    findings = json.loads(told.stdout)["findings"]
    assert findings == json.loads(run("check", tmp_path, "--json").stdout)["findings"]
    assert [finding["policy"] for finding in findings] == ["memory-headroom-is-left"]


def test_advice_is_told_and_refuses_nothing(tmp_path: Path) -> None:
    write(tmp_path, speculativeTokens=3, prefixCaching=True)
    planned, rendered = run("plan", tmp_path), run("render", tmp_path)

    assert (planned.exit_code, rendered.exit_code) == (0, 0)
    for told in (planned.stdout, rendered.stderr):
        assert "advisory: options-work-together" in told
        assert "refuse this stack" not in told
    assert next(iter(yaml.safe_load_all(rendered.stdout)))["kind"] == "Namespace"


def test_render_prints_what_is_refused_only_where_somebody_insists(tmp_path: Path) -> None:
    write(tmp_path, toolCallParser="hermes")
    refused, insisted = run("render", tmp_path), run("render", tmp_path, "--despite-policies")

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.endswith("Nothing is printed; mend the stack, or add --despite-policies.\n")
    assert insisted.exit_code == 0
    assert next(iter(yaml.safe_load_all(insisted.stdout)))["kind"] == "Namespace"
    assert "mandatory: parser-fits-the-model" in insisted.stderr
    assert "Nothing is printed" not in insisted.stderr


@pytest.mark.parametrize("stack", sorted(path.name.split(".")[1] for path in STACKS.glob("Pulumi.*.yaml")))
def test_our_own_stacks_get_no_word(stack: str) -> None:
    told = CliRunner().invoke(main, ["plan", stack, "--stacks", str(STACKS), "--json"])

    assert told.exit_code == 0
    assert json.loads(told.stdout)["findings"] == []


def test_images_are_listed_for_a_mirror_without_a_policy(tmp_path: Path) -> None:
    write(tmp_path, toolCallParser="hermes")
    told = run("plan", tmp_path, "--images")

    assert told.exit_code == 0
    assert all(len(line.split()) == 2 for line in told.stdout.splitlines())


def test_where_the_pack_is_not_installed_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onprem_agents.cli.asked_policies.installed_rules", lambda: None)
    write(tmp_path, toolCallParser="hermes")
    planned, rendered = run("plan", tmp_path), run("render", tmp_path)

    assert (planned.exit_code, rendered.exit_code) == (0, 0)
    assert "The policies were not asked: " in planned.stdout
    assert "pip install 'onprem-coding-agents[platform]'" in " ".join(planned.stdout.split())
    assert "The policies were not asked: " in rendered.stderr
    assert json.loads(run("plan", tmp_path, "--json").stdout)["findings"] is None
    assert POLICIES, "the pack is there, and was not asked"
