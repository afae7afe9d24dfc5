"""The real agents in homes full of leftovers, set up for a scripted model on loopback and in a closed network.

Whom each asks is seen by what arrived and by what was looked for outside, so that the doctor's verdicts of the same
homes (tests/unit/test_leftover_homes.py) are known to be true. Where setup alone does it, nothing but the model was
asked; where it cannot, the doctor says so, and its fix does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripted_model.http import serve
from scripted_model.record import Record, fingerprint
from scripted_model.server import ScriptedModel
from tests.agents import closed_network
from tests.agents.leftovers import ELSEWHERE, HOMES, KEY, Laid, LeftoverHome
from tests.agents.machine import LIMIT_SECONDS, UNATTENDED
from tests.expected_agents import EXPECTED
from tests.unit.contract_samples import CONTRACT

SIDE_BY_SIDE = max(2, os.cpu_count() or 2)
_TASK = "create hello.txt containing the word hi"
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a run came to: the requests that our server was sent, the places outside, and what the agent printed."""

    came: list[dict[str, Any]]
    outside: set[str]
    done: bool
    text: str

    @property
    def keys(self) -> set[str]:
        """The fingerprints of all keys that came, without the word before them."""
        names = ("authorization", "x-api-key")
        return {
            line["headers"][name].split()[-1]
            for line in self.came
            for name in names
            if name in line["headers"]
        }


def _until_seen(home: LeftoverHome, seen: Callable[[], Seen]) -> bool:
    """Tell whether enough was seen; to go on after a request elsewhere would be retries alone."""
    return home.asked == "elsewhere" and ELSEWHERE in seen().outside


def _run(laid: Laid, clis: Path, *, mended: bool) -> Seen:
    """Run the agent once, at most until it has asked elsewhere where that is expected."""
    home, record = laid.home, laid.folder / f"record-{mended}.jsonl"
    with _model(record) as port, closed_network.around(port, laid.folder) as (within, asked):
        asked.write_text("")
        before = laid.point_at(f"http://127.0.0.1:{port}")
        output = laid.folder / f"output-{mended}"
        machine = laid.machine(mended=mended)
        environment = {
            "HOME": str(machine.home),
            "LANG": "C.UTF-8",
            "TASK": _TASK,
            "PWD": str(machine.project),
            "PATH": os.pathsep.join([str(clis), os.environ["PATH"]]),
            **machine.variables,
        }

        def seen() -> Seen:
            lines = record.read_text().splitlines() if record.exists() else []
            hello = machine.project / "hello.txt"
            return Seen(
                came=[json.loads(line) for line in lines],
                outside=set(asked.read_text().split()),
                done=hello.exists() and hello.read_text().strip() == "hi",
                text=output.read_text(errors="replace")[-2000:],
            )

        with output.open("wb") as file:
            process = subprocess.Popen(
                [*within, "bash", "-c", f". ~/.bashrc; {UNATTENDED[home.agent]}"],
                cwd=machine.project,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + LIMIT_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if not mended and _until_seen(home, seen):
                break
            time.sleep(_LOOK_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        laid.point_back(before)
        return seen()


@contextlib.contextmanager
def _model(record: Path) -> Iterator[int]:
    """Serve a scripted model on a free port of loopback."""
    loop = asyncio.new_event_loop()
    served = {role["model"]: role["contextTokens"] for role in CONTRACT["roles"]}
    model = ScriptedModel(served, Record(record))
    server = loop.run_until_complete(serve("127.0.0.1", 0, model))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()


def _both(home: LeftoverHome, clis: Path, folder: Path) -> tuple[Seen, Seen]:
    """Return what was seen after setup, and what after the doctor's fix (the same where none is needed)."""
    laid = Laid(home=home, folder=folder / home.name)
    laid.lay_out()
    laid.set_up()
    first = _run(laid, clis, mended=False)
    if not home.mend:
        return first, first
    laid.mend()
    (laid.machine().project / "hello.txt").unlink(missing_ok=True)
    return first, _run(laid, clis, mended=True)


@pytest.fixture(scope="module")
def runs(
    clis: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[str, Future[tuple[Seen, Seen]]]]:
    """Every home that a test was chosen for, at work beside others; a test waits for its own."""
    if not closed_network.is_possible():
        pytest.skip(closed_network.MISSING)
    folder = tmp_path_factory.mktemp("homes")
    names = {each.name for each in request.session.items}
    chosen = [home for home in HOMES if any(f"[{home.name}]" in name for name in names)]
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    yield {home.name: pool.submit(_both, home, clis, folder) for home in chosen}
    pool.shutdown(cancel_futures=True)  # those of tests that an interrupt or `-x` left out


@pytest.mark.parametrize("home", HOMES, ids=[home.name for home in HOMES])
def test_an_agent_asks_whom_the_doctor_says(
    home: LeftoverHome, runs: dict[str, Future[tuple[Seen, Seen]]]
) -> None:
    first, last = runs[home.name].result()
    known = set(EXPECTED[home.agent].looks_for)

    match home.asked:
        case "ours":
            assert first.came, first.text
            assert first.outside <= known, first.text
        case "elsewhere":
            assert ELSEWHERE in first.outside, first.text
        case "nobody":
            assert not first.came, first.text
            assert first.outside <= known, first.text
    offered = {
        name for line in (*first.came, *last.came) for name in (line["request"] or {}).get("tools") or ()
    }
    assert not offered & set(EXPECTED[home.agent].withheld)
    assert last.done, last.text
    assert last.outside <= known, "nothing but our server was asked"
    assert last.keys == {fingerprint(KEY.value)}, "and with our key alone"
