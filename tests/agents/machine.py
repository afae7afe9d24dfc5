"""A developer's machine: an empty home, set up by `onprem-agents setup` and by nothing else, and an agent in it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.expected_agents import EXPECTED
from tests.gateway.gateway import Gateway

LIMIT_SECONDS = 240
TIMED_OUT = 124  # as `timeout` of GNU coreutils ends
# How each agent is run without a person: it may edit and run commands. `TASK` is in the environment.
UNATTENDED = {name: expected.unattended for name, expected in EXPECTED.items()}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended, and everything that it printed; `output` is standard output where it was kept apart."""

    code: int
    text: str
    output: str = ""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A home with a repository in it, for one developer and one agent."""

    home: Path
    agent: str
    clis: Path

    @property
    def repository(self) -> Path:
        """The folder that the agent works in."""
        return self.home / "repository"

    def set_up(self, gateway: Gateway, developer: str) -> None:
        """Run `onprem-agents setup` as a developer does who has a host name, a CA file and a key."""
        words = ["--host", f"{gateway.host}:{gateway.port}", "--ca-file", str(gateway.ca_file)]
        words += ["--key-command", gateway.key_command(developer), "--shell", "bash", "--yes"]
        done = self.onprem(gateway, "setup", self.agent, *words)
        assert done.code == 0, done.text

    def onprem(self, gateway: Gateway, *words: str, variables: Mapping[str, str] | None = None) -> Outcome:
        """Run `onprem WORDS` in a new shell, which has read its start file; `variables` are exported before."""
        self.repository.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", "from onprem_agents.cli import main; main()", *words]
        checkout = {"PYTHONPATH": str(gateway.checkout.layout.checkout)}
        done = subprocess.run(
            ["bash", "-c", f"[ -r ~/.bashrc ] && . ~/.bashrc; {shlex.join(command)}"],
            cwd=self.repository,
            env=self._environment | checkout | dict(variables or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        return Outcome(code=done.returncode, text=done.stdout + done.stderr, output=done.stdout)

    def run(self, task: str, *, within: Sequence[str] = ()) -> Outcome:
        """Give the agent a task; `within` is put before the command."""
        script = f". ~/.bashrc; {UNATTENDED[self.agent]}"
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                [*within, "bash", "-c", script],
                cwd=self.repository,
                env=self._environment | {"TASK": task},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(timeout=LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                code = TIMED_OUT
            finally:  # nothing that the agent started outlives its task
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            output.seek(0)
            said = output.read().decode("utf-8", "replace")
        return Outcome(code=code, text=f"$ {shlex.join(within)} {script}\n{said}")

    def variables(self) -> dict[str, str]:
        """Return what a new shell exports, which has read its start file."""
        done = subprocess.run(
            ["bash", "-c", ". ~/.bashrc; env -0"],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=True,
        )
        return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)

    def command(self, line: str) -> Outcome:
        """Run a line of shell in a new shell, which has read its start file."""
        done = subprocess.run(
            ["bash", "-c", f". ~/.bashrc; {line}"],
            cwd=self.repository,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        return Outcome(code=done.returncode, text=done.stdout + done.stderr, output=done.stdout)

    @property
    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.clis), os.environ["PATH"]])
        return {"HOME": str(self.home), "PATH": path, "LANG": "C.UTF-8", "SHELL": "/bin/bash"}
