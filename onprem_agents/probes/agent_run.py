"""An agent at work: it is asked for one file in a scratch repository, and the file tells whether it works.

The exit code does not: agents end with 0 after prose and after refused tools (versions of 2026-11).
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
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from onprem_agents.agents import Agent
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import cleaned
from onprem_agents.probes.agent_words import failure, last_words, without_noise
from onprem_agents.probes.patient import verdict
from onprem_agents.probes.smoke_causes import PARSER_FIX
from onprem_agents.probes.verdict import Verdict, fine
from onprem_agents.setup.installed import Installed, install_command

RUN_SECONDS = 300.0
TASK = "Create the file {folder}/hello.txt containing the word hi"
# What agents say for themselves when the platform refuses (2026-11), and the cause that it stands for; each agent
# has words of its own beside these.
_WORDS = (
    # The texts of model servers are among them: first those that name one thing alone.
    (r"Input should be 'function'|tools\.\d+\.type|tool type", "tool-types"),
    (r"(?i)system message must be|roles must alternate", "chat-template"),
    (r"\b401\b|Unauthorized|authenticat|Missing environment variable", "key-refused"),
    (r"\b404\b|does not exist", "model"),
    (r"\b429\b|\b529\b|Too Many Requests|(?i:overloaded)", "busy"),
    (r"\b50[234]\b|upstream connect", "upstream"),
    (r"certificate|UNABLE_TO_VERIFY|CERT_", "tls"),
    (r"ECONNREFUSED|Connection refused|Cannot connect|error sending request", "refused"),
    (r"too long|context length|maximum context", "context"),
)
_FIXES = {
    "tls": "the probe of its certificate, above, tells a shell from before setup and a wrong CA file apart",
    "busy": "a quota is used up or the server is full: wait, or ask for a larger quota",
    "tool-types": "the server takes functions alone: vLLM 0.32 or later knows the namespaces of MCP servers and"
    " sub-agents; until then switch those off in this agent",
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
    probe = f"{agent.name} at work"
    if installed.path is None:
        fix = f"install it: {install_command(agent, connection)}"
        evidence = f"{agent.title} is not on PATH"
        return verdict(probe, Diagnosis(cause="agent-missing", evidence=evidence, fix=fix))
    with tempfile.TemporaryDirectory(prefix="onprem-doctor-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        if git := shutil.which("git", path=variables.get("PATH")):
            subprocess.run([git, "init", "--quiet", str(folder)], capture_output=True, check=False)
        started = time.monotonic()
        code, said = _run(
            agent.headless(installed.path, connection, folder, TASK.format(folder=folder)),
            folder,
            variables_of(agent, connection, variables),
            seconds,
        )
        passed = time.monotonic() - started
        hello = folder / "hello.txt"
        text = hello.read_text(encoding="utf-8", errors="replace") if hello.is_file() else None
    if text is not None and re.search(r"\bhi\b", text, re.IGNORECASE):
        return verdict(probe, fine(f"hello.txt was written, in {passed:.0f} s"))
    told = _cause(agent, code, said, cleaned(last_words(said), secret=key), seconds, text)
    return verdict(probe, told, secret=key)


def _cause(
    agent: Agent, code: int | None, said: str, words: str, seconds: float, text: str | None
) -> Diagnosis:
    if text is not None:
        return Diagnosis(
            cause="wrong-file",
            evidence=f"hello.txt holds {text[:60]!a}",
            fix="the model is not fit for agents",
        )
    known = known_cause(agent, said, code=code)
    end = f"it was stopped after {seconds:g} s" if code is None else f"exit code {code}"
    evidence = f"no hello.txt; {end}; it said at last: {words or 'nothing'}"
    if known is not None:
        return Diagnosis(cause=known[0], evidence=evidence, fix=known[1])
    if code is None:
        return Diagnosis(
            cause="timeout",
            evidence=evidence,
            fix="run onprem-agents doctor without --agent; is the model slow?",
        )
    if code == 0:
        return Diagnosis(cause="prose", evidence=evidence, fix=f"it talked and did nothing: {PARSER_FIX}")
    return Diagnosis(cause="agent", evidence=evidence, fix="run the same task by hand and read what it says")


def known_cause(agent: Agent, said: str, *, code: int | None = None) -> tuple[str, str] | None:
    """Return the cause, with its fix, that an agent's own words stand for.

    Without an error of its own any of the words may stand in what it talked of, so after success (`code` 0) only the
    agent's own ones count.
    """
    error, rest = failure(said), without_noise(said)
    elsewhere = "run onprem-agents doctor without --agent: its probes name the cause and the fix"
    known = _known(
        [(pattern, name, _FIXES.get(name, "")) for pattern, name in _WORDS],
        error or ("" if code == 0 else rest),
    ) or _known(agent.says, error or rest)
    return (known[0], known[1] or elsewhere) if known else None


def _known(words: Iterable[tuple[str, str, str]], text: str) -> tuple[str, str] | None:
    """Return cause and fix of the first pattern that a text has."""
    return next(((name, fix) for pattern, name, fix in words if re.search(pattern, text)), None)


def variables_of(agent: Agent, connection: Connection, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the shell's variables, with the switches that setup puts into the start file of the shell."""
    return {**agent.environment(connection).values, **variables}


def _run(
    argv: Sequence[str], folder: Path, variables: dict[str, str], seconds: float
) -> tuple[int | None, str]:
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
