"""`onprem-agents verify`: where address, key and CA come from, what is printed, and the exit codes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from onprem_agents.plan import plan_stack_file
from onprem_agents.stack.settings import PROJECT
from tests.unit.scripted_gateway import KEY, ScriptedGateway, gateway

STACKS = Path(__file__).parents[2] / "stacks"
# Decrypts what the first of these names.
PULUMI = """#!{python}
import pathlib, sys
place = sys.argv[sys.argv.index("--path") + 1]
pathlib.Path(__file__).with_name("asked").write_text(" ".join(sys.argv[1:]))
keys = {{'{project}:developerKeys["alice"]': "{key}", '{project}:developerKeys["bob"][1]': "bobs-newer-{key}"}}
sys.exit("error: incorrect passphrase") if place not in keys else print(keys[place])
"""


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONPREM_API_KEY", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The stacks with developers whose keys are encrypted, bob's while it is exchanged."""
    document = yaml.safe_load((STACKS / "Pulumi.local.yaml").read_text())
    secure = {"secure": "v1:AAAA"}
    document["config"][f"{PROJECT}:developerKeys"] = {"alice": secure, "bob": [secure, secure]}
    return written(tmp_path / "stacks", document)


def written(folder: Path, document: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "Pulumi.local.yaml").write_text(yaml.safe_dump(document))
    return folder


def with_check(folder: Path, **check: Any) -> Path:
    document = yaml.safe_load((folder / "Pulumi.local.yaml").read_text())
    document["config"][f"{PROJECT}:platform"]["check"] = check
    return written(folder, document)


@pytest.fixture
def server(folder: Path) -> Iterator[ScriptedGateway]:
    with gateway(plan_stack_file(folder, "local").connection) as (running, _):
        yield running


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "bin"
    place.mkdir()
    program = place / "pulumi"
    program.write_text(PULUMI.format(python=sys.executable, project=PROJECT, key=KEY))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.defpath}")
    return place


def verify(folder: Path, *options: str, given: str | None = None, **variables: str) -> Result:
    argv = ["verify", "local", "--stacks", str(folder), *options]
    result = CliRunner().invoke(main, argv, input=given, env=dict(variables))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def url(server: ScriptedGateway) -> tuple[str, str]:
    return "--url", server.contract.base_url


def test_a_sound_platform_is_told_check_by_check_and_ends_well(folder: Path, server: ScriptedGateway) -> None:
    done = verify(folder, *url(server), ONPREM_API_KEY=KEY)

    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ok   gateway: dns: 127.0.0.1 is 127.0.0.1")
    assert any(line.startswith("ok   coder: prefix reuse: ") for line in lines)
    assert lines[-1] == "21 checks, all well."
    assert KEY not in done.output


def test_a_fault_is_told_with_why_and_what_to_change(folder: Path, server: ScriptedGateway) -> None:
    server.faults.add("no /v1/responses")
    done = verify(folder, *url(server), ONPREM_API_KEY=KEY)

    assert done.exit_code == 1
    assert "FAIL coder: responses: HTTP 404" in done.stdout
    assert (
        "     why:    Codex speaks this API and no other\n     change: nothing serves responses"
        in done.stdout
    )
    assert "20 checks, 1 with a fault (coder: responses), 1 not run.\n" in done.stdout


def test_as_json_each_result_is_a_row_and_the_progress_goes_to_standard_error(
    folder: Path, server: ScriptedGateway
) -> None:
    server.faults.add("body-limit")
    done = verify(folder, *url(server), "--json", ONPREM_API_KEY=KEY)

    told = json.loads(done.stdout)
    assert (done.exit_code, told["exitCode"], told["passed"], told["notRun"]) == (1, 1, False, [])
    (bad,) = [row for row in told["checks"] if row["verdict"] != "ok"]
    assert (bad["name"], bad["role"], bad["cause"]) == ("long body", None, "body-limit")
    assert bad["change"].startswith("raise the gateway's body limit")
    assert "ok   coder: chat" in done.stderr


def test_a_gateway_that_cannot_be_reached_ends_with_3(folder: Path) -> None:
    done = verify(folder, "--url", "http://127.0.0.1:1", ONPREM_API_KEY=KEY)

    assert done.exit_code == 3
    assert "FAIL gateway: connection: 127.0.0.1 refused the connection" in done.stdout
    assert "coder: chat" in done.stdout.splitlines()[-1], "what was not run is told"


def test_the_key_comes_from_a_file_or_standard_input(
    folder: Path, server: ScriptedGateway, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")

    of_file = verify(folder, *url(server), "--key-file", str(tmp_path / "key"))
    of_input = verify(folder, *url(server), "--key-file", "-", given=f"{KEY}\n")

    assert (of_file.exit_code, of_input.exit_code) == (0, 0)


def test_without_any_the_first_developers_key_of_the_stack_is_decrypted(
    folder: Path, server: ScriptedGateway, pulumi: Path
) -> None:
    done = verify(folder, *url(server))

    assert done.exit_code == 0, done.output
    asked = (pulumi / "asked").read_text()
    assert "config get --path" in asked
    assert f"--config-file {folder / 'Pulumi.local.yaml'}" in asked
    assert KEY not in done.output + asked


def test_a_named_developers_newest_key_is_used(folder: Path, server: ScriptedGateway, pulumi: Path) -> None:
    done = verify(folder, *url(server), "--developer", "bob", ONPREM_API_KEY=KEY)

    assert done.exit_code == 1
    assert 'developerKeys["bob"][1]' in (pulumi / "asked").read_text()
    assert "the key from bob in the stack file is wrong, expired or revoked" in done.stdout


@pytest.mark.parametrize("name", ["--developer=bobby", "--developer=carol"])
def test_an_unknown_developer_is_refused_with_the_nearest(folder: Path, name: str) -> None:
    done = verify(folder, name)

    assert done.exit_code == 1
    assert "no developer of that name stands in the stack file" in done.stderr


def test_without_pulumi_the_way_out_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = verify(folder)

    assert done.exit_code == 1
    assert "the pulumi command is not on PATH" in done.stderr


def test_a_passphrase_that_is_wrong_is_told_with_the_other_ways(folder: Path, pulumi: Path) -> None:
    program = pulumi / "pulumi"
    program.write_text(program.read_text().replace("alice", "nobody"))
    done = verify(folder)

    assert done.exit_code == 1
    assert "incorrect passphrase" in done.stderr
    assert "give a key with --key-file" in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--url", "http://agents.example.internal"), "--url\n  found: 'http://agents.example.internal'"),
        (("--url", "https://user:pw@a.example"), "an address with a user or password (not shown)"),
        (("--address", "10.0.0.7/8"), "--address\n  found: '10.0.0.7/8'"),
        (("--address", "10.0.0.7:99999"), "--address\n"),
        (("--address", "10.0.0.300"), "write it like 10.0.0.7, 127.0.0.1:8443 or [fd00::7]:443"),
        (("--long-prompt-tokens", "12"), "--long-prompt-tokens\n  found: 12"),
        (("--role", "codder"), "--role\n  found: 'codder'"),
        (("--ca-file", "/nowhere.pem"), "the CA file /nowhere.pem cannot be used"),
        (("--key-file", "/nowhere.key"), "the key file '/nowhere.key' cannot be read"),
    ],
)
def test_bad_input_is_refused_with_its_option(folder: Path, options: tuple[str, str], told: str) -> None:
    done = verify(folder, *options, ONPREM_API_KEY=KEY)

    assert done.exit_code == 1
    assert told in done.stderr
    assert "pw" not in done.stderr


def test_a_key_file_beside_a_developer_is_refused(folder: Path) -> None:
    done = verify(folder, "--key-file", "-", "--developer", "alice")

    assert (done.exit_code, "give --key-file or --developer, not both" in done.stderr) == (2, True)


def test_what_the_stack_says_of_the_check_holds_until_an_option_says_otherwise(
    folder: Path, server: ScriptedGateway
) -> None:
    with_check(folder, longPromptTokens=4096)

    def length(*options: str) -> int:
        done = verify(folder, *url(server), "--json", *options, ONPREM_API_KEY=KEY)
        return int(json.loads(done.stdout)["checks"][-1]["found"].split()[0].replace(",", ""))

    assert abs(length() - 4096) < 100
    assert abs(length("--long-prompt-tokens", "8192") - 8192) < 100
