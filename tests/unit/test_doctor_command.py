"""`onprem-agents doctor` and `onprem-agents setup --host` as commands: the contract's source, output, exit codes."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from onprem_agents.errors import EnvironmentProblem, InvalidInput
from onprem_agents.probes.discovery import base_address, published
from tests.unit.platform_server import KEY, Platform, platform
from tests.unit.setup_machine import new_shell


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (tmp_path / "work").mkdir()
    home.mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for name in (
        "ONPREM_API_KEY",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", "/bin:/usr/bin-none")
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def server() -> Iterator[Platform]:
    with platform() as running:
        running.contract_text = running.contract().to_json()
        yield running


def onprem(*args: str, **variables: str) -> Result:
    result = CliRunner().invoke(main, args, env=dict(variables))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_host_and_a_key_are_all_that_a_developer_needs(server: Platform, tmp_path: Path) -> None:
    host = f"http://{server.authority}"
    done = onprem("setup", "--host", host, ONPREM_API_KEY=KEY)
    assert done.exit_code == 0, done.output
    assert (
        json.loads((tmp_path / "home/.claude/settings.json").read_text())["env"]["ANTHROPIC_BASE_URL"] == host
    )
    shell = new_shell(server.contract(), key=KEY)
    found = onprem("doctor", "--json", "--root", str(tmp_path), **shell)
    data = json.loads(found.stdout)
    bad = {row["cause"] for row in data["verdicts"] if row["severity"] != "ok"}
    assert bad == {"agent-missing"}, "no agent is on this PATH, all else is well"
    assert found.exit_code == data["exitCode"] == 1
    assert KEY not in found.output


def test_the_text_names_each_fault_with_its_fix(server: Platform, tmp_path: Path) -> None:
    server.faults.add("body-limit")
    found = onprem(
        "doctor", "--host", f"http://{server.authority}", "--root", str(tmp_path), ONPREM_API_KEY=KEY
    )
    assert found.exit_code == 1
    assert "FAIL long body: HTTP 413" in found.output
    assert "     cause: body-limit\n     fix:   raise the gateway's body limit" in found.output
    assert "22 probes, 1 with a fault.\nIs the platform well?" in found.output


def test_a_platform_that_is_gone_is_told_with_exit_code_3(tmp_path: Path) -> None:
    with platform() as server:
        server.contract_text = server.contract().to_json()
        onprem("setup", "--host", f"http://{server.authority}", ONPREM_API_KEY=KEY)
    found = onprem("doctor", "--root", str(tmp_path))
    assert found.exit_code == 3
    assert "Going on with the contract of the last setup." in found.stderr
    assert "cause: refused" in found.output


@pytest.mark.parametrize("with_host", [False, True])
def test_a_fault_ends_with_whom_to_ask_as_the_last_setup_heard_it(tmp_path: Path, *, with_host: bool) -> None:
    with platform() as server:
        host = f"http://{server.authority}"
        server.contract_text = server.contract().to_json()
        onprem("setup", "--host", host, ONPREM_API_KEY=KEY)
    of_host = ("--host", host) if with_host else ()

    told = onprem("doctor", *of_host, "--root", str(tmp_path))
    as_json = onprem("doctor", *of_host, "--root", str(tmp_path), "--json")

    lines = ["Is the platform well? https://status.example.internal", "Help: #coding-agents"]
    assert told.stdout.splitlines()[-2:] == lines
    assert json.loads(as_json.stdout)["support"] == lines


def test_another_host_is_not_helped_by_the_support_of_the_last_setup(
    server: Platform, tmp_path: Path
) -> None:
    onprem("setup", "--host", f"http://{server.authority}", ONPREM_API_KEY=KEY)

    told = onprem("doctor", "--host", "http://127.0.0.1:9", "--root", str(tmp_path))

    assert (told.exit_code, "#coding-agents" in told.output) == (3, False)


def test_without_any_source_the_doctor_asks_for_one() -> None:
    found = onprem("doctor")
    assert (found.exit_code, "use --host NAME" in found.stderr) == (2, True)


@pytest.mark.parametrize("command", ["setup", "doctor"])
def test_two_sources_are_refused(command: str) -> None:
    found = onprem(command, "--host", "a.example", "--stack", "team")
    assert (found.exit_code, "give one of --host, --connection and --stack" in found.stderr) == (2, True)


@pytest.mark.parametrize(
    "host",
    [
        "http://agents.example.internal",
        "user:pw@agents.example.internal",
        "agents.example/x",
        "",
        "a b",
        "ä.example",
    ],
)
def test_what_is_no_host_name_is_refused(host: str) -> None:
    with pytest.raises(InvalidInput, match=r"give the bare name, such as agents\.example\.internal"):
        base_address(host)


def test_a_name_with_a_port_is_an_https_address() -> None:
    assert base_address("agents.example.internal:8443/") == "https://agents.example.internal:8443"


def test_a_contract_of_another_machine_is_refused(server: Platform) -> None:
    with platform() as other:
        server.contract_text = other.contract().to_json()
        with pytest.raises(InvalidInput, match="a key for it would be sent to another address"):
            published(f"http://{server.authority}")


def test_a_host_that_publishes_nothing_is_told() -> None:
    with (
        platform() as server,
        pytest.raises(EnvironmentProblem, match="HTTP 404: this host publishes no contract"),
    ):
        published(f"http://{server.authority}")


class _Strange(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind = type(self.server).__name__
        self.send_response(302 if kind == "Redirecting" else 200)
        if kind == "Redirecting":
            self.send_header("location", "https://evil.example/contract.json")
        self.end_headers()
        try:
            for _ in range(4000 if kind == "Endless" else 0):
                self.wfile.write(b" " * 65536)
            Endless.came_to_its_end = kind == "Endless"
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


class Redirecting(http.server.ThreadingHTTPServer):
    """Points elsewhere."""


class Endless(http.server.ThreadingHTTPServer):
    """Sends 250 MiB of blanks, if it is let."""

    came_to_its_end = False


@pytest.mark.parametrize(
    ("kind", "message"),
    [(Redirecting, "redirects to https://evil.example/contract.json"), (Endless, "more than 1048576 bytes")],
)
def test_a_strange_server_is_neither_followed_nor_read_to_its_end(
    kind: type[http.server.ThreadingHTTPServer], message: str
) -> None:
    with kind(("127.0.0.1", 0), _Strange) as strange:
        thread = threading.Thread(target=strange.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            with pytest.raises((EnvironmentProblem, InvalidInput), match=message):
                published(f"http://127.0.0.1:{strange.server_address[1]}")
        finally:
            strange.shutdown()
            thread.join()
    assert not Endless.came_to_its_end
