"""A session on trial is forgotten only when its routes lead to the stack's own pods again."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from embedded.commands import gateway as command
from embedded.gateway import Session, end, running, start
from embedded.gateway.upstream import Upstream
from embedded.layout import Layout
from embedded.lock import hold
from embedded.progress import Progress
from onprem_agents.errors import EnvironmentProblem

pytestmark = pytest.mark.unit

CHECKOUT = Path(__file__).parents[2]
SESSION = Session(
    stack="local",
    started_cluster=False,
    base_url="https://localhost:8443/v1",
    anthropic_base_url="https://localhost:8443",
    ca_file="/ca.crt",
    upstream="http://127.0.0.1:8000",
    record_file="/record.jsonl",
)


class _Machine:
    """A cluster and an engine that only note what is asked of them."""

    def __init__(self, *, ran: bool, update_fails: bool) -> None:
        self.ran = ran
        self.update_fails = update_fails
        self.done: list[str] = []

    def parts(self) -> list[str]:
        return ["kube-apiserver"] if self.ran else []

    def stop(self, _progress: Progress) -> None:
        self.done.append("stop")

    def stacks_with_resources(self) -> list[str]:
        return ["local"]

    def up(
        self, _layout: Layout, stack: str, _progress: Progress, *, project: Path | None = None, **_: Any
    ) -> None:
        self.done.append(f"{'plain' if project is None else 'trial'} {stack}")
        if self.update_fails:
            raise EnvironmentProblem("the update failed")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(checkout=CHECKOUT, state=tmp_path / "state", cache=tmp_path / "cache")


@pytest.fixture
def told() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def progress(told: io.StringIO) -> Progress:
    return Progress(console=Console(file=told, width=400))


def machine(monkeypatch: pytest.MonkeyPatch, *, ran: bool = True, update_fails: bool = False) -> _Machine:
    made = _Machine(ran=ran, update_fails=update_fails)
    monkeypatch.setattr(running, "Cluster", lambda _layout: made)
    monkeypatch.setattr(running, "_engine", lambda *_arguments: made)
    monkeypatch.setattr(running, "_require_port", lambda *_arguments: None)
    monkeypatch.setattr(running, "up", made.up)
    monkeypatch.setattr(running, "_server", lambda *_arguments: Upstream(url=SESSION.upstream))
    return made


def test_a_failed_trial_on_a_cluster_that_ran_keeps_its_session_for_the_way_back(
    layout: Layout, progress: Progress, told: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = machine(monkeypatch, update_fails=True)
    with pytest.raises(EnvironmentProblem, match="the update failed"):
        start(layout, "local", None, progress)

    assert failing.done == ["trial local"]
    assert "'./dev gateway --stop' or './dev up local' leads them back" in told.getvalue()
    assert not running.project_folder(layout).exists()

    good = machine(monkeypatch)
    assert end(layout, progress), "there is something to end"
    assert good.done == ["plain local"]
    assert Session.read(layout) is None


def test_a_failed_trial_on_a_cluster_of_its_own_leaves_nothing(
    layout: Layout, progress: Progress, told: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = machine(monkeypatch, ran=False, update_fails=True)
    with pytest.raises(EnvironmentProblem, match="the update failed"):
        start(layout, "local", None, progress)

    assert failing.done == ["trial local", "stop"]
    assert Session.read(layout) is None
    assert "--stop" not in told.getvalue()


def test_a_session_whose_way_back_failed_can_be_ended_again(
    layout: Layout, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    SESSION.write(layout)
    machine(monkeypatch, update_fails=True)
    with pytest.raises(EnvironmentProblem, match="the update failed"):
        end(layout, progress)
    assert Session.read(layout) == SESSION

    good = machine(monkeypatch)
    assert end(layout, progress)
    assert good.done == ["plain local"]
    assert not end(layout, progress)


@pytest.mark.parametrize("after", [None, replace(SESSION, upstream="http://127.0.0.1:8001")])
def test_servers_that_another_run_ended_are_no_trouble(
    layout: Layout, progress: Progress, monkeypatch: pytest.MonkeyPatch, after: Session | None
) -> None:
    SESSION.write(layout)
    monkeypatch.setattr(command, "end", lambda *_arguments: pytest.fail("that session is another run's"))
    held, seen = threading.Event(), threading.Event()

    def other_run() -> None:
        with hold(layout.lock_file, command="./dev up local"):
            held.set()
            seen.wait(30)
            Session.file(layout).unlink()
            if after is not None:
                after.write(layout)

    other = threading.Thread(target=other_run)
    other.start()
    held.wait(30)
    trouble = command._wait(layout, SESSION, threading.Event())
    assert trouble is not None, "the servers are gone while the other run is still at work"
    assert trouble.startswith("scripted-model has died")
    seen.set()
    command._leave(layout, SESSION, trouble, progress)
    other.join(30)

    assert Session.read(layout) == after


def test_a_server_that_died_by_itself_is_told_and_the_session_ends(
    layout: Layout, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    SESSION.write(layout)
    good = machine(monkeypatch)
    trouble = command._wait(layout, SESSION, threading.Event())

    with pytest.raises(EnvironmentProblem, match="has died; its log is"):
        command._leave(layout, SESSION, trouble, progress)

    assert good.done == ["plain local"]
    assert Session.read(layout) is None
