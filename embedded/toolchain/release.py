"""The official Pulumi release: the engine together with its own language host."""

from __future__ import annotations

import hashlib
import platform
import shutil
import socket
import tarfile
import tempfile
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import httpx

from embedded.progress import Progress, Step
from embedded.toolchain.binary import Binary, record
from embedded.toolchain.pins import PULUMI, PULUMI_ARCHIVE_SHA256, platform_name

RELEASES = "https://get.pulumi.com/releases/sdk"


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a download may take before building from source is the better way.

    `total_seconds` is about what the build takes on two cores.
    """

    connect_seconds: float = 3.0
    read_seconds: float = 5.0
    total_seconds: float = 90.0


class NotUsable(Exception):
    """The release cannot be had or is not the pinned file; the message says why."""


def fetch(
    folder: Path,
    progress: Progress,
    *,
    base_url: str = RELEASES,
    checksums: Mapping[str, str] = PULUMI_ARCHIVE_SHA256,
    patience: Patience | None = None,
) -> Binary | None:
    """Put the pinned release's engine and Python host into `folder`; return the engine.

    Returns None, with a note that says why, when the site does not answer within seconds, stalls, or has
    another file than the one whose checksum is committed.
    """
    limits = patience or Patience()
    system = platform_name(platform.machine())
    if system not in checksums:
        return None
    url = f"{base_url}/pulumi-v{PULUMI}-{system}.tar.gz"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with (
            progress.step(f"look for the Pulumi {PULUMI} release") as step,
            tempfile.TemporaryDirectory(dir=folder, prefix="release-") as draft,
        ):
            try:
                archive = Path(draft) / "archive"
                _download(url, archive, checksums[system], limits, step)
                _unpack(archive, Path(draft), folder)
                step.update("downloaded, checksum verified")
            except NotUsable as reason:
                step.update(f"not usable, building it instead: {reason}")
                return None
    except OSError as problem:
        progress.note(f"the Pulumi release cannot be stored in {folder}: {problem}")
        return None
    engine = Binary(name="pulumi", version=PULUMI, origin="download", path=folder / "pulumi")
    record(engine)
    return engine


def _download(url: str, archive: Path, sha256: str, limits: Patience, step: Step) -> None:
    _require_name(url, limits.connect_seconds)
    deadline = time.monotonic() + limits.total_seconds
    timeout = httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds)
    digest = hashlib.sha256()
    done = 0
    try:
        with (
            httpx.stream("GET", url, timeout=timeout, follow_redirects=True) as answer,
            archive.open("wb") as sink,
        ):
            if answer.status_code != httpx.codes.OK:
                raise NotUsable(f"{url} answers {answer.status_code}")
            total = int(answer.headers.get("content-length", 0))
            for block in answer.iter_bytes(1 << 16):
                if time.monotonic() > deadline:
                    raise NotUsable(f"{url} is too slow: {done >> 20} MiB in {limits.total_seconds:.0f} s")
                digest.update(block)
                sink.write(block)
                done += len(block)
                step.update(f"{done >> 20} of {total >> 20} MiB")
    except httpx.TimeoutException:
        raise NotUsable(f"{url} does not answer in time") from None
    except httpx.HTTPError as problem:
        raise NotUsable(f"{url}: {problem or type(problem).__name__}") from None
    if digest.hexdigest() != sha256:
        raise NotUsable(f"{url} has the checksum {digest.hexdigest()}, pinned is {sha256}")


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
        except OSError as problem:
            outcome.append(str(problem))

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome or outcome[0]:
        raise NotUsable(f"{host} cannot be reached: {outcome[0] if outcome else 'its name is not resolved'}")


def _unpack(archive: Path, draft: Path, folder: Path) -> None:
    """Move the engine and what belongs to Python into `folder`; the engine comes last."""
    unpacked = draft / "unpacked"
    unpacked.mkdir()
    try:
        with tarfile.open(archive) as content:
            for member in content:
                name = PurePosixPath(member.name).name
                if member.isfile() and (name == "pulumi" or "python" in name):
                    source = content.extractfile(member)
                    if source is not None:
                        with source, (unpacked / name).open("wb") as sink:
                            shutil.copyfileobj(source, sink)
                        (unpacked / name).chmod(0o755)
    except (tarfile.TarError, EOFError) as problem:
        raise NotUsable(f"the archive is damaged: {problem}") from None
    names = sorted(file.name for file in unpacked.iterdir())
    if "pulumi" not in names or "pulumi-language-python" not in names:
        raise NotUsable(f"the archive holds {names or 'nothing'}, not the engine and its Python host")
    for name in sorted(names, key=lambda name: name == "pulumi"):
        (unpacked / name).replace(folder / name)
