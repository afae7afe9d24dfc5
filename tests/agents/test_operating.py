"""Real agents work on the repository of a stack: what a person decides is stopped by `check`, with file and key.

No gateway: what is shown is what comes of an agent's edit, whatever its model was told.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.layout import Layout
from tests.agents import clis
from tests.agents.machine import UNATTENDED
from tests.agents.without_gateway import KEY_COMMAND, ROOT, onprem_agents, scripted_model

LIMIT_SECONDS = 240
FILE = "stacks/Pulumi.team.yaml"
COMMAND = "onprem-agents check team --agent > told 2>&1 && git commit -qam done"
EAGER = ("sessions: 24", "extraArgs: [--enforce-eager]")
HOSTED = ("google/gemma-4-E4B-it", "openai/gpt-5.2")
GIT = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com"} | {
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


def repository(home: Path, variables: dict[str, str]) -> Path:
    """Make a committed repository of the stack `team`, with what `context` writes for agents."""
    folder = home / "repository"
    (folder / "stacks").mkdir(parents=True)
    (folder / FILE).write_text((ROOT / FILE).read_text())
    onprem_agents("context", "team", "--yes", variables=variables, folder=folder)
    assert (folder / "AGENTS.md").exists()
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "The stack"]):
        subprocess.run(["git", *words], cwd=folder, env=variables, check=True, timeout=60)
    return folder


def commits(folder: Path) -> int:
    listed = ["git", "rev-list", "--count", "HEAD"]
    return int(subprocess.run(listed, cwd=folder, check=True, capture_output=True, timeout=60).stdout)


@pytest.mark.parametrize(
    ("agent", "change", "key", "found"),
    [
        ("claude", EAGER, "platform.models[0].extraArgs", "--enforce-eager"),
        ("codex", HOSTED, "platform.models[1].model", "openai/gpt-5.2"),
        ("opencode", EAGER, "platform.models[0].extraArgs", "--enforce-eager"),
    ],
    ids=["claude-eager", "codex-hosted", "opencode-eager"],
)
def test_an_agent_that_goes_too_far_is_stopped_with_file_and_key(
    tmp_path: Path, agent: str, change: tuple[str, str], key: str, found: str
) -> None:
    home, programs = tmp_path / "home", tmp_path / "programs"
    programs.mkdir(parents=True)
    command = programs / "onprem-agents"
    command.write_text(
        f"#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -c 'from onprem_agents.cli import main; main()' \"$@\"\n"
    )
    command.chmod(0o755)
    path = os.pathsep.join([str(programs), str(clis.installed(Layout.default())), os.environ["PATH"]])
    variables = {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "SHELL": "/bin/bash", **GIT}
    folder = repository(home, variables)
    (home / ".profile").write_text(
        f'PATH="{programs}:$PATH"\n'
    )  # Codex 0.169.0 runs commands in login shells
    old, new = change

    with scripted_model(tmp_path) as (_, contract):
        asked = ["--connection", str(contract), "--yes", "--key-command", KEY_COMMAND]
        onprem_agents("setup", agent, *asked, variables=variables, folder=folder)
        task = f'read {FILE}, replace "{old}" with "{new}", then run "{COMMAND}"'
        done = subprocess.run(
            ["bash", "-c", f". ~/.bashrc; {UNATTENDED[agent]}"],
            cwd=folder,
            env=variables | {"TASK": task},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )

    assert new in (folder / FILE).read_text(), done.stdout
    told = (folder / "told").read_text()
    assert re.match(rf"{re.escape(FILE)}:\d+: mandatory: [a-z-]+\n  stack team: {re.escape(key)}: ", told), (
        told
    )
    assert found in told
    assert "1 refused" in told
    assert commits(folder) == 1, "nothing of it got any further"
