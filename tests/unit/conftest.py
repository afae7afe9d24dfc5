"""A developer's machine for `onprem-agents setup`: an empty home, every agent on PATH, and nothing of the real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onprem_agents.agents import AGENTS
from onprem_agents.cli import key_source, main, setup_view
from tests.unit.contract_samples import CONTRACT
from tests.unit.platform_server import Platform, platform
from tests.unit.setup_machine import HOME_VARIABLES, VERSIONS, Onprem, Setup

OF_THE_REAL_MACHINE = (
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "XDG_DATA_HOME",
    "ONPREM_API_KEY",
    "OPENCODE_API_KEY",
    *HOME_VARIABLES,
)


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands write into a pipe, whatever terminal the tests are started in."""
    for name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for agent, version in VERSIONS.items():
        program = folder / agent
        program.write_text(f"#!/bin/sh\necho '{version}'\n")
        program.chmod(0o755)
    return folder


@pytest.fixture
def run_setup(tmp_path: Path, home: Path, bin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for name in (*OF_THE_REAL_MACHINE, *(name for agent in AGENTS for name in agent.ca_variables)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SHELL", "/bin/bash")
    monkeypatch.setenv("PATH", f"{bin_folder}:/bin:/usr/bin")

    def run(*args: str, contract: str | None = None, **variables: str) -> Result:
        offline = ["--no-check"]  # the contract's gateway is a made-up name
        result = CliRunner().invoke(
            main, ["setup", *offline, *args], input=contract or json.dumps(CONTRACT), env=dict(variables)
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


@pytest.fixture
def server() -> Iterator[Platform]:
    """A platform on loopback that publishes its contract."""
    with platform() as running:
        running.contract_text = running.contract().to_json()
        yield running


@pytest.fixture
def onprem(home: Path, bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Onprem:
    """A command line in an empty home; `typed` is what somebody types at a terminal, None that nobody is there."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "ONPREM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SHELL", "/bin/bash")
    monkeypatch.setenv("PATH", f"{bin_folder}:/bin:/usr/bin")

    def run(*words: str, typed: str | None = None, **variables: str) -> Result:
        for module in (key_source, setup_view):
            monkeypatch.setattr(module, "interactive", lambda: typed is not None)
        result = CliRunner().invoke(main, words, input=typed, env=dict(variables))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run
