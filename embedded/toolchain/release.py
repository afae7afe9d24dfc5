"""Fetches one official file: gives up within seconds, and trusts the committed checksum alone."""

from __future__ import annotations

import hashlib
import shutil
import socket
import tarfile
import tempfile
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin, urlsplit

import httpx

from embedded import children
from embedded.progress import Progress, Step
from embedded.toolchain.binary import Binary, record
from embedded.toolchain.official import Release

_MOST_REDIRECTS = 5
_BLOCK_BYTES = 1 << 16
_POLL_SECONDS = 0.2
# All official files together have under half of that; an answer that goes on and on must not fill the disk.
_MOST_BYTES = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a download may take before building from source is the better way.

    After `judged_seconds` a download is given up at once when it would not end within `total_seconds`, even if the
    rate of all `files_at_once`, which share the line, were its own.
    """

    connect_seconds: float = 3.0
    read_seconds: float = 5.0
    judged_seconds: float = 10.0
    total_seconds: float = 600.0
    files_at_once: int = 1


class NotUsable(Exception):
    """The release cannot be had or is not the pinned file; the message says why."""


def fetch(
    folder: Path,
    release: Release,
    progress: Progress,
    *,
    site: str | None = None,
    patience: Patience | None = None,
) -> Binary | None:
    """Put the programs of a release into `folder` and return the part's own; `site` replaces the official one.

    Returns None, with a line that says why, when the site does not answer within seconds, stalls, or has another
    file than the one whose checksum is committed.
    """
    file = release.here
    if file is None:
        return None
    limits = patience or Patience()
    url = f"{site or release.site}/{file.path}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with (
            progress.step(f"download {release.part} {release.version}") as step,
            tempfile.TemporaryDirectory(dir=folder, prefix="release-", ignore_cleanup_errors=True) as draft,
        ):
            try:
                got = Path(draft) / "file"
                _within(
                    limits.total_seconds, lambda stop: _download(url, file.sha256, got, limits, step, stop)
                )
                _install(release, got, Path(draft), folder)
            except NotUsable as reason:
                step.give_up(f"building it instead: {reason}")
                return None
            step.update("checksum verified")
    except OSError as problem:
        progress.note(f"{release.part} {release.version} cannot be stored in {folder}: {problem}")
        return None
    binary = Binary(name=release.part, version=release.version, origin="download", path=folder / release.part)
    record(binary)
    return binary


def _within(seconds: float, work: Callable[[threading.Event], None]) -> None:
    """Run `work` in a thread of its own and leave it behind, told to stop, when its time is up."""
    stop = threading.Event()
    outcome: Future[None] = Future()

    def run() -> None:
        try:
            work(stop)
        except (NotUsable, OSError) as problem:
            outcome.set_exception(problem)
        except Exception as problem:  # noqa: BLE001 - who waits must hear of any
            outcome.set_exception(NotUsable(_told(problem)))
        else:
            outcome.set_result(None)

    deadline = time.monotonic() + seconds
    threading.Thread(target=run, daemon=True).start()
    try:
        while not wait([outcome], timeout=_POLL_SECONDS).done:
            if children.ending():
                raise KeyboardInterrupt
            if time.monotonic() > deadline:
                raise NotUsable(f"it is not here after {seconds:.0f} s")
    finally:
        stop.set()
    outcome.result()


def _download(
    url: str, sha256: str, target: Path, limits: Patience, step: Step, stop: threading.Event
) -> None:
    here = url
    try:
        with _client(limits) as client:
            for _ in range(_MOST_REDIRECTS + 1):
                _require_name(here, limits.connect_seconds)
                with client.stream("GET", here) as answer:
                    if answer.has_redirect_location:
                        here = urljoin(here, answer.headers["location"])
                        continue
                    found = _keep(answer, target, limits, step, stop)
                    break
            else:
                raise NotUsable(f"{url} leads on more than {_MOST_REDIRECTS} times")
    except httpx.TimeoutException:
        raise NotUsable(f"{here} does not answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as problem:
        raise NotUsable(f"{here}: {_told(problem)}") from None
    if found != sha256:
        raise NotUsable(f"{here} has the checksum {found}, pinned is {sha256}")


def _client(limits: Patience) -> httpx.Client:
    """Return a client that goes by the variables for proxies and certificates, which may be wrong."""
    timeout = httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds)
    try:
        return httpx.Client(timeout=timeout, headers={"Accept-Encoding": "identity"})
    except (ImportError, ValueError, OSError, httpx.InvalidURL) as problem:
        raise NotUsable(
            f"this machine's proxy or certificate variables (ALL_PROXY, HTTPS_PROXY, SSL_CERT_FILE …) "
            f"cannot be used: {_told(problem)}"
        ) from None


def _told(problem: Exception) -> str:
    return str(problem) or type(problem).__name__


def _keep(answer: httpx.Response, target: Path, limits: Patience, step: Step, stop: threading.Event) -> str:
    """Write the body to `target` and return its SHA-256."""
    if answer.status_code != httpx.codes.OK:
        raise NotUsable(f"{answer.url} answers {answer.status_code}")
    length = answer.headers.get("content-length", "")
    total = int(length) if length.isdecimal() else 0
    if total > _MOST_BYTES:
        raise NotUsable(f"{answer.url} has {_mib(total)} MiB, more than any official file")
    digest, done, started = hashlib.sha256(), 0, time.monotonic()
    with target.open("wb") as sink:
        for block in answer.iter_bytes(_BLOCK_BYTES):
            seconds = time.monotonic() - started
            if stop.is_set():
                break
            most = done * limits.files_at_once
            if seconds > limits.judged_seconds and seconds * total > limits.total_seconds * most:
                raise NotUsable(
                    f"{answer.url} is too slow: {_mib(done)} of {_mib(total)} MiB in {seconds:.0f} s"
                )
            if done + len(block) > _MOST_BYTES:
                raise NotUsable(f"{answer.url} has over {_mib(_MOST_BYTES)} MiB, more than any official file")
            digest.update(block)
            sink.write(block)
            done += len(block)
            step.reach(done, total, f"{_mib(done)} of {_mib(total)} MiB")
    return digest.hexdigest()


def _mib(size_bytes: int) -> int:
    return size_bytes >> 20


def _require_name(url: str, seconds: float) -> None:
    """Give up on a name server that does not answer; the system's own limit is many times longer."""
    if urllib.request.getproxies():
        return  # the proxy looks the name up
    host = urlsplit(url).hostname or ""
    outcome: list[str] = []

    def look_up() -> None:
        try:
            socket.getaddrinfo(host, None)
            outcome.append("")
        except (OSError, UnicodeError) as problem:
            outcome.append(str(problem))

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome or outcome[0]:
        raise NotUsable(f"{host} cannot be reached: {outcome[0] if outcome else 'its name is not resolved'}")


def _install(release: Release, got: Path, draft: Path, folder: Path) -> None:
    """Move what the release brings into `folder`; the part's own program comes last."""
    unpacked = draft / "unpacked"
    unpacked.mkdir()
    if release.archive:
        _unpack(release, got, unpacked)
    else:
        got.replace(unpacked / release.part)
    names = sorted((file.name for file in unpacked.iterdir()), key=lambda name: name == release.part)
    for name in names:
        (unpacked / name).chmod(0o755)
        (unpacked / name).replace(folder / name)


def _unpack(release: Release, archive: Path, unpacked: Path) -> None:
    try:
        with tarfile.open(archive) as content:
            for member in content:
                name = PurePosixPath(member.name).name
                if member.isfile() and any(fnmatch(name, pattern) for pattern in release.archive):
                    source = content.extractfile(member)
                    if source is not None:
                        with source, (unpacked / name).open("wb") as sink:
                            shutil.copyfileobj(source, sink)
    except (tarfile.TarError, zlib.error, EOFError) as problem:
        raise NotUsable(f"the archive is damaged: {problem}") from None
    missing = [name for name in release.needed if not (unpacked / name).is_file()]
    if missing:
        raise NotUsable(f"the archive does not hold {' and '.join(missing)}")
