"""opencode set up in a home where npm has a mirror of the company's and opencode a provider of the user's own.

No gateway: what is shown is where it and its commands look, in a network that holds the model and the mirror alone.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from embedded.layout import Layout
from tests.agents import clis, closed_network
from tests.agents.without_gateway import KEY_COMMAND, onprem_agents, scripted_model

LIMIT_SECONDS = 240
MIRROR = "http://127.0.0.1:4873/"
TASK = 'run "npm install left-pad --fetch-retries=0 > npm.log 2>&1; npm config get registry > registry"'
# A script, in which no function of the shell would be known; `timeout` starts programs alone.
SCRIPT = f"""
python3 -m http.server 4873 --bind 127.0.0.1 > /dev/null 2> mirror.log &
timeout {LIMIT_SECONDS} opencode run --format json "$TASK" > run.log 2>&1
opencode models > models
OPENCODE_TEST_MANAGED_CONFIG_DIR=$MANAGED opencode models > models-managed
kill %1
"""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What the script left in its folder, and the names and addresses of outside that were looked for."""

    folder: Path
    asked: str

    def text(self, name: str) -> str:
        """Return one of the files."""
        return (self.folder / name).read_text()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    if not closed_network.is_possible():
        pytest.skip(closed_network.MISSING)
    folder = tmp_path_factory.mktemp("alone")
    home, root = folder / "home", folder / "root"
    repository = home / "repository"
    repository.mkdir(parents=True)
    programs = os.pathsep.join([str(clis.installed(Layout.default())), os.environ["PATH"]])
    variables = {"HOME": str(home), "PATH": programs, "LANG": "C.UTF-8", "SHELL": "/bin/bash"}
    (home / ".npmrc").write_text(f"registry={MIRROR}\n")
    own = {"provider": {"ollama": {"npm": "@ai-sdk/openai-compatible", "models": {"mine": {}}}}}
    (home / ".config/opencode").mkdir(parents=True)
    (home / ".config/opencode/opencode.json").write_text(json.dumps(own))
    with scripted_model(folder) as (port, contract):
        asked = ["--connection", str(contract), "--yes"]
        for more in (["--key-command", KEY_COMMAND], ["--scope", "managed", "--root", str(root)]):
            onprem_agents("setup", "opencode", *asked, *more, variables=variables, folder=repository)
        with closed_network.around(port, folder) as (within, log):
            subprocess.run(
                [*within, "bash", "-c", f". ~/.bashrc; bash -c {shlex.quote(SCRIPT)}"],
                cwd=repository,
                env=variables | {"TASK": TASK, "MANAGED": str(root / "etc/opencode")},
                stdin=subprocess.DEVNULL,
                timeout=2 * LIMIT_SECONDS,
                check=False,
            )
            yield Ran(folder=repository, asked=log.read_text())


def test_neither_opencode_nor_its_commands_look_for_anything_outside(ran: Ran) -> None:
    assert ran.asked == ""


def test_what_the_agent_installs_comes_from_the_mirror_that_the_user_named(ran: Ran) -> None:
    assert ran.text("registry").strip() == MIRROR, ran.text("run.log")
    assert "GET /left-pad" in ran.text("mirror.log"), ran.text("npm.log")
    assert "opencode" not in ran.text("mirror.log"), "the library for plugins is taken to be there"


def test_the_users_own_provider_stays_and_the_hosted_models_are_gone(ran: Ran) -> None:
    assert ran.text("models").split() == ["ollama/mine", "onprem/coder", "onprem/fast"]


def test_a_whole_machine_shows_the_platform_alone(ran: Ran) -> None:
    assert ran.text("models-managed").split() == ["onprem/coder", "onprem/fast"]
