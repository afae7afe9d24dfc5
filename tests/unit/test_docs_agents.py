"""The pages for developers: every command in them runs, and every cause they name is one that the doctor tells."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from onprem_agents.agents import AGENTS, Agent
from onprem_agents.cli import main
from tests.unit.platform_server import KEY, platform
from tests.unit.setup_machine import HOME_VARIABLES, shell_of

ROOT = Path(__file__).parents[2]
NAMES = [agent.name for agent in AGENTS]


def page_of(agent: Agent) -> str:
    """Return the one page whose title names the agent."""
    texts = [path.read_text() for path in sorted((ROOT / "docs" / "agents").glob("*.md"))]
    (page,) = [text for text in texts if text.startswith(f"# {agent.title} on ")]
    return page


def commands(agent: Agent) -> list[str]:
    text = page_of(agent)
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("agent", AGENTS, ids=NAMES)
def test_every_command_of_a_page_runs_in_its_order(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / agent.name
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 99.0.0 || echo hi > hello.txt\n')
    program.chmod(0o755)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "SSL_CERT_FILE", *HOME_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": tmp_path / "home", "ONPREM_API_KEY": KEY, "NO_PROXY": "*"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    monkeypatch.chdir(tmp_path)
    ran = 0
    with platform() as server:
        server.contract_text = server.contract().to_json()
        for line in commands(agent):
            words = shlex.split(line.replace("agents.example.internal", f"http://{server.authority}"))
            if words[0] != "onprem-agents":
                continue
            if words[1:] == ["doctor"] and not (tmp_path / "home/.config/onprem/connection.json").exists():
                redo = ["setup", agent.name, "--host", f"http://{server.authority}"]
                assert CliRunner().invoke(main, redo).exit_code == 0
                for name, value in shell_of(agent, server.contract(), key=KEY).items():
                    monkeypatch.setenv(name, value)
            ran += 1
            extra = ["--root", str(tmp_path / "root")] if words[1] == "doctor" or "managed" in words else []
            result = CliRunner().invoke(main, [*words[1:], *extra])
            assert result.exit_code == 0, f"{line}\n{result.output}"
            assert KEY not in result.output
    assert ran == 5 + ("managed" in agent.scopes)


@pytest.mark.parametrize("agent", AGENTS, ids=NAMES)
def test_a_page_installs_the_release_that_was_tried(agent: Agent) -> None:
    assert commands(agent)[0] == agent.install_command(agent.version)
    assert f"Tried with {agent.title} {agent.version} " in page_of(agent)


@pytest.mark.parametrize("agent", AGENTS, ids=NAMES)
def test_the_causes_that_a_page_names_are_told_by_the_doctor(agent: Agent) -> None:
    text = page_of(agent)
    sources = "".join(path.read_text() for path in (ROOT / "onprem_agents").rglob("*.py"))
    named = set(re.findall(r"shows `([a-z-]+)`|\(`([a-z-]+)`\)", text))
    assert named
    assert all(f'"{first or second}"' in sources for first, second in named)
