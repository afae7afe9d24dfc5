"""The doctor's session in a terminal: what each stage says of an agent that is sound, and of one that is not."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from onprem_agents.agents import agent_named
from onprem_agents.agents.diagnosis import Severity
from onprem_agents.probes import agent_session
from onprem_agents.probes import interactive as module
from onprem_agents.probes.interactive import STAGES, interactive
from onprem_agents.probes.screens import SCREENS
from onprem_agents.probes.verdict import Verdict
from onprem_agents.setup.installed import Installed
from tests.unit import pretended_agent
from tests.unit.contract_samples import contract

CODEX = agent_named("codex")
_PROGRAM = Path(pretended_agent.__file__)


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_session, "STILL_SECONDS", 0.05)
    options = replace(SCREENS["codex"], begin=lambda _: (str(_PROGRAM),), resume=lambda _: (str(_PROGRAM),))
    monkeypatch.setattr(module, "SCREENS", {"codex": options})


def session(fault: str = "", seconds: float = 60.0) -> list[Verdict]:
    variables = {"PATH": os.environ["PATH"], "FAULT": fault}
    there = Installed(agent=CODEX, path=sys.executable)
    return list(interactive(contract(), there, variables, key="the-secret-key", seconds=seconds))


def faults(verdicts: list[Verdict]) -> dict[str, str]:
    return {verdict.probe: verdict.cause for verdict in verdicts if verdict.severity is not Severity.OK}


@pytest.mark.parametrize("fault", ["", "trust"])
def test_a_sound_agent_goes_through_all_stages(fault: str) -> None:
    found = session(fault)

    assert [verdict.probe for verdict in found] == [f"codex {stage}" for stage in STAGES]
    assert faults(found) == {}


@pytest.mark.parametrize(
    ("fault", "stage", "cause", "said"),
    [
        ("update", "start", "first-screen", "before its prompt stands: Update available"),
        ("picker", "models", "picker", "/model offers what the platform does not serve: GPT-6  Best"),
        ("wrong-file", "edit", "wrong-file", "hello.txt holds 'hello\\n'"),
    ],
)
def test_what_is_wrong_and_lets_it_go_on_is_told_and_the_rest_is_looked_at(
    fault: str, stage: str, cause: str, said: str
) -> None:
    found = session(fault)

    assert [verdict.probe for verdict in found] == [f"codex {each}" for each in STAGES]
    assert faults(found) == {f"codex {stage}": cause}
    (told,) = (verdict for verdict in found if verdict.cause == cause)
    assert told.evidence.startswith(" ".join(said.split()))
    assert told.fix


@pytest.mark.parametrize(
    ("fault", "stage", "cause", "said"),
    [
        ("login", "start", "login", "before its prompt stands: Sign in with ChatGPT"),
        ("ends", "start", "screen", "its prompt did not come before the program ended with exit code 1"),
        ("unasked", "edit", "unasked", "hello.txt was there before anybody had allowed it"),
        ("denied", "edit", "key-refused", "the file that was allowed did not come within 2 s"),
        ("window", "status", "screen", "'/ 125K\\\\)' on /status did not come within 2 s"),
        ("forgets", "resume", "screen", "the former conversation did not come within 2 s"),
    ],
)
def test_where_it_breaks_off_cause_and_screen_are_told_and_no_later_stage_is_tried(
    fault: str, stage: str, cause: str, said: str
) -> None:
    found = session(fault, seconds=2 if "2 s" in said else 60)

    assert [verdict.probe for verdict in found] == [
        f"codex {each}" for each in STAGES[: STAGES.index(stage) + 1]
    ]
    assert faults(found) == {f"codex {stage}": cause}
    assert found[-1].evidence.startswith(said)
    assert found[-1].fix


def test_where_there_is_no_agent_no_terminal_or_nobody_tried_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = Installed(agent=CODEX, path=None)
    untried = Installed(agent=agent_named("opencode"), path="/bin/true")
    there = Installed(agent=CODEX, path="/bin/true")

    assert [v.cause for v in interactive(contract(), missing, {}, key=None)] == ["agent-missing"]
    assert [v.cause for v in interactive(contract(), untried, {}, key=None)] == ["no-screens"]
    monkeypatch.setattr(module, "possible", lambda: False)
    (told,) = interactive(contract(), there, {}, key=None)
    assert (told.cause, told.fix) == ("no-terminal", "run it in WSL, or leave --interactive away")
