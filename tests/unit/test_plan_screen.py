"""`onprem-agents plan` fits one screen of a terminal, and tells everything with `--all`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from onprem_agents.cli import main
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


def test_every_note_is_on_the_screen() -> None:
    result = told(STACKS, "team")
    text = " ".join(" ".join(shown(result)).split())

    notes = [note for role in result["models"] for note in role["notes"]]
    assert notes
    assert all(f"note: {note}" in text for note in notes)


def test_an_agent_that_is_not_served_is_named_with_the_reason() -> None:
    result = told(STACKS, "local")
    result["models"][0]["agents"][1] |= {"served": False, "why": "context below 33,000"}

    assert "opencode ✓, Codex CLI ✗ (context below 33,000), Claude Code ✓" in " ".join(
        " ".join(shown(result)).split()
    )


def test_an_update_that_takes_the_model_away_says_so() -> None:
    assert "an update with downtime" in run("24gb")
    assert "an update without downtime" in run("local")
