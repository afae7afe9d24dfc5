"""An agent in a terminal, as its user has it: started, asked for a file, looked into, compacted and resumed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from onprem_agents.agents import Agent
from onprem_agents.agents.causes import again
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.contract.connection import Connection
from onprem_agents.probes.agent_run import TASK, known_cause, variables_of
from onprem_agents.probes.patient import verdict
from onprem_agents.probes.screens import SCREENS, Question, Screens
from onprem_agents.probes.terminal import NotShown, Terminal, found, possible
from onprem_agents.probes.verdict import Verdict, fine
from onprem_agents.setup.installed import Installed, install_command

STAGES = ("start", "edit", "models", "status", "compact", "resume")
SCREEN_SECONDS = 180.0
_STILL_SECONDS = 1.0
_SETTLE_SECONDS = 15.0
_TAIL_CHARS = 160


@dataclass(frozen=True, kw_only=True)
class Session:
    """An agent that runs in a terminal, and how its screens are read; `seconds` bounds each wait."""

    terminal: Terminal
    screens: Screens
    connection: Connection
    folder: Path
    seconds: float = SCREEN_SECONDS

    def answer_questions(self) -> tuple[tuple[str, Question], ...]:
        """Answer what is asked before the first prompt; return the screens that should not be there."""
        unwanted: list[tuple[str, Question]] = []
        patterns = [question.shows for question in self.screens.questions]
        for _ in range(len(patterns) + 1):
            self.terminal.wait("|".join([*patterns, self.screens.ready]), self.seconds, wanted="its prompt")
            self.terminal.settle(_STILL_SECONDS, _SETTLE_SECONDS)
            shown = self.terminal.text
            asked = next((each for each in self.screens.questions if found(each.shows, shown)), None)
            if asked is None:
                break
            if asked.cause:
                unwanted.append((shown, asked))
            if asked.cause == "login":
                break
            self.choose(asked.mark, key=asked.key)
        return tuple(unwanted)

    def say(self, text: str) -> None:
        """Type a line, see it on the screen, and send it."""
        self.terminal.wait(self.screens.ready, self.seconds, wanted="its prompt")
        self.terminal.send(text)
        self.terminal.wait(re.escape(text[:24]), self.seconds, wanted="what was typed")
        # Keys that come with the last of the text are taken for part of a paste.
        self.terminal.settle(_STILL_SECONDS, _SETTLE_SECONDS)
        self.terminal.press("enter")

    def choose(self, mark: str, *, key: str = "down") -> None:
        """Move to a choice and take it."""
        self.terminal.settle(_STILL_SECONDS, _SETTLE_SECONDS)
        if not found(mark, self.terminal.text):
            self.terminal.press_until(key, mark, self.seconds)
        self.terminal.settle(_STILL_SECONDS, _SETTLE_SECONDS)
        self.terminal.press("enter")
        self.terminal.until(lambda shown: not found(mark, shown), self.seconds, wanted="the next screen")

    def back(self) -> None:
        """Leave a picker or a page."""
        self.terminal.press("escape")
        self.terminal.settle(_STILL_SECONDS, _SETTLE_SECONDS)

    def edit(self, task: str, file: Path) -> str:
        """Ask for a file, allow it where the agent asks, and return what the file then holds."""
        self.say(task + self.screens.asks)
        self.terminal.wait(self.screens.permission, self.seconds, wanted="the question whether it may write")
        if file.exists():
            raise NotShown("the question before the file", self.terminal.text, seconds=0, code=None)
        self.choose(self.screens.allow)
        self.terminal.until(lambda _shown: file.is_file(), self.seconds, wanted="the file that was allowed")
        self.terminal.settle(2 * _STILL_SECONDS, self.seconds)
        return file.read_text(encoding="utf-8", errors="replace")

    def models(self) -> tuple[str, ...]:
        """Return the rows of the agent's list of models."""
        self.say(self.screens.models)
        self.terminal.wait(self.screens.row, self.seconds, wanted="the list of models")
        self.terminal.settle(_STILL_SECONDS, _SETTLE_SECONDS)
        rows = tuple(
            match[1].strip() for match in re.finditer(self.screens.row, self.terminal.text, re.MULTILINE)
        )
        self.back()
        return rows

    def status(self) -> None:
        """Open the page that tells of model and window. Raises `NotShown` where it tells another than ours."""
        self.say(self.screens.status)
        for pattern in self.screens.told(self.connection):
            self.terminal.wait(pattern, self.seconds, wanted=f"{pattern!r} on {self.screens.status}")
        self.back()

    def compact(self) -> None:
        """Let it put the conversation together, on wish."""
        self.say(self.screens.compact)
        self.terminal.wait(self.screens.compacted, self.seconds, wanted="the note that it has compacted")
        self.terminal.settle(2 * _STILL_SECONDS, self.seconds)


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
                    except NotShown as error:
                        yield verdict(probe, _cause(agent, error), secret=key)
                        return
                    yield verdict(probe, diagnosis, secret=key)


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


def _cause(agent: Agent, error: NotShown) -> Diagnosis:
    name, fix = known_cause(agent, error.screen) or ("screen", "")
    return Diagnosis(
        cause=name,
        evidence=f"{error.wanted} did not come {error.end}; the screen: {_tail(error.screen)}",
        fix=fix or "run the agent by hand in an empty folder",
    )


def _tail(screen: str) -> str:
    """Return the last of the lines that are words and no drawing."""
    lines = [line.strip() for line in screen.splitlines() if len(re.findall("[A-Za-z]", line)) > 2]
    return " / ".join(lines)[-_TAIL_CHARS:] or "empty"
