"""A build that is cut off, by Ctrl-C or because another failed, leaves no process and no binary."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded.layout import Layout
from embedded.toolchain import build, present, provision
from onprem_agents.errors import EnvironmentProblem
from tests.toolchain.conftest import Shown

# Nothing listens on the discard port of loopback.
NOWHERE = "http://127.0.0.1:9"
Calls = Callable[[], list[str]]


def test_one_failed_build_ends_the_others_and_is_told_at_once(
    layout: Layout, shown: Shown, go_calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_compiling", threading.BoundedSemaphore(2))
    started = tmp_path / "started"
    fails = f"while ! [ -e {started} ]; do sleep 0.05; done; echo 'cannot find main module'; exit 1"
    lasts = f"echo $$ > {started}.part; mv {started}.part {started}; sleep 60"
    monkeypatch.setenv(
        "ONPREM_FAKE_GO_BUILD", f'case "$PWD" in */work/kserve/*) {fails} ;; *) {lasts} ;; esac'
    )

    began = time.monotonic()
    with pytest.raises(EnvironmentProblem, match="cannot find main module"):
        provision(layout, ["etcd", "kserve-manager"], shown.progress, site=NOWHERE)
    seconds = time.monotonic() - began

    assert seconds < 30, "the other build would last 60 s"
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text(encoding="utf-8")), 0)
    assert "interrupted after" in shown.text

    monkeypatch.delenv("ONPREM_FAKE_GO_BUILD")
    assert set(provision(layout, ["etcd", "kserve-manager"], shown.progress, site=NOWHERE)) == {
        "etcd",
        "kserve-manager",
    }, "the next run builds"
    assert go_calls().count("build") == 4


@pytest.mark.usefixtures("go_calls")
def test_an_interrupted_build_leaves_neither_a_process_nor_a_binary(layout: Layout, tmp_path: Path) -> None:
    started = tmp_path / "started"
    program = (
        "import sys; from pathlib import Path; from embedded.layout import Layout\n"
        "from embedded.progress import Progress; from embedded.toolchain import provision\n"
        "root = Path(sys.argv[1])\n"
        "layout = Layout(checkout=root, state=root / 'state', cache=root / 'cache')\n"
        "provision(layout, ['kserve-manager'], Progress())\n"
    )
    build_step = f"echo $$ > {started}.part; mv {started}.part {started}; sleep 60"
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "ONPREM_FAKE_GO_BUILD": build_step, "PYTHONPATH": os.getcwd()},  # noqa: PTH109
        stderr=subprocess.DEVNULL,
    )
    try:
        _until(started.exists)
        child.send_signal(signal.SIGINT)
        child.wait(timeout=15)
    finally:
        child.kill()
        child.wait()

    compiler = int(started.read_text(encoding="utf-8"))
    with pytest.raises(ProcessLookupError):
        os.kill(compiler, 0)
    assert present(layout, ["kserve-manager"]) == {}


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline, "not reached within 10 s"
        time.sleep(0.05)
