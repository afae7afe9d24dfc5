"""The page of `onprem-agents report`: written whole, asked for nothing, and readable on screens, phones and paper."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from onprem_agents.cli import main
from onprem_agents.cli.pages import place
from onprem_agents.cli.pages.report import page
from onprem_agents.cli.report_checks import Verdict, checks_of
from onprem_agents.cli.report_values import values_of
from onprem_agents.plan import plan_stack_file
from onprem_agents.plan.costs import PlatformCost
from onprem_agents.stack.stack_file import stack_names
from tests.unit.browser import Browser, browser

STACKS = Path(__file__).parents[2] / "stacks"
DAY = date(2026, 11, 29)


def made(stack: str) -> str:
    plan = plan_stack_file(STACKS, stack)
    return page(values_of(plan), checks_of(plan), DAY)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "team.html"
    path.write_text(made("team"), encoding="utf-8")
    return path


@pytest.mark.parametrize("stack", stack_names(STACKS))
def test_every_stack_has_a_page_that_loads_nothing(stack: str) -> None:
    text = made(stack)

    assert "default-src 'none'" in text
    for tag in ("<script", "<link", "<img", "<iframe", "url(", "src="):
        assert tag not in text
    assert text.endswith("</body></html>\n")


def test_the_summary_comes_before_the_details() -> None:
    text = made("team")
    order = [
        "20 developers on 2 nodes",
        "What developers get",
        "What it cannot do",
        "Memory of one GPU",
        "Policies: ",
    ]

    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_costs_stand_among_the_figures_where_the_stack_gives_prices() -> None:
    plan = plan_stack_file(STACKS, "team")
    cost = PlatformCost(
        per_month=11_808,
        per_developer_and_month=590.4,
        currency="EUR",
        basis="8 GPUs at 2.05 an hour",
        pools=(),
    )
    priced = page(replace(values_of(plan), cost=cost), checks_of(plan), DAY)

    assert (
        "<b>11,808 EUR</b><span>a month</span><small>590 a developer; 8 GPUs at 2.05 an hour</small>"
        in priced
    )
    assert "a month" not in made("team")


def test_a_policy_that_failed_is_named_as_it_is_called() -> None:
    plan = plan_stack_file(STACKS, "local")
    failed = Verdict(policy="rules & limits", level="mandatory", description="", findings=("too long",))
    checks = replace(checks_of(plan), verdicts=(failed,))

    assert "; not rules &amp; limits</small>" in page(values_of(plan), checks, DAY)


def test_a_page_is_written_where_it_is_told_or_beside_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    told = CliRunner().invoke(main, ["report", "local", "--stacks", str(STACKS), "--html", "here.html"])
    left_out = CliRunner().invoke(main, ["report", "local", "--stacks", str(STACKS), "--html"])

    assert (told.exit_code, told.stdout) == (0, "Report: here.html\n")
    assert (left_out.exit_code, left_out.stdout) == (0, "Report: report-local.html\n")
    assert (tmp_path / "here.html").read_bytes() == (tmp_path / "report-local.html").read_bytes()


@pytest.mark.parametrize("where", [".", "none/report.html"])
def test_a_place_that_cannot_be_written_is_refused_with_what_to_change(where: str) -> None:
    done = CliRunner().invoke(main, ["report", "local", "--stacks", str(STACKS), "--html", where])

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("--html ")
    assert "Traceback" not in done.stderr


def test_a_page_that_cannot_be_written_in_the_end_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(place, "write_file", full)
    done = CliRunner().invoke(
        main, ["report", "local", "--stacks", str(STACKS), "--html", str(tmp_path / "report.html")]
    )

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.endswith("it cannot be written: No space left on device\n")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_shows_it_whole_without_a_word_in_its_console_or_on_the_network(
    chromium: Browser, team: Path, width: int, dark: bool
) -> None:
    chromium.requests.clear()
    chromium.open(team, width=width, dark=dark)

    assert chromium.value("document.documentElement.scrollWidth") <= width
    assert chromium.errors == []
    assert chromium.requests == [team.as_uri()]
    sizes = chromium.value(
        "[...document.querySelectorAll('svg')].map(s => [s.getBoundingClientRect().width, "
        "s.getBoundingClientRect().height])"
    )
    # A bar of memory for each of two roles, four plots, the chain of time limits.
    assert len(sizes) == 7
    assert all(across > 200 and down > 10 for across, down in sizes)


def test_the_browser_tells_what_a_page_logs_and_asks_for(tmp_path: Path, chromium: Browser) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<img src='http://127.0.0.1:9/none.png'><script>console.error('odd')</script>")
    chromium.requests.clear()
    chromium.open(bad, width=390)
    errors = list(chromium.errors)
    chromium.errors.clear()

    assert chromium.requests == [bad.as_uri(), "http://127.0.0.1:9/none.png"]
    assert any("odd" in error for error in errors)


def test_light_and_dark_are_what_the_reader_prefers(chromium: Browser, team: Path) -> None:
    seen = []
    for dark in (False, True):
        chromium.open(team, width=1280, dark=dark)
        seen.append(chromium.value("getComputedStyle(document.body).backgroundColor"))

    assert seen == ["rgb(255, 255, 255)", "rgb(17, 24, 30)"]


@pytest.mark.parametrize("width", [1280, 390])
def test_no_text_of_a_plot_lies_outside_of_it(chromium: Browser, team: Path, width: int) -> None:
    chromium.open(team, width=width)

    outside = chromium.value(
        "[...document.querySelectorAll('svg')].flatMap(svg => { const all = svg.getBoundingClientRect(); "
        "return [...svg.querySelectorAll('text')].filter(t => { const b = t.getBoundingClientRect(); "
        "return b.left < all.left - 1 || b.right > all.right + 1 || b.top < all.top - 1 || "
        "b.bottom > all.bottom + 1 }).map(t => t.textContent) })"
    )
    assert outside == []


def test_it_prints_on_a_few_sheets(chromium: Browser, team: Path) -> None:
    chromium.open(team, width=1280)

    assert 2 <= chromium.sheets() <= 5, "the summary on its own sheet, then the details"
