"""An agent in a terminal, as its user has it: started, asked for a file, looked into, compacted and resumed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from onprem_agents.agents import Agent
from onprem_agents.agents.causes import again
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.contract.connection import Connection
from onprem_agents.probes.agent_run import TASK, known_cause, variables_of
from onprem_agents.probes.agent_session import SCREEN_SECONDS, Session, Unasked
from onprem_agents.probes.patient import verdict
from onprem_agents.probes.screens import SCREENS, Screens
from onprem_agents.probes.terminal import NotShown, Terminal, possible
from onprem_agents.probes.verdict import Verdict, fine
from onprem_agents.setup.installed import Installed, install_command

STAGES = ("start", "edit", "models", "status", "compact", "resume")
_TAIL_CHARS = 160


def interactive(
    connection: Connection,
    installed: Installed,
    variables: Mapping[str, str],
    *,
    key: str | None,
    seconds: float = SCREEN_SECONDS,
) -> Iterator[Verdict]:
    """Yield what each stage of a session found, in a throw-away folder; nothing after one that broke off."""
    agent, program = installed.agent, installed.path
    screens = SCREENS.get(agent.name)
    if program is None or screens is None or not possible():
        yield verdict(f"{agent.name} {STAGES[0]}", _obstacle(connection, installed, screens))
        return
    with tempfile.TemporaryDirectory(prefix="onprem-doctor-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        if git := shutil.which("git", path=variables.get("PATH")):
            subprocess.run([git, "init", "--quiet", str(folder)], capture_output=True, check=False)
        own = {**variables_of(agent, connection, variables), **screens.variables}
        first: tuple[Stage, ...] = (_start, _edit, _models, _status, _compact)
        for words, stages in ((screens.begin(folder), first), (screens.resume(folder), (_resume,))):
            with Terminal.running((program, *words), folder, own) as terminal:
                session = Session(
                    terminal=terminal, screens=screens, connection=connection, folder=folder, seconds=seconds
                )
                for stage in stages:
                    probe = f"{agent.name} {stage.__name__.strip('_')}"
                    try:
                        diagnosis = stage(session)
                    except (NotShown, Unasked) as error:
                        yield verdict(probe, _cause(agent, error), secret=key)
                        return
                    yield verdict(probe, diagnosis, secret=key)
                    if diagnosis.cause == "login":
                        return


Stage = Callable[[Session], Diagnosis]


def _start(session: Session) -> Diagnosis:
    unwanted = session.answer_questions()
    if not unwanted:
        return fine("it came to its prompt with nothing to click away but whether the folder is trusted")
    shown, question = unwanted[0]
    evidence = f"before its prompt stands: {_tail(shown)}"
    return Diagnosis(cause=question.cause, evidence=evidence, fix=question.fix)


def _edit(session: Session) -> Diagnosis:
    file = session.folder / "hello.txt"
    text = session.edit(TASK.format(folder=session.folder), file)
    if re.search(r"\bhi\b", text, re.IGNORECASE):
        return fine("it asked, was allowed, and hello.txt was written")
    evidence = f"hello.txt holds {text[:60]!a}"
    return Diagnosis(cause="wrong-file", evidence=evidence, fix="the model is not fit for agents")


def _models(session: Session) -> Diagnosis:
    served = [role.model for role in session.connection.roles]
    rows = session.models()
    elsewhere = [row for row in rows if "[1m]" in row or not any(name in row for name in served)]
    if not elsewhere:
        return fine(f"{session.screens.models} offers {', '.join(served)} alone")
    return Diagnosis(
        cause="picker",
        evidence=f"{session.screens.models} offers what the platform does not serve: {'; '.join(elsewhere)}",
        fix=again(session.connection),
    )


def _status(session: Session) -> Diagnosis:
    session.status()
    return fine(f"{session.screens.status} tells model and window of the contract")


def _compact(session: Session) -> Diagnosis:
    session.compact()
    return fine(f"{session.screens.compact} put the conversation together")


def _resume(session: Session) -> Diagnosis:
    session.answer_questions()
    session.terminal.wait(session.screens.resumed, session.seconds, wanted="the former conversation")
    return fine("the session goes on where it was left")


def _obstacle(connection: Connection, installed: Installed, screens: Screens | None) -> Diagnosis:
    agent = installed.agent
    if installed.path is None:
        fix = f"install it: {install_command(agent, connection)}"
        return Diagnosis(cause="agent-missing", evidence=f"{agent.title} is not on PATH", fix=fix)
    if screens is None:
        evidence = f"nobody has driven {agent.title} in a terminal; known are {', '.join(SCREENS)}"
        return Diagnosis(cause="no-screens", evidence=evidence, fix="leave --interactive away")
    evidence = "this system has no pseudo-terminals (Windows has none)"
    return Diagnosis(cause="no-terminal", evidence=evidence, fix="run it in WSL, or leave --interactive away")


def _cause(agent: Agent, error: NotShown | Unasked) -> Diagnosis:
    if isinstance(error, Unasked):
        fix = "look for what allows it in your settings: a mode or a list of allowed tools"
        return Diagnosis(
            cause="unasked", evidence=f"{error} was there before anybody had allowed it", fix=fix
        )
    evidence = f"{error.wanted} did not come {error.end}; the screen: {_tail(error.screen)}"
    known = known_cause(agent, error.screen)
    if known is not None:
        return Diagnosis(cause=known[0], evidence=evidence, fix=known[1])
    return Diagnosis(cause="screen", evidence=evidence, fix="run the agent by hand in an empty folder")


def _tail(screen: str) -> str:
    """Return the last of the lines that are words and no drawing."""
    lines = [line.strip() for line in screen.splitlines() if re.search("[A-Za-z]{2}", line)]
    return " / ".join(lines)[-_TAIL_CHARS:] or "empty"
