"""Makes `.venv` from `requirements.lock`; run by `./dev` before anything is installed, so on bare Python.

Nothing happens while `.venv` fits the lock file. An interrupted installation is done again from the start,
and a second run waits for the first.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VENV = CHECKOUT / ".venv"
LOCK = CHECKOUT / "requirements.lock"
PROJECT = CHECKOUT / "pyproject.toml"
LOG = VENV / "install.log"
DONE = VENV / "installed.json"


def main() -> int:
    """Return 0 once `.venv` is complete, 1 after a sentence that says why it is not."""
    if _installed() == _wanted():
        return 0
    with LOCK.open("rb") as handle:  # the file to lock that is there before everything else
        if not _try_lock(handle.fileno()):
            _say("waiting for another ./dev that installs Python packages")
            fcntl.flock(handle, fcntl.LOCK_EX)
        installed, wanted = _installed(), _wanted()
        if installed == wanted:
            return 0
        try:
            if installed.get("lock") != wanted["lock"]:
                _say("installing Python packages into .venv (once, about 20 s)")
                _make_environment()
                _pip("install", "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK))
            _pip("install", "--no-deps", "--no-build-isolation", "-e", str(CHECKOUT))
        except subprocess.CalledProcessError as failure:
            _say(_explain(failure))
            return 1
        DONE.write_text(json.dumps(wanted), encoding="utf-8")
    return 0


def _wanted() -> dict[str, str]:
    return {
        "lock": hashlib.sha256(LOCK.read_bytes()).hexdigest(),
        "project": hashlib.sha256(PROJECT.read_bytes()).hexdigest(),
        "folder": str(CHECKOUT),
    }


def _installed() -> dict[str, str]:
    try:
        found = json.loads(DONE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    moved = not isinstance(found, dict) or found.get("folder") != str(CHECKOUT)
    return {} if moved else found


def _make_environment() -> None:
    DONE.unlink(missing_ok=True)
    base = getattr(sys, "_base_executable", sys.executable)
    subprocess.run(
        [base, "-m", "venv", "--clear", str(VENV)],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _pip(*arguments: str) -> None:
    with LOG.open("a", encoding="utf-8") as log:
        subprocess.run(
            [
                str(VENV / "bin" / "python"),
                "-m",
                "pip",
                "--disable-pip-version-check",
                "--no-input",
                *arguments,
            ],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _explain(failure: subprocess.CalledProcessError) -> str:
    if "venv" in failure.cmd:
        told = failure.stdout.decode(errors="replace").strip().splitlines()
        hint = " (on Debian and Ubuntu: install python3-venv)" if "ensurepip" in str(told) else ""
        return f"cannot make the virtual environment {VENV}{hint}: {told[-1] if told else failure}"
    text = LOG.read_text(encoding="utf-8", errors="replace")
    if "No space left on device" in text:
        return f"the disk is full; free some space and run the command again. Log: {LOG}"
    if "HASHES" in text and "DO NOT MATCH" in text:
        return f"a downloaded package is not the one in requirements.lock; it was not installed. Log: {LOG}"
    unreachable = ("Connection", "Retrying", "Temporary failure", "timed out", "Could not find a version")
    if any(sign in text for sign in unreachable):
        return (
            "Python packages cannot be downloaded: check the network, or point pip at your own index "
            f"(PIP_INDEX_URL). Log: {LOG}"
        )
    lines = [line for line in text.splitlines() if "error" in line.lower()]
    return f"installing Python packages failed: {lines[-1].strip() if lines else failure}. Log: {LOG}"


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _say(text: str) -> None:
    print(f"./dev: {text}", file=sys.stderr, flush=True)  # noqa: T201 - the only voice before packages are there


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
