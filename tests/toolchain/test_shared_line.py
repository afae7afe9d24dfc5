"""Files that come at once share a line, and none is given up for that."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from embedded.toolchain.release import Patience, fetch
from tests.toolchain.conftest import Shown
from tests.toolchain.site import checksum, scheduler, site

pytestmark = pytest.mark.usefixtures("bin_folder")


def test_a_steady_line_that_several_files_share_is_not_given_up(tmp_path: Path, shown: Shown) -> None:
    block = b"x" * 65536
    blocks = 100

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(blocks * len(block)))
        handler.end_headers()
        for sent in range(blocks):
            if 0 < sent < 3:
                time.sleep(0.8)  # then the other files are here, and the line is this one's
            handler.wfile.write(block)

    fetched = {}
    for files in (1, 50):
        # At its first rate the file would take 80 s, and with the line of 50 files to itself 1.6 s.
        limits = Patience(judged_seconds=0.4, total_seconds=20, files_at_once=files)
        with site(answer) as url:
            fetched[files] = fetch(
                tmp_path / str(files),
                scheduler(checksum(blocks * block)),
                shown.progress,
                site=url,
                patience=limits,
            )

    assert fetched[1] is None
    assert "is too slow" in shown.text
    assert fetched[50] is not None


def test_downloads_are_given_minutes_as_long_as_they_go_on() -> None:
    file_bytes, line_bytes_per_second = 100e6, 25e6 / 8
    limits = Patience(files_at_once=5)

    assert 5 * file_bytes / line_bytes_per_second < limits.total_seconds
    assert limits.read_seconds < limits.judged_seconds < limits.total_seconds
