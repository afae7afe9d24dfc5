"""The first minute of `onprem-agents setup`: the way to the gateway, the key that is tried, and what is said when."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onprem_agents.errors import EnvironmentProblem, InvalidInput
from onprem_agents.probes.discovery import checked_proxy, published
from onprem_agents.setup.developer_key import checked, from_file
from tests.unit.platform_server import KEY, Platform
from tests.unit.setup_machine import Onprem, address, everything

pytestmark = pytest.mark.unit

OTHER = "onprem-the-key-of-somebody-else-0123456789"


def test_the_first_thing_said_is_what_is_waited_for(onprem: Onprem, server: Platform) -> None:
    done = onprem("setup", "--host", address(server), ONPREM_API_KEY=KEY)
    assert done.exit_code == 0, done.output
    said = done.stderr.splitlines()
    assert said[:2] == [f"Asking {address(server)} what it serves …", "Trying the key …"]


def test_a_key_that_the_gateway_refuses_is_stored_nowhere(
    onprem: Onprem, server: Platform, home: Path
) -> None:
    done = onprem("setup", "--host", address(server), ONPREM_API_KEY=OTHER)
    assert done.exit_code == 1
    assert "a key that the gateway does not take (HTTP 401: Unauthorized)" in done.stderr
    assert "ask platform@example.com; --no-check stores it untried" in done.stderr
    assert everything(home) == {}
    assert OTHER not in done.output


def test_offline_a_key_is_stored_untried_where_that_is_wished(
    onprem: Onprem, server: Platform, home: Path, tmp_path: Path
) -> None:
    contract = tmp_path / "connection.json"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{closed.getsockname()[1]}"
    wire = server.contract().to_wire() | {"baseUrl": f"{base}/v1", "anthropicBaseUrl": base}
    contract.write_text(json.dumps(wire))

    done = onprem("setup", "--connection", str(contract), ONPREM_API_KEY=KEY)
    assert done.exit_code == 1
    assert "the key could not be tried at" in done.stderr
    assert "nothing was written; --no-check stores it untried" in done.stderr
    assert everything(home) == {}

    assert onprem("setup", "--connection", str(contract), "--no-check", ONPREM_API_KEY=KEY).exit_code == 0
    assert (home / ".config/onprem/key").read_text() == f"{KEY}\n"


def test_a_gateway_that_is_busy_does_not_keep_a_key_from_being_stored(
    onprem: Onprem, server: Platform, home: Path
) -> None:
    server.faults.add("busy")
    done = onprem("setup", "--host", address(server), ONPREM_API_KEY=KEY)
    assert done.exit_code == 0
    assert "note: The key could not be tried (HTTP 503: too many requests)" in done.stderr
    assert (home / ".config/onprem/key").exists()


def test_a_key_that_is_stored_already_is_not_tried_again(onprem: Onprem, server: Platform) -> None:
    onprem("setup", "--host", address(server), ONPREM_API_KEY=KEY)
    assert "Trying the key" not in onprem("setup", "--host", address(server)).stderr


def test_at_a_terminal_a_wrong_key_can_be_typed_again(onprem: Onprem, server: Platform, home: Path) -> None:
    done = onprem("setup", "--host", address(server), typed=f"{OTHER}\ntwo words\n{KEY}\ny\n")
    assert done.exit_code == 0, done.output
    assert done.stderr.count("Once more:") == 2
    assert (home / ".config/onprem/key").read_text() == f"{KEY}\n"


def printed(stdout: str) -> dict[str, Any]:
    """Return what was printed as JSON; the runner of click 8.2.0 shows there too what was typed, as a terminal does."""
    found: dict[str, Any] = json.loads(stdout[stdout.index("{") :])
    return found


def test_as_json_somebody_at_a_terminal_is_asked_all_the_same(
    onprem: Onprem, server: Platform, home: Path
) -> None:
    no = onprem("setup", "--host", address(server), "--json", typed=f"{KEY}\nn\n")
    told = printed(no.stdout)
    assert (told["written"], everything(home)) == (False, {})
    assert "Write these files?" in no.stderr
    assert "+++ " in no.stderr, "what would be written is shown before the question"

    yes = onprem("setup", "--host", address(server), "--json", typed=f"{KEY}\ny\n")
    assert printed(yes.stdout)["written"] is True
    assert (home / ".config/onprem/key").exists()


def test_notes_come_after_the_diff_and_before_the_question(onprem: Onprem, server: Platform) -> None:
    done = onprem("setup", "--host", address(server), typed="\ny\n")
    marks = [done.output.index(text) for text in ("+++ ", "note: ", "Write these files?", "files written")]
    assert marks == sorted(marks)
    assert done.output.rindex("+++ ") < done.output.index("note: ")


def test_the_proxy_of_the_shell_is_not_asked_for_a_gateway_inside(onprem: Onprem, server: Platform) -> None:
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    done = onprem("setup", "--host", address(server), NO_PROXY="", no_proxy="", ONPREM_API_KEY=KEY, **proxies)
    assert done.exit_code == 0, done.output


def test_where_the_direct_way_fails_the_proxy_that_was_not_asked_is_named() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(EnvironmentProblem) as raised:
        published(host, variables={"http_proxy": "http://proxy.example.internal:3128"})
    assert "http_proxy is set and was not used" in str(raised.value)
    assert "--proxy http://HOST:PORT" in str(raised.value)


class _Proxy(http.server.BaseHTTPRequestHandler):
    """Gives the contract for any address that it is asked for, and refuses tunnels."""

    asked: list[str]
    text: str

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        models = json.dumps({"data": [{"id": "coder"}]})
        self.wfile.write((models if self.path.endswith("/models") else self.text).encode())

    def do_CONNECT(self) -> None:
        self.send_error(403, "Blocked by policy")

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def proxy() -> Iterator[str]:
    _Proxy.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_proxy_that_is_named_is_asked_and_stays_the_agents_way(
    onprem: Onprem, server: Platform, proxy: str, home: Path
) -> None:
    _Proxy.text = server.contract().to_json()
    done = onprem("setup", "--host", address(server), "--proxy", proxy, ONPREM_API_KEY=KEY)
    assert done.exit_code == 0, done.output
    assert [path.removeprefix(address(server)) for path in _Proxy.asked] == [
        "/.well-known/onprem-coding-agents.json",
        "/v1/models",
    ]
    assert "NO_PROXY" not in (home / ".config/onprem/env.sh").read_text()


def test_a_proxy_that_refuses_the_gateway_is_told_as_such(proxy: str) -> None:
    with pytest.raises(EnvironmentProblem) as raised:
        published("agents.example.internal", proxy=proxy)
    assert "the proxy says: 403 Blocked by policy" in str(raised.value)
    assert "leave --proxy out where the gateway is inside" in str(raised.value)


@pytest.mark.parametrize("text", ["proxy:3128", "socks5://proxy:1080", "http://", "http://a/b", "http://a:x"])
def test_what_is_no_proxy_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"such as http://proxy\.example\.internal:3128") as raised:
        checked_proxy(text)
    assert "found: something" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        (KEY, ()),
        (f"  {KEY}\r\n", ()),
        (f"\u00a0{KEY}\u00a0", ()),
        (f'"{KEY}"', ("the quotes around it",)),
        (f"\u201c{KEY}\u201d", ("the quotes around it",)),
        (f"<{KEY}>", ("the quotes around it",)),
        (f"\ufeff{KEY}", ("invisible characters (a byte order mark)",)),
        (f"{KEY}\u200b", ("invisible characters (a byte order mark)",)),
        (f"Bearer {KEY}", ("the name before it",)),
        (f"Authorization: Bearer {KEY}", ("the name before it",)),
        (f"export ONPREM_API_KEY='{KEY}'", ("the name before it", "the quotes around it")),
    ],
)
def test_what_comes_along_when_a_key_is_copied_is_left_out_and_named(
    text: str, left_out: tuple[str, ...]
) -> None:
    found = checked(text, "the prompt")
    assert (found.value, found.left_out) == (KEY, left_out)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "nothing"),
        ('""', "nothing"),
        ("\ufeff", "nothing"),
        ("two words", "a key with blanks within"),
        ("two\nlines", "several lines"),
        ("onprem-0123…", "a key with U+2026, outside ASCII"),
        ("k" * 5000, "more than 4096 characters"),
    ],
)
def test_what_no_header_can_carry_is_named(text: str, found: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        checked(text, "the prompt")
    (problem,) = raised.value.problems
    assert problem.found == found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "ascii"])
def test_a_key_file_may_have_been_written_by_powershell(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(f"{KEY}\r\n".encode(encoding))
    assert from_file(tmp_path / "key").value == KEY


def test_what_was_left_out_of_the_key_is_noted(onprem: Onprem, server: Platform, home: Path) -> None:
    done = onprem("setup", "--host", address(server), ONPREM_API_KEY=f'"{KEY}"')
    assert "note: Of the key from the variable ONPREM_API_KEY left out: the quotes around it." in done.stderr
    assert (home / ".config/onprem/key").read_text() == f"{KEY}\n"
