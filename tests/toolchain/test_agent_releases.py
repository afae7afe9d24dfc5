"""Which releases of agents are tried beside the pinned ones, and how what was seen becomes the matrix."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import yaml

from embedded import agent_releases
from embedded.agent_releases import Trial, checks_of, missing, newest, united
from embedded.commands import newest as command
from embedded.layout import Layout
from embedded.progress import Progress
from onprem_agents.agents import AGENTS, agent_named
from onprem_agents.catalog import load_catalog
from onprem_agents.catalog.agent_check import AgentCheck, summary
from onprem_agents.errors import UnknownFact

CHECKOUT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 28)


def check(
    agent: str = "codex", release: str = "0.171.0", name: str = "tasks", fault: str | None = None
) -> AgentCheck:
    return AgentCheck(
        agent=agent,
        release=release,
        wire="/v1/responses",
        translation="native",
        check=name,
        fault=fault,
        seen=TODAY,
    )


@pytest.mark.parametrize(
    ("versions", "latest", "pinned", "found"),
    [
        (("0.9.0", "0.169.0", "0.170.0", "0.171.0"), "0.171.0", "0.169.0", ("0.171.0", "0.170.0")),
        (("1.9.0", "1.10.0", "1.11.0"), "1.11.0", "1.11.0", ("1.10.0", "1.9.0")),
        (("1.0.0", "1.1.0-alpha.1", "1.1.0-linux-x64", "1.2.0"), "1.0.0", "0.9.0", ("1.0.0",)),
        ((), "1.0.0", "1.0.0", ()),
    ],
)
def test_the_newest_two_are_tried_but_no_preview_and_never_the_pinned_one(
    versions: tuple[str, ...], latest: str, pinned: str, found: tuple[str, ...]
) -> None:
    assert newest(versions, latest=latest, pinned=pinned) == found


def test_results_of_an_agent_take_the_place_of_its_older_ones_and_of_nobody_elses() -> None:
    before = [check("codex", "0.170.0"), check("claude", "2.1.331"), check("gone", "1.0.0")]

    names = [each.name for each in united(before, [check("codex", "0.171.0", fault="HTTP 400")])]

    assert names == [
        "codex 0.171.0, /v1/responses, native, tasks",
        "claude 2.1.331, /v1/responses, native, tasks",
    ]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rows = [check(), check(name="doctor", fault="exit code 1: 'no' \n- [x]: {y}")]

    agent_releases.write(tmp_path / "matrix.yaml", rows)

    read = [AgentCheck(**row) for row in yaml.safe_load((tmp_path / "matrix.yaml").read_text())]
    assert read == rows


def test_an_empty_matrix_is_as_the_catalogue_has_it(tmp_path: Path) -> None:
    agent_releases.write(tmp_path / "matrix.yaml", [])

    assert yaml.safe_load((tmp_path / "matrix.yaml").read_text()) == []


def test_a_release_that_was_never_seen_is_missed() -> None:
    trials = [Trial(agent="codex", release=release, folder="/f") for release in ("0.171.0", "0.170.0")]

    assert missing(trials, [check()]) == ["codex 0.170.0"]


@pytest.mark.parametrize(("fault", "code"), [(None, 0), ("HTTP 400 of the tool type", 1)])
def test_a_red_cell_fails_the_run_with_its_name(
    fault: str | None,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = {
        "agent": "codex",
        "release": "0.171.0",
        "wire": "/v1/responses",
        "translation": "native",
        "check": "tasks",
    }
    row |= {"fault": fault} if fault else {}
    (tmp_path / "onprem_agents" / "catalog").mkdir(parents=True)
    tests = tmp_path / command.TESTS
    tests.parent.mkdir(parents=True)
    tests.write_text(
        "import os\n\ndef test_it():\n"
        f"    open(os.environ['{agent_releases.ANSWERED}'], 'w').write({json.dumps(row)!r})\n"
    )
    trial = Trial(agent="codex", release="0.171.0", folder="/f")
    monkeypatch.setattr(agent_releases, "trials", lambda *_: [trial])

    with pytest.raises(SystemExit) as ended:
        command.try_newest(Layout(checkout=tmp_path, cache=tmp_path, state=tmp_path), [], progress=Progress())

    assert ended.value.code == code
    told = capsys.readouterr().out
    assert ("red: codex 0.171.0, /v1/responses, native, tasks: HTTP 400 of the tool type" in told) is bool(
        fault
    )
    (written,) = yaml.safe_load((tmp_path / command.MATRIX).read_text())
    assert written["release"] == "0.171.0"


@pytest.mark.parametrize("name", ["goose", "goose-binary-linux-x64"])
def test_a_program_is_found_under_its_own_name_and_under_that_of_its_package(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).touch()

    assert agent_releases.linked(agent_named("goose"), tmp_path) == tmp_path / name


def test_an_agent_that_does_not_exist_is_refused_before_anything_is_installed() -> None:
    with pytest.raises(UnknownFact, match="unknown agent 'codec'"):
        command.try_newest(Layout.default(), ["codec"], progress=Progress())


def test_what_is_told_of_the_matrix_names_its_age_and_what_failed() -> None:
    rows = [check(), check(name="doctor", fault="no")]

    assert summary(rows[:1], date(2026, 12, 1)).endswith(
        "run 2026-11-28, 3 days ago: codex 0.171.0, all well"
    )
    assert summary(rows, TODAY).endswith("not working: codex 0.171.0, /v1/responses, native, doctor")
    assert "none was run yet" in summary([], TODAY)


def test_the_catalogue_holds_agents_that_exist_each_cell_once() -> None:
    names = [each.name for each in load_catalog().agent_checks]

    assert len(set(names)) == len(names)
    assert {each.agent for each in load_catalog().agent_checks} <= {agent.name for agent in AGENTS}


def test_results_are_read_as_the_tests_write_them() -> None:
    row = {
        "agent": "codex",
        "release": "0.171.0",
        "wire": "/v1/responses",
        "translation": "native",
        "check": "tasks",
    }
    line = f"{json.dumps(row)}\n"

    assert checks_of(line + line, TODAY) == [check()]


def test_the_workflow_runs_it_weekly() -> None:
    text = (CHECKOUT / ".github" / "workflows" / "agent-releases.yml").read_text()
    workflow = yaml.safe_load(text)

    (cron,) = workflow[True]["schedule"]  # YAML 1.1 reads the key `on` as true
    assert cron["cron"].split()[2:] == ["*", "*", "1"]
    steps = workflow["jobs"]["newest"]["steps"]
    assert f"./dev test agents {command.OPTION}" in [step.get("run") for step in steps]
