"""`onprem-agents bench` from its options to its reports, against the scripted gateway, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from onprem_agents.contract.connection import Connection
from tests.unit.bench_load import RAW
from tests.unit.browser import browser
from tests.unit.contract_samples import contract
from tests.unit.scripted_gateway import KEY, ScriptedGateway, gateway

pytestmark = pytest.mark.unit

Served = tuple[ScriptedGateway, Connection]


@pytest.fixture
def served() -> Iterator[Served]:
    with gateway(contract()) as running:
        yield running


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a setup, with a key and a profile of short sessions."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ONPREM_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "key").write_text(KEY, encoding="utf-8")
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(RAW | {"sharedTokens": 4000}), encoding="utf-8")
    return tmp_path


def bench(*options: str) -> Result:
    return CliRunner().invoke(main, ["bench", *options])


def run(files: Path, told: Connection, *options: str) -> Result:
    (files / "contract.json").write_text(told.to_json(), encoding="utf-8")
    given = ["--connection", str(files / "contract.json"), "--key-file", str(files / "key")]
    given += ["--profile", str(files / "short.yaml"), "--sessions", "2", "--minutes", "0.02"]
    return bench(*given, *options)


class Page(HTMLParser):
    """What a browser would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]


def test_a_run_gives_json_and_a_page_that_loads_nothing(files: Path, served: Served) -> None:
    page = files / "report.html"
    done = run(files, served[1], "--json", "--html", str(page))
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["model"] == "coder"
    assert told["ended"] == "time"
    assert told["figures"]["rounds"] >= 2
    assert told["figures"]["failed"] == 0
    assert told["figures"]["firstSeconds"]["p50"] > 0
    assert {bound["name"] for bound in told["bounds"]} >= {"longest round", "longest silence of a stream"}
    text = page.read_text(encoding="utf-8")
    seen = Page()
    seen.feed(text)
    assert seen.tags.count("svg") == 5
    assert not {"script", "link", "img", "iframe"} & set(seen.tags)
    assert not seen.addresses
    assert "default-src 'none'" in text
    assert "url(" not in text
    assert KEY not in text + done.output


def test_the_page_of_a_run_fits_screens_and_phones(files: Path, served: Served) -> None:
    page = files / "report.html"
    run(files, served[1], "--html", str(page))

    with browser() as chromium:
        for width in (1280, 390):
            chromium.open(page, width=width)
            assert chromium.value("document.documentElement.scrollWidth") <= width
        assert (chromium.errors, set(chromium.requests)) == ([], {page.as_uri()})


def test_a_run_ends_with_a_table_and_tells_how_far_it_is(files: Path, served: Served) -> None:
    done = run(files, served[1])
    assert done.exit_code == 0, done.output
    assert re.search(r"time to first token +[\d.]+ s +[\d.]+ s", done.stdout)
    assert "ok   rounds that failed: 0 of" in done.stdout
    assert "made up for tests (none)" in done.stdout, "the source of the sessions stands beside their figures"
    assert "Asking http://127.0.0.1" in done.stderr


def test_a_missed_bound_is_the_exit_code_with_why_and_change(files: Path) -> None:
    with gateway(contract(), of_model=("no-prefix-cache",)) as (_, told):
        done = run(files, told)
    assert done.exit_code == 1
    assert "FAIL prompt tokens from the prefix cache: 0%" in done.stdout
    assert "change: fewer sessions, a larger KV cache" in done.stdout


def test_ctrl_c_ends_it_with_what_was_measured(files: Path, served: Served) -> None:
    handler = served[0]

    def interrupt() -> None:
        while len(handler.seen) < 8:
            threading.Event().wait(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    done = run(files, served[1], "--json", "--minutes", "10")
    thread.join(10)
    told = json.loads(done.stdout)
    assert told["ended"] == "interrupted"
    assert told["figures"]["rounds"] >= 3
    assert told["seconds"] < 300


def test_a_wrong_key_is_told_before_any_load(files: Path, served: Served) -> None:
    (files / "key").write_text("onprem-a-key-that-nobody-gave-012345678", encoding="utf-8")
    done = run(files, served[1])
    assert done.exit_code == 1
    assert "key-refused" in done.stderr
    assert len(served[0].seen) == 1


def test_with_a_stack_the_plan_is_compared_too(files: Path) -> None:
    stacks = Path(__file__).parents[2] / "stacks"
    with gateway(contract()) as (_, told):
        given = ["--stack", "local", "--stacks", str(stacks), "--base-url", told.base_url, "--role", "coder"]
        given += ["--key-file", str(files / "key"), "--profile", str(files / "short.yaml")]
        done = bench(*given, "--sessions", "1", "--minutes", "0.02", "--json")
    told_bounds = {bound["name"]: bound for bound in json.loads(done.stdout)["bounds"]}
    assert told_bounds["sessions at once"]["within"] is True
    assert told_bounds["tokens of all sessions at once"]["within"] is True
    speed = told_bounds["answers, all sessions together"]
    assert speed["within"] is None, "a ceiling is told and not judged by"
    assert re.fullmatch(r"[\d.,]+ tokens/s, \d+% of it", speed["measured"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "a.example", "--stack", "b"], "not both"),
        (["--base-url", "http://127.0.0.1:9/v1", "--model", "coder"], "--context TOKENS"),
        (["--base-url", "http://127.0.0.1:9/v1", "--role", "coder"], "--role needs a contract"),
        (["--sessions", "0"], "--sessions"),
        (["--minutes", "0"], "--minutes"),
    ],
)
def test_options_that_do_not_go_together_are_refused(files: Path, options: list[str], words: str) -> None:
    done = bench(*options, "--profile", str(files / "short.yaml"))
    assert done.exit_code == 2
    assert words in done.stderr


def refused(done: Result) -> dict[str, Any]:
    assert done.exit_code == 1
    (problem,) = json.loads(done.stdout)["problems"]
    return dict(problem)


def test_a_role_that_nobody_serves_is_told_with_those_that_are(files: Path) -> None:
    problem = refused(run(files, contract(), "--json", "--role", "codr"))
    assert problem["where"] == "--role"
    assert "coder" in problem["fix"]


@pytest.mark.usefixtures("files")
def test_a_window_without_room_for_a_session_is_told_before_any_load() -> None:
    given = ("--base-url", "http://127.0.0.1:9/v1", "--model", "coder", "--context", "16384", "--json")
    problem = refused(bench(*given))
    assert (problem["where"], problem["cause"]) == ("--context", "does-not-fit")
    assert "22528" in problem["fix"]


@pytest.mark.parametrize("place", [".", "none/report.html"])
def test_a_place_for_the_report_that_cannot_be_is_told_before_the_run(files: Path, place: str) -> None:
    done = run(files, contract(), "--html", str(files / place))
    assert done.exit_code == 1
    assert "--html" in done.stderr


def test_an_endpoint_that_is_not_there_is_told_in_words(files: Path) -> None:
    given = ("--base-url", "http://127.0.0.1:9/v1", "--model", "coder", "--context", "65536")
    done = bench(*given, "--profile", str(files / "short.yaml"))
    assert done.exit_code == 1
    assert "refused the connection" in done.stderr
    assert "Traceback" not in done.output
