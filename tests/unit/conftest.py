"""A developer's machine for `onprem-agents setup`: an empty home, every agent on PATH, and nothing of the real one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from tests.unit.contract_samples import CONTRACT
from tests.unit.setup_machine import HOME_VARIABLES, VERSIONS, Setup


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
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "ONPREM_API_KEY", *HOME_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SHELL", "/bin/bash")
    monkeypatch.setenv("PATH", f"{bin_folder}:/bin:/usr/bin")

    def run(*args: str, contract: str | None = None, **variables: str) -> Result:
        result = CliRunner().invoke(
            main, ["setup", *args], input=contract or json.dumps(CONTRACT), env=dict(variables)
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run
