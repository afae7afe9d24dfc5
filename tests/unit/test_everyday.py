"""The page for every day, the dev container feature and the CI job: run as they stand, in an empty home."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from onprem_agents.agents import CLIENTS
from onprem_agents.cli import main
from tests.unit.platform_server import KEY, Platform
from tests.unit.setup_machine import Onprem, address

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "everyday.md").read_text(encoding="utf-8")
FEATURE = ROOT / "docs" / "devcontainer" / "onprem-agents"
JOB = ROOT / "docs" / "ci" / "agent-job.sh"
# Of containers.dev's schema for devcontainer-feature.json (devContainerFeature.schema.json, read 2026-11-28).
KNOWN = {
    "id",
    "version",
    "name",
    "description",
    "documentationURL",
    "options",
    "installsAfter",
    "postCreateCommand",
}
OPTION = {"type", "default", "description", "proposals", "enum"}


def runs(folder: Path, command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), os.defpath])
    own = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", **variables}
    return subprocess.run(
        command, env=own, capture_output=True, text=True, timeout=300, check=False, cwd=folder
    )


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The command of this checkout, and a stand-in for Claude Code that tells what it was started with."""
    folder = tmp_path / "programs"
    folder.mkdir()
    told = f"PYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -c"
    words = {
        "onprem-agents": f"{told} 'from onprem_agents.cli import main; main()' \"$@\"",
        "claude": '[ "$1" = --version ] && { echo 2.1.330; exit; }; echo "$@" "key=$ONPREM_API_KEY" "$HOME"',
    }
    for name, text in words.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_commands_of_the_page_run_in_their_order(onprem: Onprem, server: Platform) -> None:
    assert onprem("setup", "--host", address(server), ONPREM_API_KEY=KEY).exit_code == 0
    lines = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    assert len(lines) == 4
    for line in lines:
        done = onprem(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"


def test_every_client_that_is_set_up_by_hand_is_named_with_what_prints_it() -> None:
    _, _, section = PAGE.partition("## Editors and other clients\n")
    named = re.findall(r"`([a-z-]+)`", section.partition("\n## ")[0])
    assert {client.name for client in CLIENTS} <= set(named)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_that_the_page_tells_of_is_there(shell: str) -> None:
    assert f"_ONPREM_AGENTS_COMPLETE={shell}_source onprem-agents" in PAGE
    asked = {
        "_ONPREM_AGENTS_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "onprem-agents us",
        "COMP_CWORD": "us" if shell == "fish" else "1",  # fish tells the word itself (click 8.3)
    }

    done = CliRunner().invoke(main, prog_name="onprem-agents", env=asked)

    assert "use" in re.split(r"[,\s]", done.output)


def test_the_feature_is_as_the_schema_wants_it() -> None:
    feature = json.loads((FEATURE / "devcontainer-feature.json").read_text())

    assert feature.keys() <= KNOWN
    assert feature["id"] == FEATURE.name, "the folder must have its name"
    assert re.fullmatch(r"\d+\.\d+\.\d+", feature["version"])
    for option in feature["options"].values():
        assert option.keys() <= OPTION
        assert option["type"] == "string"
        assert isinstance(option["default"], str)
    script = (FEATURE / "install.sh").read_text()
    assert all(f"${{{name.upper()}:-" in script for name in feature["options"]), "an option comes in capitals"


def test_the_feature_is_installed_and_sets_the_containers_user_up(
    programs: Path, tmp_path: Path, server: Platform
) -> None:
    prefix, home = tmp_path / "it's a prefix", tmp_path / "home"
    home.mkdir()
    python = tmp_path / "python"
    # Stands for `python3 -m venv`, whose pip would ask a package index: it lays down the checkout's command instead.
    python.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] && exec {shlex.quote(sys.executable)} "$@"\n'
        'mkdir -p "$3/bin"\n'
        'printf "#!/bin/sh\\necho \\"\\$@\\" > \\"$3/asked\\"\\n" > "$3/bin/pip"; chmod +x "$3/bin/pip"\n'
        f'ln -s {shlex.quote(str(programs / "onprem-agents"))} "$3/bin/onprem-agents"\n'
    )
    python.chmod(0o755)
    options = {"HOST": address(server), "AGENTS": "claude", "PACKAGE": "./a wheel.whl", "CAFILE": ""}

    built = runs(
        tmp_path, ["sh", str(FEATURE / "install.sh")], PREFIX=str(prefix), PYTHON=str(python), **options
    )
    assert built.returncode == 0, built.stderr
    assert (prefix / "lib/onprem-agents/asked").read_text().endswith("./a wheel.whl\n")
    created = runs(programs, [str(prefix / "bin/onprem-agents-setup")], HOME=str(home), ONPREM_API_KEY=KEY)

    assert created.returncode == 0, created.stderr
    assert (home / ".config/onprem/key").read_text().strip() == KEY
    settings = json.loads((home / ".claude/settings.json").read_text())
    assert settings["env"]["ANTHROPIC_BASE_URL"] == address(server)


def test_a_container_without_python_is_told_what_it_needs(tmp_path: Path) -> None:
    done = runs(tmp_path, ["sh", str(FEATURE / "install.sh")], PREFIX=str(tmp_path), PYTHON="/bin/false")

    assert done.returncode == 1
    assert "needs Python 3.11 or later" in done.stderr


def test_the_job_sets_an_empty_home_up_runs_the_agent_and_leaves_nothing(
    programs: Path, tmp_path: Path, server: Platform
) -> None:
    variables = {"HOST": address(server), "AGENT": "claude", "TASK": "mend it", "ONPREM_API_KEY": KEY}

    done = runs(programs, ["sh", str(JOB)], TMPDIR=str(tmp_path), **variables)

    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith("-p mend it --permission-mode acceptEdits key= ")
    assert not Path(last.rpartition(" ")[2]).exists()
    assert KEY not in done.stdout + done.stderr
    assert "claude: coder" in done.stdout


def test_a_job_with_a_refused_key_ends_before_any_agent_is_asked(programs: Path, server: Platform) -> None:
    variables = {
        "HOST": address(server),
        "AGENT": "claude",
        "TASK": "mend it",
        "ONPREM_API_KEY": "wrong-key-000",
    }

    done = runs(programs, ["sh", str(JOB)], **variables)

    assert done.returncode == 1
    assert "a key that the gateway does not take" in done.stderr
    assert "mend it" not in done.stdout
