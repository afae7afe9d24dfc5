"""What a step says of the time: what has gone, and what is left at the rate so far; never a guess."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from embedded.progress import Progress, Step
from embedded.toolchain.build import Counter


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def step(clock: Clock) -> Step:
    return Step("compile KServe", log=None, clock=clock)


def test_without_anything_done_there_is_no_estimate(step: Step, clock: Clock) -> None:
    clock.seconds += 76

    assert step.line() == "compile KServe  1 min 16 s"


def test_the_time_left_follows_from_what_is_done(step: Step, clock: Clock) -> None:
    clock.seconds += 76
    step.reach(1145, 3443, "package 1145 of 3443")

    assert step.line() == "compile KServe  1 min 16 s, about 2 min 33 s left  package 1145 of 3443"


def test_on_a_machine_ten_times_slower_ten_times_as_much_is_left(step: Step, clock: Clock) -> None:
    clock.seconds += 760
    step.reach(1145, 3443, "package 1145 of 3443")

    assert step.seconds_left == pytest.approx(1525, abs=1)


def test_while_nothing_more_is_done_the_time_left_grows(step: Step, clock: Clock) -> None:
    clock.seconds += 60
    step.reach(50, 100, "package 50 of 100")
    clock.seconds += 60

    assert step.seconds_left == pytest.approx(120)


def test_when_it_slows_down_the_last_minute_tells_the_time_left(step: Step, clock: Clock) -> None:
    for done in range(1, 51):
        clock.seconds += 1
        step.reach(done, 100, "")
    for done in (51, 52, 53, 54):
        clock.seconds += 30
        step.reach(done, 100, "")

    assert step.seconds_left == pytest.approx(46 * 30), "a package in 30 s, not in 3"


@pytest.mark.parametrize(
    ("seconds", "done"),
    [(1, 50), (60, 1), (60, 100)],
    ids=["after one second", "after one of a hundred", "at the end"],
)
def test_a_rate_that_says_nothing_gives_no_estimate(
    step: Step, clock: Clock, seconds: float, done: int
) -> None:
    clock.seconds += seconds
    step.reach(done, 100, "")

    assert step.seconds_left is None


def test_of_an_unknown_size_nothing_is_said(step: Step, clock: Clock) -> None:
    clock.seconds += 60
    step.reach(5000, 0, "4 of 0 MiB")

    assert step.seconds_left is None


def test_another_word_ends_the_count(step: Step, clock: Clock) -> None:
    clock.seconds += 60
    step.reach(50, 100, "package 50 of 100")
    step.update("installing")

    assert step.line() == "compile KServe  1 min 00 s  installing"


def test_a_step_that_gives_up_gets_no_tick() -> None:
    sink = io.StringIO()
    progress = Progress(console=Console(file=sink, width=200), clock=Clock())

    with progress.step("download etcd") as step:
        step.give_up("building it instead: the site is down")

    assert sink.getvalue() == "- download etcd  0.0 s  building it instead: the site is down\n"


def test_packages_of_an_earlier_batch_are_not_counted_again(step: Step, tmp_path: Path) -> None:
    first = Counter(step, ["unsafe", "fmt", "os", "main"], tmp_path / "compiled")
    for line in ("fmt", "go: downloading x v1", "fmt", "os"):
        first(line)
    assert step.text == "package 2 of 3", "neither what the compiler never names nor what it names twice"

    second = Counter(step, ["unsafe", "fmt", "os", "net", "other"], tmp_path / "compiled")
    second("net")
    assert step.text == "package 1 of 2"
    second("other")
    assert step.text == "linking"
