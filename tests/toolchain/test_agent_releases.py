"""Which releases of agents are tried, and what becomes of what was seen: matrix, line in `plan`, exit code."""

from __future__ import annotations

import json
import re
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from rich.console import Console

from embedded import agent_installs, agent_releases
from embedded.agent_releases import CHECKS, TRANSLATIONS, Trial, answer, checks_of, newest, told, united
from embedded.commands import newest as command
from embedded.commands.test import test as run_tests
from embedded.layout import Layout
from embedded.progress import Progress
from onprem_agents.agents import AGENTS, agent_named
from onprem_agents.catalog import load_catalog
from onprem_agents.catalog.agent_check import AgentCheck, summary
from onprem_agents.cli import main
from onprem_agents.cli import plan as plan_command
from onprem_agents.errors import EnvironmentProblem, UnknownFact

CHECKOUT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 28)
TRIAL = Trial(agent="codex", release="0.171.0", folder="/f")
FAILED = "HTTP 400 of the tool type"


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


def answers(**faults: str) -> list[str]:
    """Return the lines of a release that everything was tried of; a fault holds with each translation."""
    return [answer(TRIAL, each, name, faults.get(name)).strip() for each in TRANSLATIONS for name in CHECKS]


@pytest.mark.parametrize(
    ("versions", "latest", "found"),
    [
        (("0.9.0", "0.169.0", "0.170.0", "0.171.0"), "0.171.0", ("0.171.0", "0.170.0")),
        (("1.9.0", "1.10.0", "1.11.0"), "1.11.0", ("1.11.0", "1.10.0")),
        (("1.0.0", "1.1.0-alpha.1", "1.1.0-linux-x64", "1.2.0"), "1.0.0", ("1.0.0",)),
        ((), "1.0.0", ()),
    ],
)
def test_the_newest_two_are_tried_but_no_preview(
    versions: tuple[str, ...], latest: str, found: tuple[str, ...]
) -> None:
    assert newest(versions, latest=latest) == found


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


def test_an_empty_matrix_is_as_the_catalogue_reads_it(tmp_path: Path) -> None:
    agent_releases.write(tmp_path / "matrix.yaml", [])

    assert yaml.safe_load((tmp_path / "matrix.yaml").read_text()) == []


def test_every_cell_has_a_word_of_its_own() -> None:
    cells = checks_of([TRIAL], answers(), TODAY)

    assert {each.translation for each in cells} == {"native", "litellm"}
    of_one = [each for each in cells if each.translation == "native"]
    assert [each.check for each in of_one] == ["install", "setup", "tasks", "requests", "doctor"]
    assert {each.wire for each in cells} == {"/v1/responses"}
    assert [each for each in cells if each.fault is not None] == []


def test_what_the_tests_did_not_reach_is_red_and_not_silent() -> None:
    lines = [line for line in answers() if '"litellm"' not in line]

    red = [each for each in checks_of([TRIAL], lines, TODAY) if each.fault is not None]

    assert [each.check for each in red] == list(CHECKS)
    assert {each.translation for each in red} == {"litellm"}
    assert red[0].fault == "was not reached: the run ended before it"


def test_a_release_that_cannot_be_installed_is_red_with_the_reason_and_nothing_else() -> None:
    trial = Trial(agent="kilo", release="7.8.1", fault="could not be installed: no such package")

    cells = checks_of([trial], [], TODAY)

    assert [(each.check, each.fault) for each in cells] == [("install", trial.fault)] * 2
    assert json.loads(agent_releases.asked([trial, TRIAL])) == [
        {"agent": "codex", "release": "0.171.0", "folder": "/f", "fault": None}
    ]


def test_the_end_of_each_release_is_told_as_it_comes() -> None:
    lines = answers(tasks=FAILED)

    assert told(lines[:3]) == []
    assert told(lines[:6]) == [f"codex 0.171.0, native: tasks: {FAILED}"]
    assert told(answers())[1] == "codex 0.171.0, litellm: all well"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A checkout whose releases are there already, and whose tests write down what `lines` says."""
    layout = Layout(checkout=tmp_path / "checkout", cache=tmp_path / "cache", state=tmp_path / "state")
    (layout.checkout / command.MATRIX).parent.mkdir(parents=True)
    monkeypatch.setattr(agent_installs, "own_node", lambda *_: None)
    monkeypatch.setattr(agent_installs, "published", lambda _agent: ("0.171.0",))

    def tried(_agent: object, _release: str, folder: Path, **_: object) -> Trial:
        folder.mkdir(parents=True)
        return TRIAL

    monkeypatch.setattr(agent_installs, "tried", tried)
    monkeypatch.setattr(agent_installs, "changed", lambda *_: None)
    return layout


def write_tests(layout: Layout, lines: list[str]) -> None:
    tests = layout.checkout / command.TESTS
    tests.parent.mkdir(parents=True)
    text = "".join(f"{line}\n" for line in lines)
    tests.write_text(
        "import os\n\ndef test_it():\n"
        f"    open(os.environ['{agent_releases.ANSWERED}'], 'w').write({text!r})\n"
        "    assert 0, 'what pytest says'\n"
    )


def run(layout: Layout) -> tuple[int, str]:
    """Return the exit code of a run of Codex, and what was told meanwhile."""
    shown = StringIO()
    progress = Progress(console=Console(file=shown, highlight=False))
    return command.try_newest(layout, ["codex"], progress=progress), shown.getvalue()


@pytest.mark.parametrize(("faults", "code"), [({}, 0), ({"tasks": FAILED}, 1)])
def test_a_red_cell_fails_the_run_with_its_name(
    faults: dict[str, str], code: int, checkout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tests(checkout, answers(**faults))

    ended, shown = run(checkout)

    assert ended == code
    out = capsys.readouterr().out
    assert (f"red: codex 0.171.0, /v1/responses, native, tasks: {FAILED}\n" in out) is bool(faults)
    assert f"10 cells of 1 release, {2 * len(faults)} red" in out
    assert "codex 0.171.0, native: " in shown
    written = yaml.safe_load((checkout.checkout / command.MATRIX).read_text())
    assert {row["release"] for row in written if row["agent"] == "codex"} == {"0.171.0"}
    assert not (checkout.cache / "agent-releases").exists(), "what was installed is removed"


def test_releases_that_could_not_be_looked_up_fail_the_run_and_leave_the_other_agents(
    checkout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def published(agent: object) -> tuple[str, ...]:
        if agent is not agent_named("codex"):
            raise EnvironmentProblem("npm view opencode-ai failed: ETIMEDOUT")
        return ("0.171.0",)

    monkeypatch.setattr(agent_installs, "published", published)
    write_tests(checkout, answers())

    assert command.try_newest(checkout, ["codex", "opencode"], progress=Progress()) == 1

    out = capsys.readouterr().out
    assert "red: opencode: its releases could not be looked up: npm view opencode-ai failed: ETIMEDOUT" in out
    assert "10 cells of 1 release, 1 red" in out


def test_where_nothing_could_be_tried_the_matrix_stays_and_the_tests_own_words_are_passed_on(
    checkout: Layout,
) -> None:
    write_tests(checkout, [])

    with pytest.raises(EnvironmentProblem, match=r"(?s)no release could be tried:.*what pytest says"):
        run(checkout)

    assert not (checkout.checkout / command.MATRIX).exists()


def test_an_agent_that_does_not_exist_is_refused_before_anything_is_installed() -> None:
    with pytest.raises(UnknownFact, match="unknown agent 'codec'"):
        command.try_newest(Layout.default(), ["codec"], progress=Progress())


def test_the_option_in_another_place_is_refused_with_the_right_one() -> None:
    with pytest.raises(EnvironmentProblem, match=re.escape("./dev test agents --newest")):
        run_tests(Layout.default(), ["unit", command.OPTION], progress=Progress())


def test_what_is_told_of_the_matrix_names_its_age_and_what_failed() -> None:
    rows = [check(), check(release="0.170.0", name="doctor", fault="no")]

    assert summary(rows[:1], TODAY, ["codex"]).endswith("run 2026-11-28, today: codex 0.171.0: all well")
    assert summary(rows[:1], date(2026, 12, 1), ["codex", "pi"]).endswith(
        "2026-11-28, 3 days ago: codex 0.171.0: all well; not run yet: pi"
    )
    assert summary(rows, date(2026, 11, 29), ["codex"]).endswith(
        "1 day ago: codex 0.171.0, 0.170.0: red: codex 0.170.0, /v1/responses, native, doctor"
        " (why: docs/everyday.md)"
    )
    assert "none was run yet" in summary([], TODAY, [])


def test_a_release_that_could_not_be_installed_is_told_once() -> None:
    cells = checks_of([Trial(agent="kilo", release="7.8.1", fault="could not be installed: no")], [], TODAY)

    assert ": red: kilo 7.8.1 could not be installed (why" in summary(cells, TODAY, [])


def test_plan_shows_the_matrix_with_its_age(monkeypatch: pytest.MonkeyPatch) -> None:
    oldest = min(each.seen for each in load_catalog().agent_checks)
    monkeypatch.setattr(plan_command, "today", lambda: date.fromordinal(oldest.toordinal() + 9))

    last = CliRunner().invoke(main, ["plan", "local", "--all"]).stdout.splitlines()[-1]

    assert last.startswith(f"newest releases of the agents, run {oldest}, 9 days ago: opencode ")


def test_the_catalogue_holds_agents_that_exist_each_cell_once() -> None:
    names = [each.name for each in load_catalog().agent_checks]

    assert len(set(names)) == len(names)
    seen, known = {each.agent for each in load_catalog().agent_checks}, {agent.name for agent in AGENTS}
    assert seen <= known


def test_the_workflow_runs_it_weekly_and_keeps_the_matrix() -> None:
    text = (CHECKOUT / ".github" / "workflows" / "agent-releases.yml").read_text()
    workflow = yaml.safe_load(text)

    (cron,) = workflow[True]["schedule"]  # YAML 1.1 reads the key `on` as true
    assert cron["cron"].split()[2:] == ["*", "*", "1"]
    steps = workflow["jobs"]["newest"]["steps"]
    assert f"./dev test agents {command.OPTION}" in [step.get("run") for step in steps]
    (kept,) = (step for step in steps if step.get("uses", "").startswith("actions/upload-artifact@"))
    assert (kept["if"], kept["with"]["path"]) == ("always()", command.MATRIX)
