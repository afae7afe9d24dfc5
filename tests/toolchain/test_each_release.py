"""What is written down of one release: each check with its fault, whatever failed before it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from embedded.agent_releases import ANSWERED, Trial
from tests.agents import each_release
from tests.agents.machine import Machine, Outcome
from tests.agents.scenarios import OWNERS, Work

TRIAL = Trial(agent="codex", release="0.171.0", folder="/f")
GATEWAY: Any = SimpleNamespace(key=lambda _owner: "the-key")
WELL = Outcome(code=0, text="")


def came(owner: str = OWNERS["codex"], **changes: Any) -> dict[str, Any]:
    line = {"path": "/v1/responses", "status": 200, "refusal": None, "headers": {"x-client-id": owner}}
    return line | changes


def working(*lines: dict[str, Any]) -> Any:
    return lambda *_: Work(created=WELL, repaired=WELL, came=list(lines))


def failing(error: Exception) -> Any:
    def fail(*_: object) -> None:
        raise error

    return fail


@pytest.fixture
def faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Try a release with which all is well but what is given here; return what was written down of each check."""
    file = tmp_path / "answered.jsonl"
    monkeypatch.setenv(ANSWERED, str(file))

    def run(doctor: Outcome = WELL, **parts: Any) -> dict[str, str | None]:
        for name, part in ({"prepare": lambda *_: None, "work": working(came())} | parts).items():
            monkeypatch.setattr(each_release, name, part)
        monkeypatch.setattr(Machine, "onprem", lambda *_: doctor)
        list(each_release._tried(TRIAL, "native", GATEWAY, tmp_path / "home"))
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        return {row["check"]: row.get("fault") for row in rows}

    return run


def test_a_release_that_works_has_four_green_checks(faults: Any) -> None:
    assert faults() == {"setup": None, "tasks": None, "requests": None, "doctor": None}


def test_after_a_failed_task_the_doctor_is_asked_all_the_same(faults: Any) -> None:
    found = faults(work=failing(AssertionError("HTTP 400 of the tool type")))

    assert found == {
        "setup": None,
        "tasks": "HTTP 400 of the tool type",
        "requests": "not tried, for tasks failed",
        "doctor": None,
    }


def test_without_a_setup_nothing_else_is_tried(faults: Any) -> None:
    found = faults(prepare=failing(OSError("no space left")))

    assert found == {
        "setup": "no space left",
        "tasks": "not tried, for setup failed",
        "requests": "not tried, for tasks failed",
        "doctor": "not tried, for setup failed",
    }


def test_requests_are_judged_by_those_of_the_agents_own_developer(faults: Any) -> None:
    other = came("somebody", status=400, refusal="unknown tool type")

    assert faults(work=working(came(), other))["requests"] is None
    assert (
        "unknown tool type" in faults(work=working(came(status=400, refusal="unknown tool type")))["requests"]
    )
    assert faults(work=working(came(path="/v1/messages")))["requests"] == (
        "asked on /v1/messages instead of /v1/responses"
    )
    assert faults(work=working(other))["requests"] == "asked on no path instead of /v1/responses"
    assert "key came as far as" in faults(work=working(came(body="the-key")))["requests"]


def test_a_complaint_of_the_doctor_is_red(faults: Any) -> None:
    assert faults(doctor=Outcome(code=1, text="1 broken"))["doctor"] == "1 broken"


def test_of_a_long_fault_the_end_is_kept_without_colours_command_and_folder(
    faults: Any, tmp_path: Path
) -> None:
    text = f"$ codex exec\n{'x' * 400}\n\x1b[31mcannot read {tmp_path}/home/repository\x1b[0m\n"

    fault = faults(work=failing(AssertionError(text)))["tasks"]

    assert fault.startswith("…xxx")
    assert fault.endswith("xxx cannot read ~/repository")
    assert len(fault) == 301
