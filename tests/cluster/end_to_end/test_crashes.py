"""Killed, interrupted, robbed of a process: the next `./dev up` converges and says what it repaired."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time

import pytest

from onprem_agents.stack.settings import PROJECT
from tests.cluster.end_to_end.checkout import Checkout
from tests.cluster.looking import PROCESSES

# ONPREM_KILLS=20 kills the engine more often; the moments come from the seed.
_KILLS = int(os.environ.get("ONPREM_KILLS", "5"))
_RANDOM = random.Random(20261124)  # noqa: S311 - moments, not secrets
# Seconds after the engine began; an update from nothing lasts about four on two idle cores.
_MOMENTS = [round(_RANDOM.uniform(0.0, 4.5), 2) for _ in range(_KILLS)]


def _wait_for_engine(checkout: Checkout, run: subprocess.Popen[str]) -> int:
    """Return the pid of `pulumi up` once the run has started it."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for pid, command in checkout.processes().items():
            if "/pulumi up " in command:
                return pid
        assert run.poll() is None, run.communicate()[0]
        time.sleep(0.02)
    raise AssertionError("the engine was not started within two minutes")


def _end_of(run: subprocess.Popen[str]) -> str:
    """Wait for the end of a run and return what it said."""
    return run.communicate(timeout=60)[0]


def _interrupt(run: subprocess.Popen[str]) -> None:
    """Send what Ctrl-C sends and insist on a quiet end with its exit code."""
    run.send_signal(signal.SIGINT)
    text = _end_of(run)
    assert run.returncode == 130, text
    assert "Traceback" not in text


def _engine_processes(checkout: Checkout) -> dict[int, str]:
    """Return the engine with its plugins: whatever runs for the copy besides cluster and `./dev`."""
    cluster = f"{checkout.layout.cluster}/"
    return {
        pid: command
        for pid, command in checkout.processes().items()
        if "pulumi" in command and cluster not in command
    }


def _kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _nothing_left(checkout: Checkout, *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while left := _engine_processes(checkout):
        assert time.monotonic() < deadline, f"still running after {seconds:g} s: {left}"
        time.sleep(0.1)


def _locked(checkout: Checkout) -> bool:
    locks = checkout.layout.pulumi_backend / ".pulumi" / "locks" / "organization" / PROJECT / "local"
    return any(locks.glob("*.json"))


def _converged(checkout: Checkout) -> None:
    """Insist that stack and cluster agree, that everything is ready and nothing there twice."""
    status = checkout.status()
    assert status["inferenceServices"] == [{"name": "coder", "ready": True}]
    assert len(status["pods"]) == 1
    assert (status["gateway"]["accepted"], status["gateway"]["programmed"]) == (True, True)
    names = [part["name"] for part in status["parts"] if part["pid"] is not None]
    assert sorted(names) == sorted(PROCESSES), "each part once"
    state = checkout.state()
    urns = [resource["urn"] for resource in state["resources"]]
    assert len(urns) == len(set(urns))
    assert not state.get("pending_operations")
    same = checkout.pulumi("preview", "--refresh", "--stack", "local", "--expect-no-changes")
    assert same.code == 0, same.text


def _give_work(checkout: Checkout, *, from_nothing: bool) -> None:
    """Leave the engine something to do: everything, or a change of servers, routes and policies."""
    if from_nothing:
        gone = checkout.pulumi("destroy", "--yes", "--skip-preview", "--stack", "local")
        assert gone.code == 0, gone.text
        return
    platform = checkout.platform()
    longest = platform.get("timeouts", {}).get("longestTurnSeconds", 600)
    platform["timeouts"] = {"longestTurnSeconds": 600 if longest != 600 else 660}
    checkout.write_stack("local", platform)


@pytest.mark.parametrize("number", range(_KILLS))
def test_after_the_engine_was_killed_at_a_random_moment_the_next_up_converges(
    local: Checkout, number: int
) -> None:
    _give_work(local, from_nothing=number % 2 == 0)
    with local.running("up") as run:
        engine = _wait_for_engine(local, run)
        time.sleep(_MOMENTS[number])
        # In turn: the engine alone, with its plugins, and with `./dev up` itself.
        others = [pid for pid in _engine_processes(local) if pid != engine] if number % 3 else []
        _kill([engine, *others, *([run.pid] if number % 3 == 2 else [])])
        text = _end_of(run)

    _nothing_left(local)
    locked = _locked(local)
    if number % 3 < 2 and locked:  # the runs that outlived their engine
        assert "pulumi up was killed by signal 9" in text
    again = local.up()
    assert ("repaired: removed the lock of an update that was killed" in again.text) is locked
    _converged(local)


def test_what_the_state_never_heard_of_is_taken_over_and_can_be_changed(local: Checkout) -> None:
    # What a kill between the API server's answer and the next save of the state leaves; an import would drop it.
    file = local.layout.pulumi_backend / ".pulumi" / "stacks" / PROJECT / "local.json"
    state = json.loads(file.read_text())
    deployment = state["checkpoint"]["latest"]
    cut = [entry for entry in deployment["resources"] if entry["type"].endswith(":BackendTrafficPolicy")]
    begun = [{key: value for key, value in entry.items() if key not in {"id", "outputs"}} for entry in cut]
    deployment["resources"] = [entry for entry in deployment["resources"] if entry not in cut]
    deployment["pending_operations"] = [{"type": "creating", "resource": entry} for entry in begun]
    file.write_text(json.dumps(state))
    _give_work(local, from_nothing=False)  # their timeouts are another manager's by now

    done = local.up()

    assert cut
    assert done.text.count("repaired: took over BackendTrafficPolicy") == len(cut)
    _converged(local)


def test_a_state_file_cut_off_in_the_middle_of_its_writing_is_mended(local: Checkout) -> None:
    # What a kill between two steps of one write leaves: empty attributes, and a draft of the next state.
    folder = local.layout.pulumi_backend / ".pulumi" / "stacks" / PROJECT
    (folder / "local.json.attrs").write_bytes(b"")
    draft = folder / "local.json.18eaf170c15480e2.tmp"
    draft.write_bytes((folder / "local.json").read_bytes()[:65536])
    assert "EOF" in local.pulumi("stack", "ls").text, "the engine itself cannot go on from there"

    done = local.up()

    assert "repaired: removed local.json.attrs" in done.text
    assert not draft.exists()
    _converged(local)


# Two at a time; the tests of the bare cluster kill each alone.
_VICTIMS = [
    ("etcd", "kube-scheduler"),
    ("kube-apiserver", "envoy"),
    ("kube-controller-manager", "envoy-gateway"),
    ("kwok", "kserve-manager"),
]


@pytest.mark.parametrize("victims", _VICTIMS, ids="-and-".join)
def test_up_repairs_killed_parts_of_the_cluster_and_says_so(
    local: Checkout, victims: tuple[str, str]
) -> None:
    pids = {part["name"]: part["pid"] for part in local.status()["parts"]}
    _kill([pids[victim] for victim in victims])

    done = local.up()

    status = local.status()
    after = {part["name"]: part["pid"] for part in status["parts"]}
    for victim in victims:
        said = "Envoy had died" if victim == "envoy" else f"{victim} had died"
        assert f"repaired: {said}" in done.text
        assert after[victim] not in {None, pids[victim]}
    assert status["inferenceServices"] == [{"name": "coder", "ready": True}]
    assert len(status["pods"]) == 1
    assert sorted(part["name"] for part in status["parts"] if part["pid"]) == sorted(PROCESSES)


def test_ctrl_c_while_the_cluster_starts_leaves_nothing_running(local: Checkout) -> None:
    assert local.dev("down").code == 0
    with local.running("up") as run:
        deadline = time.monotonic() + 60
        while not any("kube-apiserver" in command for command in local.processes().values()):
            assert time.monotonic() < deadline, "the cluster does not start"
            time.sleep(0.05)

        _interrupt(run)

    assert local.processes() == {}
    local.up()
    _converged(local)


def test_ctrl_c_during_the_update_ends_engine_and_cluster_of_this_run(local: Checkout) -> None:
    _give_work(local, from_nothing=False)
    assert local.dev("down").code == 0
    with local.running("up") as run:
        _wait_for_engine(local, run)
        time.sleep(1.5)

        _interrupt(run)

    assert local.processes() == {}
    local.up()
    _converged(local)


def test_ctrl_c_during_the_update_leaves_a_cluster_that_ran_before(local: Checkout) -> None:
    _give_work(local, from_nothing=False)
    before = {part["name"]: part["pid"] for part in local.status()["parts"] if part["pid"]}
    with local.running("up") as run:
        _wait_for_engine(local, run)
        time.sleep(1.0)

        _interrupt(run)

    _nothing_left(local)
    assert {part["name"]: part["pid"] for part in local.status()["parts"] if part["pid"]} == before
    local.up()
    _converged(local)
