"""claude-code-router as `setup ccr --print` prints it: Claude Code works behind each release, in an empty home.

3.1.1 is installed as npm does it, or without the two packages that its registry does not serve (routers.py says which).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded.layout import Layout
from onprem_agents.agents.ccr import CCR, OWN_HOME, PORT
from onprem_agents.setup.printed import printed
from tests.agents import closed_network
from tests.agents.scenarios import CREATE
from tests.gateway.routers import ROUTERS, Router, installed
from tests.unit.contract_samples import CONTRACT, contract

KEY = "onprem-0123456789-the-key-of-alice"
_LIMIT_SECONDS = 240
# What 3.1.1 takes over unless told not to: Claude Code's, Codex's and Claude Desktop's (2026-11-28).
_USERS = {
    ".claude/settings.json": b'{"theme": "dark"}\r\n',
    ".codex/config.toml": b'model = "mine"  # and a comment',
    ".config/Claude-3p/claude_desktop_config.json": b'{\t"mcpServers": {}}\n',
}
# The user's shell: the router is started, asked without a key until it answers, and Claude Code works behind it; then
# all of it once more, with another file.
_SCRIPT = """\
. ~/env.sh
ask='fetch("http://127.0.0.1:@PORT@/v1/messages", {method: "POST", body: "{}"}).then((r) => console.log(r.status))'
session() {
  (HOME=@HOME@ exec @START@) >> @HOME@/printed 2>&1 &
  until node -e "$ask" 2> /dev/null > ~/without-key; do
    kill -0 $! || { cat @HOME@/printed; exit 70; }
    sleep 0.2
  done
  claude -p "$TASK" --output-format json --permission-mode acceptEdits || exit
  kill $!
  wait $! || true
}
session
rm -f @HOME@/.claude-code-router/config.sqlite*
mv ~/another.json @HOME@/.claude-code-router/config.json
session
"""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A home after Claude Code did its task in it twice behind a router, and what came to the model meanwhile.

    `looked_for` lists what was asked for outside; nothing where this machine lets us make no closed network.
    """

    router: Router
    home: Path
    said: str
    came: tuple[dict[str, Any], ...]
    looked_for: frozenset[str] | None

    @property
    def router_home(self) -> Path:
        return self.home / OWN_HOME.removeprefix("~/")

    def kept(self, text: str) -> list[str]:
        """Return the files in the router's home that hold a text."""
        files = [path for path in self.router_home.rglob("*") if path.is_file()]
        assert files
        return [
            str(path.relative_to(self.router_home)) for path in files if text.encode() in path.read_bytes()
        ]


@pytest.fixture(scope="module", params=ROUTERS, ids=lambda router: router.version)
def session(request: pytest.FixtureRequest, clis: Path, tmp_path_factory: pytest.TempPathFactory) -> Session:
    router: Router = request.param
    found = installed(router, Layout.default(), clis)
    plugins = request.config.pluginmanager
    with plugins.getplugin("capturemanager").global_and_fixture_disabled():
        plugins.getplugin("terminalreporter").write_line(f"\n{found.how}")
    folder = tmp_path_factory.mktemp("router")
    home, record, port, model_port = folder / "home", folder / "record", free_port(), free_port()
    lay_out(home, port, model_port)
    path = os.pathsep.join([str(clis), str(found.programs), os.environ["PATH"]])
    script = _SCRIPT.replace("@HOME@", OWN_HOME).replace("@START@", router.start).replace("@PORT@", str(port))
    with running_model(model_port, record), within(model_port, folder) as (words, asked):
        said = run([*words, "bash", "-c", script], home, {"PATH": path, "LANG": "C.UTF-8", "TASK": CREATE})
    came = [json.loads(line) for line in record.read_text().splitlines()]
    return Session(
        router=router,
        home=home,
        said=said,
        came=tuple(line for line in came if line["method"] == "POST"),
        looked_for=None if asked is None else frozenset(asked.read_text().split()),
    )


def lay_out(home: Path, port: int, model_port: int) -> None:
    """Write what is printed where it belongs, for these ports, beside the files that the user has."""
    for name, content in (*_USERS.items(), (".config/onprem/key", f"{KEY}\n".encode())):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    config, lines = printed(contract(), CCR)
    another, _ = printed(contract("roles", 0, "thinking", value=None), CCR)
    own = home / config.path_hint.removeprefix("~/")
    for file, path in ((config, own), (another, home / "another.json"), (lines, home / "env.sh")):
        path.parent.mkdir(parents=True, exist_ok=True)
        text = file.content.replace(CONTRACT["baseUrl"], f"http://127.0.0.1:{model_port}/v1")
        path.write_text(text.replace(str(PORT), str(port)))
    (home / "repository").mkdir()


@contextlib.contextmanager
def within(port: int, folder: Path) -> Iterator[tuple[list[str], Path | None]]:
    """Yield the words to put before a command that is to see the model alone, where this machine has such."""
    if not closed_network.is_possible():
        yield [], None
        return
    with closed_network.around(port, folder) as (words, asked):
        yield words, asked


def run(command: list[str], home: Path, variables: dict[str, str]) -> str:
    """Run it in that home and return what it said; nothing that it started outlives it."""
    with subprocess.Popen(
        command,
        cwd=home / "repository",
        env={"HOME": str(home), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said = process.communicate(timeout=_LIMIT_SECONDS)[0]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said
    return said


@contextlib.contextmanager
def running_model(port: int, record: Path) -> Iterator[None]:
    """Serve the scripted model until the end of the block."""
    served = [word for role in CONTRACT["roles"] for word in ("--model", f"{role['model']}=131072")]
    words = [sys.executable, "-m", "scripted_model", "--port", str(port), "--record", str(record), *served]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
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


def test_claude_code_edits_a_file_behind_the_router(session: Session) -> None:
    file = session.home / "repository" / "hello.txt"
    assert file.exists(), session.said
    assert file.read_text().strip() == "hi"


def test_the_router_asks_for_the_key(session: Session) -> None:
    assert (session.home / "without-key").read_text().strip() == str(httpx.codes.UNAUTHORIZED.value)


def test_the_model_is_asked_for_chat_completions_alone_and_counts_tokens_where_told(session: Session) -> None:
    assert {line["path"] for line in session.came} == {"/v1/chat/completions"}
    assert {line["status"] for line in session.came} == {httpx.codes.OK.value}
    asked = {"stream_options" in line["request"]["fields"] for line in session.came}
    assert asked == {session.router.asks_for_usage}


def test_requests_keep_to_the_thinking_of_the_file_and_to_another_files_once_it_is_there(
    session: Session,
) -> None:
    bounded = ["thinking_token_budget" in line["request"]["fields"] for line in session.came]
    assert set(bounded) == {True, False}
    assert bounded == sorted(bounded, reverse=True), "the first file has a budget, the other has none"


def test_no_file_of_the_users_changes_and_no_agent_is_taken_over(session: Session) -> None:
    assert {name: (session.home / name).read_bytes() for name in _USERS} == _USERS
    # 2.0.0 writes a .claude.json where there is none.
    left = {path.name for path in session.router_home.iterdir()}
    assert left - {".claude.json"} == {".claude-code-router", "printed"}


def test_no_prompt_stays_in_the_routers_home(session: Session) -> None:
    assert session.kept(CREATE) == []


def test_the_file_and_the_key_are_kept_as_the_release_does(session: Session) -> None:
    database = session.router.database
    assert (session.router_home / ".claude-code-router" / "config.json").exists() == (database is None)
    assert {Path(name).name.partition("-")[0] for name in session.kept(KEY)} == {database} - {None}


def test_nothing_but_the_model_is_asked_for(session: Session) -> None:
    if session.looked_for is None:
        pytest.skip("unshare and ip are missing, or may make no network here")
    assert session.looked_for == frozenset()
