"""One start of vLLM: from its command until it answers, ends or time is up, and what its log says then."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from embedded.ports import LOOPBACK
from tools.verify_gpu.printed import Printed, last_error, last_words, read_log

Outcome = Literal["ready", "ended", "out of time"]
STOP_SECONDS = 20.0
"""How long a server has to end when it is asked to, and once more when it is told to."""
_STEP_SECONDS, _ANSWER_SECONDS = 1.0, 2.0
# The caches of compilation lie below these: vLLM's own, that of Inductor (else in /tmp, where the next start finds it),
# those of Triton and FlashInfer in the home.
_FOLDERS = ("HOME", "TORCHINDUCTOR_CACHE_DIR", "VLLM_CACHE_ROOT")
_WITHOUT = ("XDG_CACHE_HOME", "TRITON_CACHE_DIR", "FLASHINFER_WORKSPACE_BASE")


@dataclass(frozen=True, kw_only=True)
class Start:
    """How a start went. `seconds` is the time until it answered, or until it was over."""

    outcome: Outcome
    seconds: float
    printed: Printed
    error: str | None


def start(
    argv: Sequence[str],
    *,
    port: int,
    cache: Path,
    log: Path,
    seconds: float,
    more: Mapping[str, str] | None = None,
) -> Start:
    """Start a server, wait until it answers, and stop it. Whatever was compiled stays in the folder `cache`."""
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv,
            cwd=cache,
            env=_environment(cache, more or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            outcome = _wait(process, port, until=began + seconds)
            took = time.monotonic() - began
            lines = _lines(log) if outcome == "out of time" else []
        finally:
            _stop(process)
    # What a server prints because it is ended tells nothing of why it was not there in time.
    lines = lines or _lines(log)
    errors = {"ready": None, "ended": last_error(lines), "out of time": last_words(lines)}
    return Start(outcome=outcome, seconds=took, printed=read_log(lines), error=errors[outcome])


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()


def _environment(cache: Path, more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _WITHOUT}
    return {
        **kept,
        **dict.fromkeys(_FOLDERS, str(cache)),
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def _wait(process: subprocess.Popen[bytes], port: int, *, until: float) -> Outcome:
    while time.monotonic() < until:
        if process.poll() is not None:
            return "ended"
        if _answers(port):
            return "ready"
        time.sleep(_STEP_SECONDS)
    return "out of time"


def _answers(port: int) -> bool:
    try:
        answer = httpx.get(f"http://{LOOPBACK}:{port}/health", timeout=_ANSWER_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and the processes that it started, which are of its session."""
    for how, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        try:
            os.killpg(process.pid, how)
            process.wait(timeout=seconds)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.poll()
