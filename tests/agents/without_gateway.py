"""The scripted model alone on loopback, and homes that are set up for it: for tests in which no gateway matters."""

from __future__ import annotations

import copy
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.unit.contract_samples import CONTRACT

ROOT = Path(__file__).parents[2]
KEY_COMMAND = "echo onprem-0123456789-a-key"
_WAIT_SECONDS = 30
_SERVED = ("--model", "coder=131072", "--model", "fast=65536")


@contextmanager
def scripted_model(folder: Path, *options: str) -> Iterator[tuple[int, Path]]:
    """Run the model, and give its port and the file of a contract that leads to it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    base = f"http://127.0.0.1:{port}"
    told = copy.deepcopy(CONTRACT) | {"baseUrl": f"{base}/v1", "anthropicBaseUrl": base, "host": "127.0.0.1"}
    contract = folder / "contract.json"
    contract.write_text(json.dumps(told))
    words = [sys.executable, "-m", "scripted_model", "--port", str(port), *_SERVED, *options]
    model = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL)
    try:
        _listening(port)
        yield port, contract
    finally:
        model.terminate()
        model.wait()


def onprem_agents(*words: str, variables: Mapping[str, str], folder: Path) -> None:
    """Run `onprem-agents WORDS` of this checkout and insist that it succeeds."""
    command = [sys.executable, "-c", "from onprem_agents.cli import main; main()", *words]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**variables, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _listening(port: int) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "the scripted model does not listen"
            time.sleep(0.1)
