"""`onprem-agents setup --print` and `onprem-agents smoke` as commands: sources, exit codes, and never a traceback."""

from __future__ import annotations

import http.server
import json
import os
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from onprem_agents.agents import AGENTS, TARGETS
from onprem_agents.cli import main
from onprem_agents.setup.installed import Installed
from onprem_agents.setup.prepare import choose
from tests.expected_agents import EXPECTED
from tests.unit.contract_samples import CONTRACT, changed, contract

pytestmark = pytest.mark.unit

KEY = "k-0123456789"


def onprem(*args: str, stdin: str | bytes | None = None, **env: str) -> Result:
    variables: dict[str, str | None] = {"ONPREM_API_KEY": None, **env}
    result = CliRunner().invoke(main, args, input=stdin, env=variables)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def contract_file(tmp_path: Path) -> str:
    path = tmp_path / "connection.json"
    path.write_text(json.dumps(CONTRACT))
    return str(path)


def pulumi_that(tmp_path: Path, script: str) -> str:
    """Put a stand-in for the pulumi command on a PATH of its own, and return that PATH."""
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{program.parent}:{os.defpath}"


def test_a_pipe_is_enough_to_print_all_agents() -> None:
    result = onprem("setup", "--print", "all", stdin=json.dumps(CONTRACT))
    assert result.exit_code == 0
    heads = [line for line in result.stdout.splitlines() if line.startswith("# belongs in ")]
    places = [
        name.replace("home/", "~/")
        for expected in EXPECTED.values()
        for name in expected.written("user")
        if name not in expected.introduction
    ]
    assert heads == [f"# belongs in {place}" for place in (*places, "~/.bashrc")]


def test_without_a_target_all_are_printed(contract_file: str) -> None:
    given = onprem("setup", "--print", "all", "--connection", contract_file)
    assert onprem("setup", "--print", "--connection", contract_file).stdout == given.stdout


def test_what_is_printed_for_codex_is_toml_with_its_head(contract_file: str) -> None:
    result = onprem("setup", "--print", "codex", "--connection", contract_file)
    text, _, rest = result.stdout.partition("# belongs in ~/.codex/onprem-models.json\n")
    models, _, lines = rest.partition("# belongs in ~/.bashrc\n")
    assert tomllib.loads(text)["model_providers"]["onprem"]["wire_api"] == "responses"
    assert [model["slug"] for model in json.loads(models)["models"]] == ["coder", "fast"]
    assert "export ONPREM_API_KEY=" in lines


def test_json_holds_path_format_content_and_notes(contract_file: str) -> None:
    result = onprem("setup", "--print", "ccr", "--json", "--connection", contract_file, "--shell", "fish")
    data = json.loads(result.stdout)
    assert data["skipped"] == {}
    assert [(file["path"], file["format"]) for file in data["files"]] == [
        ("~/.config/onprem/ccr/.claude-code-router/config.json", "json"),
        ("~/.config/fish/config.fish", "shell"),
    ]
    assert json.loads(data["files"][0]["content"])["PORT"] == 3456


def test_an_agent_that_the_model_cannot_serve_is_left_out_of_all_and_refused_alone() -> None:
    text = changed("roles", 0, "supportedAgents", value=sorted(EXPECTED.keys() - {"codex"}))
    result = onprem("setup", "--print", stdin=text)
    assert result.exit_code == 0
    assert result.stderr == "left out codex: the contract does not list codex for this role\n"
    assert "~/.codex" not in result.stdout
    alone = onprem("setup", "--print", "codex", stdin=text)
    assert (alone.exit_code, alone.stdout) == (1, "")
    assert "why:   the contract does not list codex for this role" in alone.stderr


def test_setup_of_all_keeps_to_the_agents_that_the_platform_is_for() -> None:
    only = changed("agents", value=["opencode", "claude"])

    everything = onprem("setup", "--print", "--json", stdin=only)
    named = onprem("setup", "codex", "--print", "--json", stdin=only)

    told = json.loads(everything.stdout)
    assert told["skipped"]["codex"] == (
        "not one of the agents that the platform is for (opencode, claude); onprem-agents setup codex prepares it"
    )
    assert set(told["skipped"]) == {agent.name for agent in AGENTS} - {"opencode", "claude"}
    assert named.exit_code == 0, named.output
    assert json.loads(named.stdout)["skipped"] == {}


def test_a_platform_for_other_clients_alone_sets_no_agent_up_that_is_not_named() -> None:
    result = onprem("setup", "--print", stdin=changed("agents", value=[]))

    assert (result.exit_code, result.stdout) == (1, "")
    assert "codex: not one of the agents that the platform is for (none)" in result.stderr
    assert (
        "fix:   have the platform serve a role that supports one of them, or name the agent" in result.stderr
    )


def test_a_contract_that_serves_no_agent_is_an_error() -> None:
    result = onprem("setup", "--print", stdin=changed("roles", 0, "supportedAgents", value=[]))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"the connection contract: {len(EXPECTED)} problems\n")


def test_a_proxy_of_ones_own_is_printed_and_not_written(contract_file: str) -> None:
    result = onprem("setup", "ccr", "--connection", contract_file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "add --print and copy each part" in result.stderr


def test_no_key_is_ever_printed(contract_file: str) -> None:
    for target in (*(target.name for target in TARGETS), "all"):
        result = onprem("setup", "--print", target, "--connection", contract_file, ONPREM_API_KEY=KEY)
        assert result.exit_code == 0
        assert KEY not in result.output


def test_a_ca_file_with_a_line_end_is_refused(contract_file: str) -> None:
    result = onprem("setup", "--print", "--connection", contract_file, "--ca-file", "/a\nrm -rf ~")
    assert result.exit_code == 1
    assert "control characters would break the shell's start file" in result.stderr


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no contract was given"),
        (b"\xff\xfe\x00", "bytes that are no text"),
        (b"\xe4", "bytes that are no text"),
        (b" " * 1_100_000, "more than 1048576 bytes are not read"),
        (b"{", "the text ends in the middle"),
    ],
)
def test_a_bad_pipe_is_one_clear_problem(data: bytes, message: str) -> None:
    result = onprem("setup", "--print", stdin=data)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_a_file_as_old_powershell_writes_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "connection.json"
    path.write_bytes(json.dumps(CONTRACT).encode("utf-16"))
    assert onprem("setup", "--print", "--connection", str(path)).exit_code == 0


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        result = onprem("setup", "--print", "--connection", str(path))
        assert result.exit_code == 1
        assert "check the path after --connection" in result.stderr


def test_two_sources_are_one_too_many(contract_file: str) -> None:
    result = onprem("setup", "--print", "--connection", contract_file, "--stack", "team")
    assert result.exit_code == 2


def test_a_stack_is_asked_through_pulumi(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    out.write_text(json.dumps(CONTRACT))
    path = pulumi_that(tmp_path, f'echo "$@" > {tmp_path}/argv; cat {out}')
    result = onprem("setup", "--print", "codex", "--stack", "$(id)", PATH=path)
    assert result.exit_code == 0
    argv = (tmp_path / "argv").read_text()
    assert argv == "stack output connection --json --non-interactive --stack=$(id)\n"


def test_pulumis_refusal_is_passed_on_in_one_line(tmp_path: Path) -> None:
    path = pulumi_that(tmp_path, "printf 'error: no stack named\\n\\033[31mteam found' >&2; exit 255")
    result = onprem("setup", "--print", "--stack", "team", PATH=path)
    assert result.exit_code == 1
    assert "no connection output for stack 'team' (error: no stack named [31mteam found)" in result.stderr


def test_a_missing_pulumi_is_named(tmp_path: Path) -> None:
    result = onprem("setup", "--print", "--stack", "team", PATH=str(tmp_path))
    assert result.exit_code == 1
    assert "not on PATH; install it, or give the contract with --connection FILE instead" in result.stderr


class Model(http.server.BaseHTTPRequestHandler):
    """Answers with prose to whoever shows the right key, and writes down what it was asked."""

    asked: list[tuple[str, str]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        key = self.headers["authorization"] or ""
        self.asked.append((body["model"], key))
        allowed = key == f"Bearer {KEY}"
        reply = json.dumps(
            {"choices": [{"message": {"content": "ready"}}]} if allowed else {"error": key}
        ).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@pytest.fixture
def model() -> Iterator[http.server.ThreadingHTTPServer]:
    Model.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def test_smoke_tells_prose_from_a_tool_call_and_exits_with_1(model: http.server.ThreadingHTTPServer) -> None:
    address = f"http://127.0.0.1:{model.server_port}/v1"
    result = onprem("smoke", "--base-url", address, "--model", "coder", ONPREM_API_KEY=KEY)
    assert result.exit_code == 1
    first, second, cause, fix, *_ = result.stdout.splitlines()
    assert first.startswith("ok   chat: answered: ready, in ")
    assert second == "FAIL tool call: prose instead of a tool call: ready"
    assert cause == "     cause: prose"
    assert fix.startswith("     fix:   start vLLM with --enable-auto-tool-choice")
    assert KEY not in result.output


def test_smoke_reads_the_key_from_a_file_and_speaks_json(
    model: http.server.ThreadingHTTPServer, tmp_path: Path
) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("wrong-key-000\n")
    address = f"http://127.0.0.1:{model.server_port}/v1"
    args = ("--base-url", address, "--model", "coder", "--key-file", str(key_file), "--json")
    result = onprem("smoke", *args)
    data = json.loads(result.stdout)
    assert result.exit_code == data["exitCode"] == 1
    (verdict,) = data["verdicts"]
    assert (verdict["probe"], verdict["severity"], verdict["cause"]) == ("chat", "broken", "key-refused")
    assert str(key_file) in verdict["fix"]
    assert "wrong-key-000" not in result.output


def test_smoke_takes_address_model_and_key_variable_from_a_contract(
    model: http.server.ThreadingHTTPServer,
) -> None:
    address = f"http://127.0.0.1:{model.server_port}"
    data = json.loads(changed("auth", "keyEnv", value="ONPREM_OTHER_KEY"))
    data |= {"host": "127.0.0.1", "baseUrl": f"{address}/v1", "anthropicBaseUrl": address}
    onprem("smoke", "--connection", "-", stdin=json.dumps(data), ONPREM_OTHER_KEY=KEY)
    assert Model.asked == [("coder", f"Bearer {KEY}")] * 3


def test_smoke_at_a_closed_port_exits_with_3() -> None:
    result = onprem("smoke", "--base-url", "http://127.0.0.1:9/v1", "--model", "coder", "--timeout", "5")
    assert result.exit_code == 3
    assert "FAIL chat: 127.0.0.1 refused the connection" in result.stdout


def test_smoke_says_when_the_named_variable_is_not_set() -> None:
    args = ("--base-url", "http://127.0.0.1:9/v1", "--model", "coder", "--key-env", "ONPREM_NONE")
    assert "the variable ONPREM_NONE is not set: asking without a key" in onprem("smoke", *args).stderr


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("--base-url", "http://127.0.0.1:9/v1"),
        ("--model", "coder"),
        ("--base-url", "http://127.0.0.1:9/v1", "--model", "a", "--key-env", "A", "--key-file", "b"),
        ("--base-url", "http://127.0.0.1:9/v1", "--model", "a", "--timeout", "0"),
    ],
)
def test_smoke_without_what_it_needs_is_a_usage_error(args: tuple[str, ...]) -> None:
    assert onprem("smoke", *args).exit_code == 2


def test_smoke_with_an_unreadable_key_file_is_one_clear_sentence(tmp_path: Path) -> None:
    args = ("--base-url", "http://127.0.0.1:9/v1", "--model", "a", "--key-file", str(tmp_path / "none"))
    result = onprem("smoke", *args)
    assert result.exit_code == 1
    assert result.stderr.endswith("check the path after --key-file\n")


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        # codex and claude are on PATH, the platform is for opencode and claude.
        (("codex", "claude"), ["claude"]),
        # None is: all that the platform is for are prepared.
        ((), ["opencode", "claude"]),
    ],
)
def test_setup_writes_for_the_agents_that_are_there_and_that_the_platform_is_for(
    there: tuple[str, ...], chosen: list[str]
) -> None:
    connection = contract("agents", value=["opencode", "claude"])
    found = [
        Installed(agent=agent, path=f"/bin/{agent.name}" if agent.name in there else None) for agent in AGENTS
    ]

    agents, left_out = choose(connection, None, found, "user")

    assert [agent.name for agent in agents] == chosen
    assert "not one of the agents that the platform is for" in left_out["codex"]
