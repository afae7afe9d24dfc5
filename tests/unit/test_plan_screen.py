"""`onprem-agents plan` fits one screen of a terminal, and tells everything with `--all`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from onprem_agents.cli import main
from onprem_agents.cli.load_view import load_brief
from onprem_agents.cli.plan_screen import screen
from onprem_agents.plan import plan_stack_file
from onprem_agents.plan.report import report
from onprem_agents.stack.stack_file import stack_names

STACKS = Path(__file__).parents[2] / "stacks"
FEATURES = Path(__file__).parents[1] / "golden" / "features"


def told(folder: Path, stack: str) -> dict[str, Any]:
    return report(plan_stack_file(folder, stack))


def shown(result: dict[str, Any]) -> list[str]:
    return [line.plain for line in screen(result)]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["plan", *arguments, "--stacks", str(STACKS)])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("folder", [STACKS, FEATURES], ids=["stacks", "features"])
def test_no_line_is_wider_than_a_terminal(folder: Path) -> None:
    for stack in stack_names(folder):
        assert max(map(len, shown(told(folder, stack)))) <= 80, stack


@pytest.mark.parametrize(
    "stack", [stack for stack in stack_names(STACKS) if len(told(STACKS, stack)["models"]) == 1]
)
def test_a_stack_of_one_model_leaves_room_for_the_prompt_on_a_screen_of_24_lines(stack: str) -> None:
    assert len(run(stack).splitlines()) <= 22


def test_the_summary_comes_first_and_the_way_to_everything_last() -> None:
    lines = run("local").splitlines()

    assert lines[0] == "Stack local: 2 developers on 2 nodes with 2 × L40S, 3 of 4 GPUs free"
    assert lines[1] == "coder: Qwen/Qwen3.6-27B-FP8 (fp8), 1 replica on 1 GPU"
    assert lines[-1] == "  more     plan local --all; a page with plots: report local --html"


def test_all_tells_what_the_screen_leaves_out() -> None:
    short, whole = run("local"), run("local", "--all")

    for more in (
        "because it knows no efforts",
        "rollout RollingUpdate",
        "sampling: temperature 0.6",
    ):
        assert more in whole
        assert more not in short


def noted(result: dict[str, Any], *notes: str) -> dict[str, Any]:
    result["models"][0]["notes"] = list(notes)
    return result


def test_a_stack_of_two_models_fits_a_screen_of_24_lines_with_the_prompt() -> None:
    lines = run("team").splitlines()

    assert len(told(STACKS, "team")["models"]) == 2
    assert len(lines) <= 23
    assert sum(line.startswith("  speed ") for line in lines) == 2
    assert sum(line.startswith("  memory ") for line in lines) == 2


def test_agents_that_each_role_serves_alike_are_told_once() -> None:
    text = " ".join(" ".join(shown(told(STACKS, "team"))).split())

    assert text.count("opencode ✓") == 1
    assert "agents of each role: opencode ✓" in text


def test_agents_are_told_for_each_role_where_one_serves_fewer() -> None:
    result = told(STACKS, "team")
    result["models"][1]["agents"][1] |= {"served": False, "why": "context below 33,000"}
    text = " ".join(" ".join(shown(result)).split())

    assert text.count("opencode ✓") == 2
    assert text.count("Codex CLI ✗ (context below 33,000)") == 1


def test_every_note_is_on_the_screen_whole() -> None:
    note = "too slow with 200 developers at work: about 3.7 tokens/s for each, at least 15 wanted; " * 3
    text = " ".join(" ".join(shown(noted(told(STACKS, "team"), note, "a second one"))).split())

    assert f"note: {note.strip()} note: a second one" in text


def test_another_checkpoint_than_was_asked_for_is_told_in_a_line_and_with_all_why() -> None:
    assert "  asked    google/gemma-4-E4B-it; --all says why another is served" in run("team").splitlines()
    assert "leaves its precision open" in run("team", "--all")
    assert "leaves its precision open" not in run("team")


def test_a_load_says_which_start_is_meant_and_at_which_rate_it_downloads() -> None:
    loading = "5 min cold + 6 min download at 100 MiB/s each start; may take 45 min"

    assert f"  load     {loading}" in run("48gb").splitlines()
    assert "(platform.serving.downloadMibPerSecond)" not in run("48gb")
    whole = run("48gb", "--all")
    assert "MiB/s, platform.serving.downloadMibPerSecond) at each start" in whole
    assert "for a cold start (weights read at 350 MiB/s)" in whole


@pytest.mark.parametrize(
    ("loading", "text"),
    [
        (
            {"downloadSeconds": 0, "restartSeconds": 300, "restartKind": "cold"},
            "5 min cold; may take 45 min",
        ),
        (
            {"downloadSeconds": 0, "restartSeconds": 180, "restartKind": "warm"},
            "5 min cold, later 3 min warm; may take 45 min",
        ),
        (
            {"downloadSeconds": 600, "restartSeconds": 180, "restartKind": "warm"},
            "5 min cold + 10 min download at 100 MiB/s once, later 3 min warm; may take 45 min",
        ),
        (
            {"downloadSeconds": 600, "restartSeconds": 300, "restartKind": "cold"},
            "5 min cold + 10 min download at 100 MiB/s once, later 5 min cold; may take 45 min",
        ),
    ],
)
def test_a_later_start_is_told_as_warm_or_cold(loading: dict[str, Any], text: str) -> None:
    known = {"startSeconds": 300, "budgetSeconds": 2700, "downloadMibPerSecond": 100}

    assert load_brief(known | loading) == text


def test_an_agent_that_is_not_served_is_named_with_the_reason() -> None:
    result = told(STACKS, "local")
    result["models"][0]["agents"][1] |= {"served": False, "why": "context below 33,000"}

    assert "opencode ✓, Codex CLI ✗ (context below 33,000), Claude Code ✓" in " ".join(
        " ".join(shown(result)).split()
    )


def test_an_update_that_takes_the_model_away_says_so() -> None:
    assert "updates with downtime" in run("24gb")
    assert "updates without downtime" in run("local")


@pytest.mark.parametrize("stack", ["team", "48gb", "multi-gpu"])
def test_plan_and_report_tell_the_same_speeds(stack: str) -> None:
    paid = CliRunner().invoke(main, ["report", stack, "--stacks", str(STACKS)]).stdout

    of_plan = re.findall(r"about ([0-9.,]+) tokens/s each", run(stack))
    assert of_plan
    assert of_plan == re.findall(r"about ([0-9.,]+) tokens/s an answer", paid)
