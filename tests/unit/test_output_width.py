"""What people read is as wide as their terminal, loses nothing there, and has whole lines where it is piped."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from onprem_agents.cli import main
from onprem_agents.cli.output import Output

pytestmark = pytest.mark.unit

STACKS = str(Path(__file__).parents[2] / "stacks")
WIDTHS = (60, 80, 120)
SHOWN = {
    "fit": "fit Qwen3.6-35B-A3B --gpu L40S --context 32768",
    "a refusal of fit": "fit Qwen/Qwen3.8-27B --gpu L40S",
    "explain": f"explain team --stacks {STACKS}",
    "report": f"report team --stacks {STACKS}",
    "plan": f"plan team --all --stacks {STACKS}",
    "the plan's account": f"plan team --explain --stacks {STACKS}",
    "catalog": "catalog",
    "a model of the catalog": "catalog Qwen3.6-27B",
    "a device of the catalog": "catalog H100",
    "advise": "advise --gpu L40S --count 2 --developers 5",
    "a bad name": "fit Qwen3-8B --gpu L4OO",
    "a stack that is not there": f"plan teem --stacks {STACKS}",
}
# What a table draws, and what a wrapped line may gain or lose.
_DRAWN = re.compile(r"[\s│┃━╇─┼]")


@cache
def output(words: str, columns: int | None) -> str:
    """Return what a command writes on stdout and stderr, in a terminal that wide, None: into a pipe."""
    done = CliRunner(env={} if columns is None else {"COLUMNS": f"{columns}"}).invoke(main, words.split())
    assert done.exit_code in {0, 1}, done.output
    return done.output


@pytest.mark.parametrize("what", SHOWN)
@pytest.mark.parametrize("columns", WIDTHS)
def test_no_line_is_wider_than_the_terminal_and_no_character_is_lost(what: str, columns: int) -> None:
    told = output(SHOWN[what], columns)
    assert [line for line in told.splitlines() if cell_len(line) > columns] == []
    assert Counter(_DRAWN.sub("", told)) == Counter(_DRAWN.sub("", output(SHOWN[what], None)))


@pytest.mark.parametrize("what", ["fit", "report", "explain", "catalog"])
def test_a_pipe_gets_whole_lines(what: str) -> None:
    lines = output(SHOWN[what], None).splitlines()
    assert max(map(len, lines)) > max(WIDTHS)
    assert not any("…" in line for line in lines)


def told(text: str | Text, monkeypatch: pytest.MonkeyPatch, columns: int = 30) -> list[str]:
    monkeypatch.setenv("COLUMNS", f"{columns}")
    output = Output()
    with output.capture() as captured:
        output.print(text, soft_wrap=True, markup=False)
    return captured.get().splitlines()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("    four blanks stand before this text", ["    four blanks stand before", "      this text"]),
        ("  - one of a list that goes on here", ["  - one of a list that goes on", "    here"]),
        ("  fix:   take another one of those", ["  fix:   take another one of", "         those"]),
        ("label:  aligned text that goes on", ["label:  aligned text that goes", "        on"]),
        ("a" * 40, ["a" * 28, "  " + "a" * 12]),
        ("first line\n  second of two lines, longer", ["first line", "  second of two lines, longer"]),
        ("  [brackets] stay as they are, all", ["  [brackets] stay as they", "    are, all"]),
    ],
)
def test_a_long_line_goes_on_behind_its_own_beginning(
    text: str, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(text, monkeypatch) == lines


def test_cells_of_one_line_are_broken_only_where_the_others_have_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def table() -> Table:
        found = Table("name", show_edge=False)
        found.add_column("whole", no_wrap=True)
        found.add_row("a name of several words", "ten letters, and more")
        return found

    heights = {}
    for columns in (40, 24):
        monkeypatch.setenv("COLUMNS", f"{columns}")
        output = Output()
        with output.capture() as captured:
            output.print(table())
        heights[columns] = captured.get().count("ten letters, and more")
        assert "…" not in captured.get()
    assert heights == {40: 1, 24: 0}
