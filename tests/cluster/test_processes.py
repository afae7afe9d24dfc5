"""How one child process is started, found again and stopped, with everything that it started itself."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded.ports import LOOPBACK, Ports, is_free
from embedded.process import Process
from onprem_agents.errors import EnvironmentProblem

pytestmark = pytest.mark.cluster

SLEEP = "import time; time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEP}"
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); time.sleep(60)"

Make = Callable[..., Process]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Process] = []

    def build(code: str, *, name: str = "child", env: dict[str, str] | None = None) -> Process:
        process = Process(
            name=name,
            argv=(sys.executable, "-c", code),
            pid_file=tmp_path / f"{name}.pid",
            log=tmp_path / f"{name}.log",
            env=env or {},
        )
        made.append(process)
        return process

    yield build
    for process in made:
        process.stop(0.5)


def wait_for(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not check():
        assert time.monotonic() < deadline, "nothing happened within 10 s"
        time.sleep(0.02)


def test_a_started_process_is_found_again_by_another_run(make: Make) -> None:
    pid = make(SLEEP).start()

    again = make(SLEEP)

    assert again.pid() == pid
    assert again.as_wanted()
    assert os.getsid(pid) == pid, "a session of its own keeps the terminal's Ctrl-C away from it"


def test_other_arguments_or_environment_make_it_no_longer_the_wanted_one(make: Make) -> None:
    make(SLEEP).start()

    assert not make(SLEEP + " ").as_wanted()
    assert not make(SLEEP, env={"PORT": "1"}).as_wanted()


def test_a_recycled_pid_is_not_taken_for_ours(make: Make, tmp_path: Path) -> None:
    (tmp_path / "child.pid").write_text(f'{{"pid": {os.getpid()}, "started": 1, "digest": ""}}')
    process = make(SLEEP)

    assert process.was_started()
    assert not process.alive()
    process.stop(0.5)  # must not end this test run


def test_a_child_that_lost_its_environment_is_a_member_until_it_ends(make: Make) -> None:
    """Linux drops a process's memory, environment included, some time before the process has ended."""
    bare = f"import os, sys; os.execve(sys.executable, [sys.executable, '-c', {SLEEP!r}], {{}})"
    process = make(bare)
    pid = process.start()
    wait_for(lambda: not Path(f"/proc/{pid}/environ").read_bytes())

    assert process.alive()
    assert [member.pid for member in process.members()] == [pid]

    process.stop(0.5)

    assert not process.alive()
    assert process.members() == []


def test_a_killed_process_is_seen_as_dead(make: Make) -> None:
    process = make(SLEEP)
    pid = process.start()

    os.kill(pid, signal.SIGKILL)

    wait_for(lambda: not process.alive())
    assert process.was_started()


def test_stop_ends_children_of_children_even_when_the_parent_was_killed(make: Make) -> None:
    process = make(PARENT)
    pid = process.start()
    wait_for(lambda: len(process.members()) == 2)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not process.alive())
    assert len(process.members()) == 1

    process.stop(2)

    assert process.members() == []
    assert not process.was_started()


def test_a_process_is_found_and_stopped_even_without_its_pid_file(make: Make, tmp_path: Path) -> None:
    process = make(SLEEP)
    process.start()
    (tmp_path / "child.pid").unlink()  # as if the starting run had been killed just before writing it

    process.stop(2)

    assert process.members() == []


def test_one_that_ignores_the_polite_signal_is_killed_after_the_grace_time(make: Make) -> None:
    process = make(DEAF)
    process.start()
    wait_for(lambda: "deaf" in process.log.read_text())
    started = time.monotonic()

    process.stop(0.5)

    assert not process.alive()
    assert 0.5 <= time.monotonic() - started < 5


def test_a_process_that_dies_early_is_reported_with_its_last_words_and_its_log(make: Make) -> None:
    process = make("import sys; sys.exit('no such disk')")
    process.start()

    with pytest.raises(EnvironmentProblem, match="no such disk") as caught:
        process.wait_until(lambda: False, timeout_seconds=10, what="ready")

    assert str(process.log) in str(caught.value)
    assert "child ended before it was ready" in str(caught.value)


def test_a_wait_has_a_limit_and_names_the_log(make: Make) -> None:
    process = make(SLEEP)
    process.start()

    with pytest.raises(EnvironmentProblem, match=r"not ready within 0\.2 s") as caught:
        process.wait_until(lambda: False, timeout_seconds=0.2, what="ready")

    assert str(process.log) in str(caught.value)


def test_a_missing_binary_is_one_sentence(tmp_path: Path) -> None:
    process = Process(name="etcd", argv=("/nowhere/etcd",), pid_file=tmp_path / "p", log=tmp_path / "l")

    with pytest.raises(EnvironmentProblem, match=r"etcd cannot be started: .*/nowhere/etcd"):
        process.start()


def test_secrets_of_the_starting_shell_do_not_reach_the_child(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "canary")

    pid = make(SLEEP).start()

    assert b"canary" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_ports_are_remembered_between_runs(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json")["etcd"]

    assert Ports(tmp_path / "ports.json")["etcd"] == first
    assert is_free(first)


def test_a_port_that_another_program_took_is_replaced_and_named(tmp_path: Path) -> None:
    import socket

    ports = Ports(tmp_path / "ports.json")
    old = ports["etcd"]
    with socket.socket() as other:
        other.bind((LOOPBACK, old))
        other.listen()

        notes = ports.replace_taken(["etcd"])

    assert ports["etcd"] != old
    assert notes == [f"port {old} (etcd) is in use by another program; using {ports['etcd']} instead"]
