"""Official files, from a server on loopback: taken when they are the pinned ones, left otherwise."""

from __future__ import annotations

import contextlib
import io
import socket
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from embedded.toolchain import release as release_module
from embedded.toolchain.binary import Binary, recorded
from embedded.toolchain.official import File, Release, platform_name
from embedded.toolchain.release import Patience, fetch
from tests.toolchain.conftest import Shown
from tests.toolchain.site import checksum, redirect, scheduler, send, site

IMPATIENT = Patience(connect_seconds=0.5, read_seconds=0.5, judged_seconds=0.3, total_seconds=1.0)

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


def _engine(sha256: str) -> Release:
    return Release(
        part="pulumi",
        version="3.259.0",
        site="http://127.0.0.1:9",
        files={platform_name(): File(path="pulumi.tar.gz", sha256=sha256)},
        archive=("pulumi", "*python*"),
        needed=("pulumi", "pulumi-language-python"),
    )


def _fetch(
    folder: Path, shown: Shown, url: str, body: bytes = b"", *, release: Release | None = None
) -> Binary | None:
    wanted = release or scheduler(checksum(body))
    return fetch(folder, wanted, shown.progress, site=url, patience=IMPATIENT)


def test_a_program_is_taken_as_it_is(tmp_path: Path, shown: Shown) -> None:
    body = b"#!/bin/sh\n"
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        send(body)(handler)

    with site(answer) as url:
        binary = _fetch(tmp_path / "bin", shown, url, body)

    assert binary is not None
    assert asked == ["/v1.36.3/kube-scheduler"]
    assert (binary.name, binary.version, binary.origin) == ("kube-scheduler", "1.36.3", "download")
    assert recorded(binary.path) == binary
    assert binary.path.read_bytes() == body
    assert binary.path.stat().st_mode & 0o111
    assert "download kube-scheduler 1.36.3" in shown.text
    assert "checksum verified" in shown.text


def test_of_an_archive_only_what_is_wanted_is_taken(tmp_path: Path, shown: Shown) -> None:
    body = _archive()
    with site(send(body)) as url:
        engine = _fetch(tmp_path / "bin", shown, url, release=_engine(checksum(body)))

    assert engine is not None
    assert recorded(engine.path) == engine
    assert sorted(file.name for file in (tmp_path / "bin").iterdir()) == [
        "pulumi",
        "pulumi-language-python",
        "pulumi.json",
    ], "other languages' hosts stay out"


def test_a_file_with_another_checksum_is_left(tmp_path: Path, shown: Shown) -> None:
    with site(send(b"something else")) as url:
        assert _fetch(tmp_path / "bin", shown, url, b"the program") is None

    assert f"pinned is {checksum(b'the program')}" in shown.text
    assert shown.text.count("\n") == 1, "one line says it"
    assert shown.text.startswith("- "), "no tick for what was not had"
    assert list((tmp_path / "bin").iterdir()) == [], "nothing of a refused file stays"


def test_a_file_that_is_not_there_is_left(tmp_path: Path, shown: Shown) -> None:
    with site(lambda handler: handler.send_error(404)) as url:
        assert _fetch(tmp_path / "bin", shown, url) is None

    assert "answers 404" in shown.text


def test_a_file_that_breaks_off_is_left(tmp_path: Path, shown: Shown) -> None:
    body = b"the whole program"

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:5])

    with site(answer) as url:
        assert _fetch(tmp_path / "bin", shown, url, body) is None

    assert "building it instead" in shown.text
    assert list((tmp_path / "bin").iterdir()) == []


def test_a_redirect_is_followed_as_the_official_sites_ask_for(tmp_path: Path, shown: Shown) -> None:
    body = b"#!/bin/sh\n"
    with site(send(body)) as elsewhere, site(redirect(f"{elsewhere}/storage")) as url:
        binary = _fetch(tmp_path / "bin", shown, url, body)

    assert binary is not None
    assert binary.path.read_bytes() == body


def test_a_redirect_to_a_page_of_somebody_else_is_left(tmp_path: Path, shown: Shown) -> None:
    with site(send(b"<html>sign in</html>")) as portal, site(redirect(portal)) as url:
        assert _fetch(tmp_path / "bin", shown, url, b"the program") is None

    assert f"{portal} has the checksum" in shown.text, "the line names where it led to"


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/again", "leads on more than 5 times"),
        ("ftp://127.0.0.1/it", "building it instead"),
        ("http://[::1", "Invalid URL"),
        (f"http://{'x' * 64}.invalid/it", "cannot be reached: "),
    ],
)
def test_a_redirect_to_nowhere_is_left(tmp_path: Path, shown: Shown, target: str, told: str) -> None:
    with site(redirect(target)) as url:
        assert _fetch(tmp_path / "bin", shown, url) is None

    assert told in shown.text


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
    with site(answer) as url:
        binary = _fetch(tmp_path / "bin", shown, url)
        seconds = time.monotonic() - started
        over.set()

    assert binary is None
    assert seconds < 8, "read limit 0.5 s; the site would hold on for 10"
    assert "does not answer in time" in shown.text


def test_a_site_that_trickles_is_given_up_once_its_rate_is_known(tmp_path: Path, shown: Shown) -> None:
    over = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000000")
        handler.end_headers()
        while not over.wait(0.1):
            handler.wfile.write(b"x" * 65536)

    started = time.monotonic()
    with site(answer) as url:
        binary = _fetch(tmp_path / "bin", shown, url)
        seconds = time.monotonic() - started
        over.set()

    assert binary is None
    assert "is too slow: 0 of 95 MiB" in shown.text
    assert seconds < 20, "the site itself would never end"


def test_an_answer_whose_head_never_ends_is_given_up_when_the_time_is_up(
    tmp_path: Path, shown: Shown
) -> None:
    over = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.flush_headers()
        while not over.wait(0.1):
            handler.wfile.write(b"X-Still: here\r\n")

    started = time.monotonic()
    with site(answer) as url:
        binary = _fetch(tmp_path / "bin", shown, url)
        seconds = time.monotonic() - started
        over.set()

    assert binary is None
    assert seconds < 20, "each read is fast, and the site would never end"
    assert "it is not here after 1 s" in shown.text


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9", "SOCKS"),
        ("ALL_PROXY", "nonsense://127.0.0.1:9", "Unknown scheme"),
        ("HTTP_PROXY", "http://[::1", "Invalid port"),
        ("SSL_CERT_FILE", "/no/such/file", "No such file"),
    ],
)
def test_a_proxy_or_certificate_variable_that_cannot_be_used_is_told_at_once(
    tmp_path: Path, shown: Shown, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    if told == "SOCKS":
        monkeypatch.setitem(sys.modules, "socksio", None)  # as on a machine without this package
    monkeypatch.setenv(variable, value)

    assert _fetch(tmp_path / "bin", shown, "http://127.0.0.1:9") is None

    assert "building it instead: this machine's proxy or certificate variables" in shown.text
    assert told in shown.text


def test_a_download_that_ends_in_an_unforeseen_way_is_told_at_once(
    tmp_path: Path, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise LookupError("nobody thought of this")

    monkeypatch.setattr(release_module, "_keep", broken)
    with site(send(b"")) as url:
        assert _fetch(tmp_path / "bin", shown, url) is None

    assert "building it instead: nobody thought of this" in shown.text


@pytest.mark.parametrize("stated", [True, False], ids=["as its head says", "without a word in its head"])
def test_an_answer_that_is_larger_than_any_official_file_is_left(
    tmp_path: Path, shown: Shown, monkeypatch: pytest.MonkeyPatch, *, stated: bool
) -> None:
    monkeypatch.setattr(release_module, "_MOST_BYTES", 3 << 20)
    body = b"x" * (4 << 20)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if stated:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        with contextlib.suppress(OSError):  # nobody reads it to its end
            handler.wfile.write(body)

    with site(answer) as url:
        assert _fetch(tmp_path / "bin", shown, url, body) is None

    assert "more than any official file" in shown.text
    assert ("has 4 MiB" if stated else "has over 3 MiB") in shown.text
    assert list((tmp_path / "bin").iterdir()) == []


def test_a_site_that_refuses_connections_is_given_up_at_once(tmp_path: Path, shown: Shown) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert _fetch(tmp_path / "bin", shown, url) is None

    assert "building it instead" in shown.text


def test_a_name_server_that_does_not_answer_is_given_up(
    tmp_path: Path, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def silent(*_arguments: object) -> None:
        over.wait(10)

    monkeypatch.setattr("socket.getaddrinfo", silent)
    started = time.monotonic()
    binary = _fetch(tmp_path / "bin", shown, "http://releases.invalid")
    seconds = time.monotonic() - started
    over.set()

    assert binary is None
    assert seconds < 8, "connect limit 0.5 s; the name server would hold on for 10"
    assert "its name is not resolved" in shown.text


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"not an archive", "the archive is damaged"),
        (_archive()[:150], "the archive is damaged"),
        (_archive(("readme",)), "the archive does not hold pulumi and pulumi-language-python"),
        (_archive(("pulumi",)), "the archive does not hold pulumi-language-python"),
    ],
)
def test_a_pinned_file_of_the_wrong_content_is_left(
    tmp_path: Path, shown: Shown, body: bytes, told: str
) -> None:
    with site(send(body)) as url:
        assert _fetch(tmp_path / "bin", shown, url, release=_engine(checksum(body))) is None

    assert told in shown.text
    assert list((tmp_path / "bin").iterdir()) == []
