"""The official engine, from a server on loopback: taken when it is the pinned file, left otherwise."""

from __future__ import annotations

import hashlib
import io
import platform
import socket
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from embedded.toolchain import release
from embedded.toolchain.binary import recorded
from embedded.toolchain.pins import PULUMI_ARCHIVE_SHA256, platform_name
from embedded.toolchain.release import Patience
from tests.toolchain.conftest import Shown

IMPATIENT = Patience(connect_seconds=0.5, read_seconds=0.5, total_seconds=1.0)
SYSTEM = platform_name(platform.machine())
Answer = Callable[[BaseHTTPRequestHandler], None]

pytestmark = pytest.mark.usefixtures("bin_folder")


def _archive(names: tuple[str, ...] = ("pulumi", "pulumi-language-python", "pulumi-language-go")) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        for name in names:
            content = f"#!/bin/sh\necho {name}\n".encode()
            entry = tarfile.TarInfo(f"pulumi/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return sink.getvalue()


@contextmanager
def _site(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_arguments: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _send(body: bytes) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def _checksums(body: bytes) -> dict[str, str]:
    return {SYSTEM: hashlib.sha256(body).hexdigest()}


def test_the_pinned_file_brings_the_engine_and_its_python_host(tmp_path: Path, shown: Shown) -> None:
    body = _archive()
    with _site(_send(body)) as url:
        engine = release.fetch(tmp_path / "bin", shown.progress, base_url=url, checksums=_checksums(body))

    assert engine is not None
    assert (engine.origin, engine.version) == ("download", "3.259.0")
    assert recorded(engine.path) == engine
    assert engine.path.stat().st_mode & 0o111
    assert sorted(file.name for file in (tmp_path / "bin").iterdir()) == [
        "pulumi",
        "pulumi-language-python",
        "pulumi.json",
    ], "other languages' hosts stay out"


def test_a_file_with_another_checksum_is_left(tmp_path: Path, shown: Shown) -> None:
    with _site(_send(_archive())) as url:
        engine = release.fetch(tmp_path / "bin", shown.progress, base_url=url, checksums={SYSTEM: "0" * 64})

    assert engine is None
    assert "pinned is 0000" in shown.text
    assert list((tmp_path / "bin").iterdir()) == [], "nothing of a refused file stays"


def test_a_file_that_is_not_there_is_left(tmp_path: Path, shown: Shown) -> None:
    with _site(lambda handler: handler.send_error(404)) as url:
        engine = release.fetch(tmp_path / "bin", shown.progress, base_url=url)

    assert engine is None
    assert "answers 404" in shown.text


@pytest.mark.parametrize("sent", [b"", b"some bytes"], ids=["before the answer", "in the middle"])
def test_a_site_that_stalls_is_given_up_within_its_limit(tmp_path: Path, shown: Shown, sent: bytes) -> None:
    over = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if sent:
            handler.send_response(200)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
            handler.wfile.write(sent)
        over.wait(10)

    started = time.monotonic()
    with _site(answer) as url:
        engine = release.fetch(tmp_path / "bin", shown.progress, base_url=url, patience=IMPATIENT)
        seconds = time.monotonic() - started
        over.set()

    assert engine is None
    assert seconds < 8, "read limit 0.5 s; the site would hold on for 10"
    assert "does not answer in time" in shown.text


def test_a_site_that_trickles_is_given_up_within_its_limit(tmp_path: Path, shown: Shown) -> None:
    over = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not over.wait(0.1):
            handler.wfile.write(b"x" * 65536)

    with _site(answer) as url:
        engine = release.fetch(tmp_path / "bin", shown.progress, base_url=url, patience=IMPATIENT)
        over.set()

    assert engine is None
    assert "too slow" in shown.text


def test_a_site_that_refuses_connections_is_given_up_at_once(tmp_path: Path, shown: Shown) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        engine = release.fetch(tmp_path / "bin", shown.progress, base_url=url, patience=IMPATIENT)

    assert engine is None
    assert "building it instead" in shown.text


def test_a_name_server_that_does_not_answer_is_given_up(
    tmp_path: Path, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def silent(*_arguments: object) -> None:
        over.wait(10)

    monkeypatch.setattr("socket.getaddrinfo", silent)
    started = time.monotonic()
    engine = release.fetch(
        tmp_path / "bin", shown.progress, base_url="http://releases.invalid", patience=IMPATIENT
    )
    seconds = time.monotonic() - started
    over.set()

    assert engine is None
    assert seconds < 8, "connect limit 0.5 s; the name server would hold on for 10"
    assert "its name is not resolved" in shown.text


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"not an archive", "the archive is damaged"),
        (_archive(("readme",)), "holds nothing"),
        (_archive(("pulumi",)), "not the engine and its Python host"),
    ],
)
def test_a_pinned_file_of_the_wrong_content_is_left(
    tmp_path: Path, shown: Shown, body: bytes, told: str
) -> None:
    with _site(_send(body)) as url:
        engine = release.fetch(tmp_path / "bin", shown.progress, base_url=url, checksums=_checksums(body))

    assert engine is None
    assert told in shown.text
    assert list((tmp_path / "bin").iterdir()) == []


def test_a_checksum_is_committed_for_every_platform_that_the_lock_file_serves() -> None:
    assert set(PULUMI_ARCHIVE_SHA256) == {"linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"}
    assert all(len(bytes.fromhex(checksum)) == 32 for checksum in PULUMI_ARCHIVE_SHA256.values())
