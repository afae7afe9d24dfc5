"""The smoke test when nothing answers, and against real sockets: closed, not TLS, private CA, endless."""

from __future__ import annotations

import datetime as dt
import http.server
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from onprem_agents.agents.diagnosis import Severity
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.probes.exchange import Target, client
from onprem_agents.probes.smoke import run
from onprem_agents.probes.verdict import Verdict

pytestmark = pytest.mark.unit

CALL = {"function": {"name": "write_file", "arguments": '{"path": "hello.txt", "content": "hi"}'}}


def failing(error: httpx.HTTPError, cause: BaseException | None) -> tuple[Verdict, ...]:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error from cause

    target = Target(base_url="https://agents.example.internal/v1", model="coder")
    with httpx.Client(transport=httpx.MockTransport(handler)) as http_client:
        return run(target, http_client)


@pytest.mark.parametrize(
    ("error", "root", "cause"),
    [
        (httpx.ConnectError("x"), socket.gaierror(-2, "Name or service not known"), "dns"),
        (httpx.ConnectError("x"), ConnectionRefusedError(111, "refused"), "refused"),
        (httpx.ConnectError("x"), ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "tls"),
        (httpx.ConnectTimeout("x"), None, "timeout"),
        (httpx.ReadTimeout("x"), None, "timeout"),
        (httpx.ProxyError("407"), None, "proxy"),
        (httpx.RemoteProtocolError("closed"), None, "cut"),
        (httpx.ReadError("reset"), ConnectionResetError(104, "reset"), "cut"),
        (httpx.ConnectError("unreachable"), OSError(101, "Network is unreachable"), "cut"),
    ],
)
def test_each_way_of_not_answering_has_its_cause(
    error: httpx.HTTPError, root: BaseException | None, cause: str
) -> None:
    (verdict,) = failing(error, root)
    assert (verdict.severity, verdict.cause) == (Severity.UNREACHABLE, cause)
    assert verdict.evidence
    assert verdict.fix


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        ("unable to get local issuer certificate", "give the file of your organisation's CA with --ca-file"),
        ("certificate has expired", "have the platform team renew the gateway's certificate"),
        (
            "Hostname mismatch, certificate is not valid for 'x'.",
            "use the host name that the certificate was made for",
        ),
    ],
)
def test_each_bad_certificate_has_its_fix(words: str, fix: str) -> None:
    root = ssl.SSLCertVerificationError(1, words)
    root.verify_message = words
    (verdict,) = failing(httpx.ConnectError("x"), root)
    assert (verdict.cause, verdict.evidence) == ("tls", words)
    assert verdict.fix.startswith(fix)


class Server(http.server.BaseHTTPRequestHandler):
    """A real server on loopback that answers as the good endpoint does, or trickles or floods."""

    mode = "good"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        message = {"tool_calls": [CALL]} if "tools" in body else {"content": "ready"}
        reply = json.dumps({"choices": [{"message": message}]}).encode()
        if body["stream"]:
            reply = b'data: {"choices": [{"delta": {"content": "ready"}}]}\n\ndata: [DONE]\n\n'
        self.send_response(200)
        if self.mode == "good":
            self.send_header("content-length", str(len(reply)))
        self.end_headers()
        try:
            if self.mode == "good":
                self.wfile.write(reply)
            for _ in range(400 if self.mode != "good" else 0):
                self.wfile.write(b" " * (65_536 if self.mode == "flood" else 1))
                time.sleep(0.05 if self.mode == "trickle" else 0)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(mode: str = "good", context: ssl.SSLContext | None = None) -> str:
        handler = type("Handler", (Server,), {"mode": mode})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}/v1"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def over_the_wire(base_url: str, *, ca_file: Path | None = None, timeout: float = 20) -> tuple[Verdict, ...]:
    target = Target(
        base_url=base_url, model="coder", key="k-0123456789", key_source="X", timeout_seconds=timeout
    )
    with client(target, ca_file=ca_file) as http_client:
        return run(target, http_client)


def test_a_real_server_passes(serve: Callable[..., str]) -> None:
    assert [verdict.cause for verdict in over_the_wire(serve())] == ["ok", "ok", "ok"]


def test_a_closed_port_is_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    (verdict,) = over_the_wire(f"http://127.0.0.1:{port}/v1")
    assert (verdict.severity, verdict.cause) == (Severity.UNREACHABLE, "refused")


def test_tls_on_a_plain_port_is_named(serve: Callable[..., str]) -> None:
    (verdict,) = over_the_wire(serve().replace("http://", "https://"))
    assert verdict.cause == "tls"
    assert verdict.fix.startswith("the port may not speak TLS")


def test_an_answer_that_trickles_for_ever_ends_at_the_timeout(serve: Callable[..., str]) -> None:
    started = time.monotonic()
    (verdict,) = over_the_wire(serve("trickle"), timeout=1)
    assert (verdict.severity, verdict.cause) == (Severity.UNREACHABLE, "timeout")
    assert time.monotonic() - started < 10


def test_an_answer_that_never_ends_is_not_kept(serve: Callable[..., str]) -> None:
    assert over_the_wire(serve("flood"))[0].cause == "not-an-api"


def test_a_private_ca_is_accepted_by_its_file_and_asked_for_without(
    serve: Callable[..., str], tmp_path: Path
) -> None:
    ca_file, chain = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    base_url = serve(context=context)
    assert [verdict.cause for verdict in over_the_wire(base_url, ca_file=ca_file)] == ["ok", "ok", "ok"]
    (verdict,) = over_the_wire(base_url)
    assert (verdict.cause, verdict.fix) == ("tls", "give the file of your organisation's CA with --ca-file")


def test_a_ca_file_that_is_none_is_one_clear_sentence(tmp_path: Path) -> None:
    bad = tmp_path / "ca.pem"
    bad.write_text("hello")
    for path in (bad, tmp_path / "missing.pem", tmp_path):
        with pytest.raises(EnvironmentProblem, match="give a readable PEM file with --ca-file"):
            over_the_wire("https://127.0.0.1:9/v1", ca_file=path)


def self_signed(folder: Path, *names: str) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 and these names, and one file with it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address, *map(x509.DNSName, names)]), False)
        .sign(key, hashes.SHA256())
    )
    ca_file, chain = folder / "ca.pem", folder / "chain.pem"
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    ca_file.write_bytes(pem)
    chain.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return ca_file, chain
