"""An agent at work: it is asked for one file in a scratch repository, and the file tells whether it works.

The exit code does not: all three end with 0 after prose and after refused tools (versions of 2026-11).
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from onprem_agents.agents import environment
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.limits import Agent
from onprem_agents.errors import cleaned
from onprem_agents.probes.patient import fine, verdict
from onprem_agents.probes.smoke_causes import PARSER_FIX, Cause
from onprem_agents.probes.verdict import Verdict
from onprem_agents.setup.installed import TITLES, Installed, install_command

RUN_SECONDS = 300.0
_SAID_CHARS = 2000
# What the three say for themselves when the platform refuses (2026-11), and the cause that it stands for.
_WORDS = (
    (r"\b401\b|Unauthorized|authenticat|Not logged in|Missing environment variable", "key-refused"),
    (r"wire_api", "wire-api-chat"),
    (r"\b404\b|issue with the selected model|does not exist", "model"),
    (r"certificate|UNABLE_TO_VERIFY|CERT_", "tls"),
    (r"ECONNREFUSED|Connection refused|Cannot connect|error sending request", "refused"),
    (r"too long|context length|maximum context", "context"),
    (r"bwrap|sandbox|landlock|namespace", "sandbox"),
)
_FIXES = {
    "sandbox": "Codex cannot make its sandbox here (a container without user namespaces): run it on a plain machine",
    "tls": "give the CA file of your organisation: onprem-agents setup --ca-file FILE, then start a new shell",
}


def run_agent(
    connection: Connection,
    installed: Installed,
    variables: Mapping[str, str],
    *,
    key: str | None,
    seconds: float = RUN_SECONDS,
) -> Verdict:
    """Let the agent create hello.txt in a scratch repository, and look at the file."""
    agent = installed.agent
    probe = f"{agent} at work"
    if installed.path is None:
        fix = f"install it: {install_command(agent, connection.tested_agents.get(agent))}"
        evidence = f"{TITLES[agent]} is not on PATH"
        return verdict(probe, Cause(name="agent-missing", evidence=evidence, fix=fix))
    with tempfile.TemporaryDirectory(prefix="onprem-doctor-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        if git := shutil.which("git", path=variables.get("PATH")):
            subprocess.run([git, "init", "--quiet", str(folder)], capture_output=True, check=False)
        started = time.monotonic()
        code, said = _run(
            _argv(installed, connection, folder), folder, _variables(agent, connection, variables), seconds
        )
        passed = time.monotonic() - started
        hello = folder / "hello.txt"
        text = hello.read_text(encoding="utf-8", errors="replace") if hello.is_file() else None
    if text is not None and re.search(r"\bhi\b", text, re.IGNORECASE):
        return verdict(probe, fine(f"hello.txt was written, in {passed:.0f} s"))
    tail = cleaned(said[-_SAID_CHARS:], secret=key)[-240:]
    return verdict(probe, _cause(code, said, tail, seconds, text), secret=key)


def _cause(code: int | None, said: str, tail: str, seconds: float, text: str | None) -> Cause:
    if text is not None:
        return Cause(
            name="wrong-file",
            evidence=f"hello.txt holds {text[:60]!a}",
            fix="the model is not fit for agents",
        )
    known = next((name for pattern, name in _WORDS if re.search(pattern, said)), None)
    end = f"it was stopped after {seconds:g} s" if code is None else f"exit code {code}"
    evidence = f"no hello.txt; {end}; it said at last: {tail or 'nothing'}"
    if known is not None:
        fix = _FIXES.get(
            known, "run onprem-agents doctor without --agent: its probes name the cause and the fix"
        )
        return Cause(name=known, evidence=evidence, fix=fix)
    if code is None:
        return Cause(
            name="timeout",
            evidence=evidence,
            fix="run onprem-agents doctor without --agent; is the model slow?",
        )
    if code == 0:
        return Cause(name="prose", evidence=evidence, fix=f"it talked and did nothing: {PARSER_FIX}")
    return Cause(name="agent", evidence=evidence, fix="run the same task by hand and read what it says")


def _argv(installed: Installed, connection: Connection, folder: Path) -> list[str]:
    task = f"Create the file {folder}/hello.txt containing the word hi"
    program = str(installed.path)
    argv: dict[Agent, list[str]] = {
        "claude": [
            *(program, "-p", task, "--output-format", "json"),
            *("--permission-mode", "acceptEdits", "--allowedTools", "Bash"),
        ],
        "codex": [
            *(program, "exec", "--json", "--skip-git-repo-check", "-s", "workspace-write"),
            *("-C", str(folder), task),
        ],
        "opencode": [program, "run", "-m", f"onprem/{connection.main.model}", "--format", "json", task],
    }
    return argv[installed.agent]


def _variables(agent: Agent, connection: Connection, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the shell's variables, with the switches that setup puts into the start file of the shell."""
    own = environment(connection, agent)
    return {**own.values, **own.for_command.get(agent, {}), **variables}


def _run(argv: list[str], folder: Path, variables: dict[str, str], seconds: float) -> tuple[int | None, str]:
    """Return exit code (None: stopped after the time) and what was said; nothing of it outlives this call."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env={**variables, "PWD": str(folder)},  # opencode 1.18.33 works in $PWD, whatever its folder is
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        return code, output.read(4 * 1024 * 1024).decode("utf-8", "replace")
