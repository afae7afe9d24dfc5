"""The pages for developers: every command in them runs, and every cause they name is one that the doctor tells."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from onprem_agents.catalog import load_catalog
from onprem_agents.cli import main
from tests.unit.platform_server import KEY, platform

ROOT = Path(__file__).parents[2]
PAGES = {"claude": "claude-code", "codex": "codex", "opencode": "opencode"}


def commands(page: str) -> list[str]:
    text = (ROOT / "docs" / "agents" / f"{page}.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("agent", PAGES)
def test_every_command_of_a_page_runs_in_its_order(
    agent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / agent
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 99.0.0 || echo hi > hello.txt\n')
    program.chmod(0o755)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": tmp_path / "home", "ONPREM_API_KEY": KEY, "NO_PROXY": "*"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    monkeypatch.chdir(tmp_path)
    ran = 0
    with platform() as server:
        server.contract_text = server.contract().to_json()
        for line in commands(PAGES[agent]):
            words = shlex.split(line.replace("agents.example.internal", f"http://{server.authority}"))
            if words[0] != "onprem-agents":
                continue
            if words[1:] == ["doctor"] and not (tmp_path / "home/.config/onprem/connection.json").exists():
                redo = ["setup", agent, "--host", f"http://{server.authority}"]
                assert CliRunner().invoke(main, redo).exit_code == 0
            ran += 1
            extra = ["--root", str(tmp_path / "root")] if words[1] == "doctor" or "managed" in words else []
            result = CliRunner().invoke(main, [*words[1:], *extra])
            assert result.exit_code == 0, f"{line}\n{result.output}"
            assert KEY not in result.output
    assert ran == 6


@pytest.mark.parametrize("agent", PAGES)
def test_a_page_installs_the_release_that_was_tried(agent: str) -> None:
    fact = next(item for item in load_catalog().agents if item.name == agent)
    assert commands(PAGES[agent])[0] == f"npm install -g {fact.package}@{fact.version}"


@pytest.mark.parametrize("page", PAGES.values())
def test_the_causes_that_a_page_names_are_told_by_the_doctor(page: str) -> None:
    text = (ROOT / "docs" / "agents" / f"{page}.md").read_text()
    sources = "".join(path.read_text() for path in (ROOT / "onprem_agents").rglob("*.py"))
    named = set(re.findall(r"shows `([a-z-]+)`|\(`([a-z-]+)`\)", text))
    assert named
    assert all(f'"{first or second}"' in sources for first, second in named)
