"""A scratch layout, a progress that can be read back, and a `go` that compiles nothing."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from embedded.layout import Layout
from embedded.progress import Progress
from tests.toolchain.previewed import Program, program_in

# Answers the four commands that a build uses and notes each in $ONPREM_FAKE_GO; `build` does first what
# $ONPREM_FAKE_GO_BUILD says, then makes an executable of each package.
_GO = """#!/bin/sh
echo "$@" >> "$ONPREM_FAKE_GO"
case "$1" in
env)
  version="${ONPREM_FAKE_GO_VERSION:-go1.99.0}"
  printf '{"GOVERSION": "%s", "GOPROXY": "off", "GOMODCACHE": "/nowhere"}' "$version" ;;
list) echo "go: downloading example.org/module v1.0.0" >&2; echo example.org/a; echo example.org/b ;;
build)
  eval "${ONPREM_FAKE_GO_BUILD:-true}"
  for word in "$@"; do
    [ "$before" = -o ] && out="$word"
    before="$word"
    case "$word" in
    -*|/*) continue ;;
    */v[0-9]) word="${word%/*}" ;;
    *.*/*) ;;
    *) continue ;;
    esac
    echo example.org/a >&2
    printf '#!/bin/sh\\n' > "$out/$(basename "$word")"; chmod +x "$out/$(basename "$word")"
  done ;;
esac
"""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A progress and what it printed."""

    progress: Progress
    sink: io.StringIO

    @property
    def text(self) -> str:
        return self.sink.getvalue()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A Pulumi program of somebody else's, with a backend of its own."""
    return program_in(tmp_path)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(checkout=tmp_path / "checkout", state=tmp_path / "state", cache=tmp_path / "cache")


@pytest.fixture
def shown() -> Shown:
    sink = io.StringIO()
    return Shown(progress=Progress(console=Console(file=sink, width=400)), sink=sink)


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with the system's basic tools and one folder of the test's own in front."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def put(bin_folder: Path) -> Callable[[str, str], Path]:
    """Put an executable script of a given name on PATH."""

    def write(name: str, script: str) -> Path:
        path = bin_folder / name
        path.write_text(script, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return write


@pytest.fixture
def go_calls(
    put: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """Put the `go` that compiles nothing on PATH; the result lists the commands it was given."""
    put("go", _GO)
    calls = tmp_path / "go-calls"
    monkeypatch.setenv("ONPREM_FAKE_GO", str(calls))
    return lambda: [line.split()[0] for line in calls.read_text().splitlines()] if calls.exists() else []
