"""claude-code-router as `setup ccr --print` prints it: Claude Code works behind it, no file of the user's changes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from embedded.layout import Layout
from embedded.lock import hold
from onprem_agents.agents.ccr import CCR, PORT
from onprem_agents.setup.printed import printed
from tests.agents.scenarios import CREATE
from tests.unit.contract_samples import CONTRACT, contract

KEY = "onprem-0123456789-the-key-of-alice"
_LIMIT_SECONDS = 240
_USERS = {".claude/settings.json": '{"theme": "dark"}\n', ".codex/config.toml": 'model = "mine"\n'}
_CLAUDE = 'claude -p "$TASK" --output-format json --permission-mode acceptEdits'


@pytest.fixture(scope="module")
def ccr() -> Path:
    """The router's program; its package brings all that it needs."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing: install Node.js 20 or later")
    layout = Layout.default()
    folder = layout.cache / "agents" / f"ccr-{CCR.version}"
    program = folder / "node_modules" / ".bin" / "ccr"
    with hold(layout.cache / "agents" / "lock", command="installing the router", wait_seconds=_LIMIT_SECONDS):
        if not program.exists():
            folder.mkdir(parents=True, exist_ok=True)
            words = ("install", "--prefix", str(folder), "--ignore-scripts", f"{CCR.package}@{CCR.version}")
            done = subprocess.run([npm, *words], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    return program


@contextlib.contextmanager
def running(port: int, *command: str, env: dict[str, str]) -> Iterator[None]:
    """Run a server until the end of the block; it is there when its port answers."""
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        try:
            end = time.monotonic() + _LIMIT_SECONDS
            while not _answers(port):
                assert server.poll() is None, server.communicate()[0]
                assert time.monotonic() < end, "nothing listens"
                time.sleep(0.2)
            yield
        finally:
            server.terminate()
            server.communicate(timeout=_LIMIT_SECONDS)


def _answers(port: int) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return bool(httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code)
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def laid_out(home: Path, port: int, model_port: int) -> Path:
    """Write what is printed where it belongs, for these ports, and return the lines for the shell."""
    for name, text in (*_USERS.items(), (".config/onprem/key", f"{KEY}\n")):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    config, lines = printed(contract(), CCR)
    for file, path in ((config, home / config.path_hint.removeprefix("~/")), (lines, home / "env.sh")):
        path.parent.mkdir(parents=True, exist_ok=True)
        text = file.content.replace(CONTRACT["baseUrl"], f"http://127.0.0.1:{model_port}/v1")
        path.write_text(text.replace(str(PORT), str(port)))
    (home / "repository").mkdir()
    return home / "env.sh"


def test_claude_code_works_behind_the_router_and_no_file_of_the_users_changes(
    ccr: Path, clis: Path, tmp_path: Path
) -> None:
    home, record, port, model_port = tmp_path / "home", tmp_path / "record", free_port(), free_port()
    lines = laid_out(home, port, model_port)
    path = os.pathsep.join([str(clis), str(ccr.parent), os.environ["PATH"]])
    env = {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "TASK": CREATE}
    model = [sys.executable, "-m", "scripted_model", "--port", str(model_port), "--record", str(record)]
    served = [word for role in CONTRACT["roles"] for word in ("--model", f"{role['model']}=131072")]
    router = f". {lines}; HOME=~/.config/onprem/ccr exec ccr start"

    with (
        running(model_port, *model, *served, env=dict(os.environ)),
        running(port, "bash", "-c", router, env=env),
    ):
        refused = httpx.post(f"http://127.0.0.1:{port}/v1/messages", json={}, trust_env=False)
        done = subprocess.run(
            ["bash", "-c", f". {lines}; {_CLAUDE}"],
            env=env,
            cwd=home / "repository",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )

    assert refused.status_code == httpx.codes.UNAUTHORIZED
    assert (home / "repository" / "hello.txt").read_text().strip() == "hi", done.stdout + done.stderr
    came = [line for line in map(json.loads, record.read_text().splitlines()) if line["method"] == "POST"]
    assert {line["path"] for line in came} == {"/v1/chat/completions"}
    assert all("thinking_token_budget" in line["request"]["fields"] for line in came)
    assert {name: (home / name).read_text() for name in _USERS} == _USERS
