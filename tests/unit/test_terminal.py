"""A terminal for one program: what it draws is read, keys reach it, and nothing of it is left."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from onprem_agents.probes.terminal import COLUMNS, ROWS, NotShown, Terminal

SECONDS = 30.0
Running = Callable[[str], AbstractContextManager[Terminal]]


@pytest.fixture
def shell(tmp_path: Path) -> Running:
    """Run a line of the shell in a terminal."""
    return lambda line: Terminal.running(["sh", "-c", line], tmp_path, {"PATH": os.environ["PATH"]})


def test_text_is_read_where_it_stands_on_the_screen_and_not_as_it_came(shell: Running) -> None:
    with shell(r"printf 'second\r\033[1;1Hfirst\033[3;5Hthird\033[1;1HF'; sleep 60") as terminal:
        terminal.wait("First", SECONDS)

        assert terminal.text == "Firstd\n    third"


def test_a_program_finds_the_size_that_it_is_drawn_on(shell: Running) -> None:
    with shell("stty size; sleep 60") as terminal:
        terminal.wait(f"^{ROWS} {COLUMNS}$", SECONDS)


def test_typed_text_and_keys_reach_the_program(shell: Running) -> None:
    with shell('read line; echo "got <$line>"; sleep 60') as terminal:
        terminal.send("some words")
        terminal.press("enter")

        terminal.wait("got <some words>", SECONDS)


def test_a_key_is_pressed_until_the_mark_stands_before_the_choice(shell: Running) -> None:
    choices = "for n in 1 2 3; do printf '\\033[2J\\033[H> %s' $n; read line; done; sleep 60"
    with shell(choices) as terminal:
        terminal.press_until("enter", "> 3", SECONDS, again_seconds=1)

        assert terminal.text == "> 3"


def test_who_asks_where_the_cursor_is_gets_an_answer(tmp_path: Path) -> None:
    ask = (
        "import os, sys, tty; tty.setraw(0); os.write(1, b'abc\\x1b[6n');"
        "answer = os.read(0, 20); os.write(1, repr(answer).encode()); os.read(0, 1)"
    )
    with Terminal.running([sys.executable, "-c", ask], tmp_path, {}) as terminal:
        terminal.wait(r"\\x1b\[1;4R", SECONDS)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (r"\033P+q4d", r"73\033\\"),
        (r"\033_Gi=31337,a=q", r";AAAA\033\\"),
        (r"\033]11;", r"?\007"),
        (r"\033[>0q\033[>4;1m\033[?2026", r"$p\033[?u\033[=1;1u"),
        (r"\033]8;;file:///x", r"\033\\"),
    ],
)
def test_what_is_said_to_the_terminal_is_not_text_even_when_it_comes_in_halves(
    shell: Running, begin: str, end: str
) -> None:
    with shell(f"printf 'a{begin}'; sleep 0.2; printf '{end}seen'; sleep 60") as terminal:
        terminal.wait("seen", SECONDS)

        assert terminal.text == "aseen"


def test_a_letter_that_comes_in_two_halves_is_one_letter(shell: Running) -> None:
    with shell(r"printf '\342\235'; sleep 0.2; printf '\257 here'; sleep 60") as terminal:
        terminal.wait("\u276f here", SECONDS)


def test_what_did_not_come_is_told_with_what_stood_there_instead(shell: Running) -> None:
    with shell("echo something else; sleep 60") as terminal:
        terminal.wait("something", SECONDS)
        with pytest.raises(
            NotShown, match=r"its prompt did not come within 0\.1 s; the screen: something else"
        ):
            terminal.wait("never", 0.1, wanted="its prompt")


def test_a_program_that_has_ended_is_not_waited_for(shell: Running) -> None:
    began = time.monotonic()
    with shell("echo refused; exit 3") as terminal, pytest.raises(NotShown) as raised:
        terminal.wait("never", 120)

    assert raised.value.end == "before the program ended with exit code 3"
    assert raised.value.screen == "refused"
    assert time.monotonic() - began < 120


def test_nothing_that_the_program_started_outlives_the_block(shell: Running, tmp_path: Path) -> None:
    with shell("sleep 600 & echo child $! >pid; echo begun; wait") as terminal:
        terminal.wait("begun", SECONDS)
        child = (tmp_path / "pid").read_text().split()[1]
        assert _runs(child)

    deadline = time.monotonic() + SECONDS
    while _runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(pid: str) -> bool:
    """Whether a process is there and not only waiting for somebody to ask how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
