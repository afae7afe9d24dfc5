"""What an environment says of the policies: named by hand or beside the stack files, the same for every command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from policy.configuration import Configuration, read_configuration
from policy.table import POLICIES
from tests.unit.repositories import git

pytestmark = pytest.mark.unit

FOR_ALL, FOR_ONE = "policy-config.json", "policy-config.production.json"
PINNED = {"images-are-pinned": {"enforcementLevel": "mandatory", "requireDigest": True}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the stacks `production` and `test`, whose images have tags and no digests."""
    platform = {
        "hardware": {"accelerator": "H100", "gpusPerNode": 2},
        "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8"}],
        "access": {
            "host": "agents.example.internal",
            "tls": {"secretName": "agents-tls"},
            "developers": {"alice": {}},
        },
    }
    for stack in ("production", "test"):
        text = yaml.safe_dump({"config": {"onprem-coding-agents:platform": platform}})
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(text)
    return tmp_path


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def run(*words: object) -> Result:
    result = CliRunner().invoke(main, [*map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def refused(command: str, stack: str, folder: Path, *words: object) -> bool:
    result = run(command, stack, "--stacks", folder, *words)
    assert ("images-are-pinned" in result.output) is (result.exit_code == 1), result.output
    return result.exit_code == 1


@pytest.mark.parametrize("command", ["plan", "render", "check"])
def test_a_configuration_named_by_hand_counts(command: str, folder: Path) -> None:
    config = write(folder / "elsewhere.json", PINNED)

    assert not refused(command, "production", folder)
    assert refused(command, "production", folder, "--policy-config", config)


@pytest.mark.parametrize("command", ["plan", "render", "check"])
def test_beside_the_stacks_the_stacks_own_counts_in_place_of_the_one_for_all(
    command: str, folder: Path
) -> None:
    write(folder / FOR_ALL, PINNED)
    assert refused(command, "production", folder)
    assert refused(command, "test", folder)

    write(folder / FOR_ONE, {})
    assert not refused(command, "production", folder)
    assert refused(command, "test", folder)
    assert not refused(command, "test", folder, "--policy-config", folder / FOR_ONE)


def test_a_review_judges_each_end_by_what_lay_there_and_tells_what_a_stricter_file_finds(
    folder: Path,
) -> None:
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The stacks")
    write(folder / FOR_ONE, PINNED)
    told = run("review", "HEAD", "--stacks", folder)

    assert told.exit_code == 0
    assert "**New findings**" in told.stdout
    assert "❌ `images-are-pinned`" in told.stdout
    assert "`test` is as before." in told.stdout
    same = run("review", "HEAD", "--stacks", folder, "--policy-config", folder / FOR_ONE)
    assert "`production`, `test` are as before." in same.stdout


def test_the_report_tells_levels_as_the_file_beside_the_stack_has_them(folder: Path) -> None:
    write(folder / FOR_ONE, {**PINNED, "exposure": "disabled"})
    verdicts = json.loads(run("report", "production", "--stacks", folder, "--json").stdout)["verdicts"]
    (pinned,) = (each for each in verdicts if each["policy"] == "images-are-pinned")

    assert pinned["level"] == "mandatory"
    assert pinned["findings"] != []
    assert {each["policy"] for each in verdicts} == {
        policy.name for policy in POLICIES if policy.pack != "exposure"
    }


def test_manifests_are_judged_by_what_is_named_alone(folder: Path) -> None:
    stack = folder / "Pulumi.test.yaml"
    (folder / "manifests").mkdir()
    manifests = folder / "manifests" / "all.yaml"
    manifests.write_text(run("render", "test", "--stacks", folder).stdout)
    stack.unlink()
    write(folder / FOR_ALL, PINNED)

    assert run("check", manifests).exit_code == 0
    for source in (manifests, manifests.parent):
        assert run("check", source, "--policy-config", folder / FOR_ALL).exit_code == 1


BAD = {"images-are-pined": "mandatory"}


def test_a_bad_configuration_beside_a_stack_is_a_finding_that_names_file_and_field(folder: Path) -> None:
    path = write(folder / FOR_ONE, BAD)
    (finding,) = json.loads(run("check", "--stacks", folder, "--json").stdout)["findings"]

    assert finding.pop("change").startswith("did you mean images-are-pinned")
    assert finding == {
        "policy": "policies-are-configured",
        "pack": "serving",
        "level": "mandatory",
        "resource": "stack production: images-are-pined",
        "file": str(path),
        "line": 1,
        "message": "no policy and no pack of that name: it would change nothing",
    }
    for command in ("plan", "render"):
        result = run(command, "production", "--stacks", folder)
        assert result.exit_code == 1
        assert "images-are-pined" in result.output
        assert FOR_ONE in result.output


def test_a_bad_configuration_named_by_hand_is_not_read(folder: Path) -> None:
    path = write(folder / "bad.json", BAD)
    result = run("check", "--stacks", folder, "--policy-config", path)

    assert (result.exit_code, result.stdout) == (2, "")
    assert str(path) in result.stderr
    assert "images-are-pined" in result.stderr


def test_a_pack_as_a_whole_has_a_level_that_a_policy_of_it_can_leave(tmp_path: Path) -> None:
    said = read_configuration(
        write(
            tmp_path / "packs.json",
            {"all": "mandatory", "serving": "disabled", "exposure": "advisory", "keys-are-bare": "mandatory"},
        )
    )
    levels = {policy.name: said.level_of(policy) for policy in POLICIES}

    assert {levels[policy.name] for policy in POLICIES if policy.pack == "serving"} == {None}
    assert {levels[policy.name] for policy in POLICIES if policy.pack == "supply-chain"} == {"mandatory"}
    exposure = {
        policy.name for policy in POLICIES if policy.pack == "exposure" and levels[policy.name] != "advisory"
    }
    assert exposure == {"keys-are-bare"}


@pytest.mark.parametrize("said", [{"serving": "off"}, {"serving": {"enforcementLevel": "disabled"}}])
def test_a_pack_takes_a_level_alone(said: Any, folder: Path) -> None:
    result = run("check", "--stacks", folder, "--policy-config", write(folder / "bad.json", said))

    assert result.exit_code == 2
    assert "write one of mandatory, advisory, disabled" in " ".join(result.stderr.split())


def test_for_the_engine_each_policy_of_a_pack_is_written_by_its_own_name(tmp_path: Path) -> None:
    exemption = {"resource": "Deployment a/b", "reason": "OPS-1", "until": "2027-01-31"}
    written = {
        "serving": "disabled",
        "tool-calling-is-on": "advisory",
        "memory-is-not-tight": {"exemptions": [exemption]},
        **PINNED,
    }
    path = write(tmp_path / "packs.json", written)
    printed = run("policy-pack", "--config", path)
    told = json.loads(printed.stdout)

    assert printed.exit_code == 0
    assert told["tool-calling-is-on"] == {"enforcementLevel": "advisory"}
    assert told["memory-is-not-tight"] == {"enforcementLevel": "disabled", "exemptions": [exemption]}
    assert told["images-are-pinned"] == PINNED["images-are-pinned"]
    assert told.keys() == {policy.name for policy in POLICIES if policy.pack == "serving"} | PINNED.keys()
    again = read_configuration(write(tmp_path / "engine.json", told))
    said = read_configuration(path)
    assert [again.level_of(policy) for policy in POLICIES] == [said.level_of(policy) for policy in POLICIES]
    assert all(again.settings_of(policy) == said.settings_of(policy) for policy in POLICIES)


def test_a_day_that_yaml_reads_is_written_as_the_engine_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "policies.yaml"
    path.write_text(
        "images-are-pinned: {exemptions: [{resource: a, reason: OPS-1, until: 2027-01-31}]}\n",
        encoding="utf-8",
    )
    told = json.loads(run("policy-pack", "--config", path).stdout)

    assert told == {
        "images-are-pinned": {"exemptions": [{"resource": "a", "reason": "OPS-1", "until": "2027-01-31"}]}
    }


def test_nothing_said_is_nothing_for_the_engine() -> None:
    assert Configuration().for_the_engine() == {}
