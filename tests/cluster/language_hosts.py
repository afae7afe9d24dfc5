"""Language hosts of the engine that only tests need: Pulumi YAML, and generators of SDKs for TypeScript and Go.

They are compiled once into the user's cache, from `languages` beside this file.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from embedded.layout import Layout
from embedded.lock import hold
from embedded.toolchain.golang import Go, run_go
from onprem_agents.errors import EnvironmentProblem

SOURCE = Path(__file__).parent / "languages"
_FILES = ("go.mod", "go.sum", "main.go")
_YAML = "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
# `go build` calls our program after its module; under each name it serves that language.
_GENERATOR, _GENERATES = "languages", ("pulumi-language-nodejs", "pulumi-language-go")
_LOCK_SECONDS = 1800


def language_hosts(layout: Layout) -> Path:
    """Return the folder with the three hosts, for PATH; skips the test where Go is missing or too old."""
    digest = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    folder = layout.cache / "languages" / digest
    with hold(layout.cache / "languages" / "lock", command="building hosts", wait_seconds=_LOCK_SECONDS):
        if not folder.exists():
            _build(layout, folder)
    return folder


def vet(layout: Layout, sdk: Path, module: str) -> None:
    """Compile a generated Go SDK, and look it over, as `module` with the requirements of our own program."""
    for name in ("go.mod", "go.sum"):
        shutil.copy(SOURCE / name, sdk / name)
    go_mod = sdk / "go.mod"
    lines = go_mod.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(("module ", "tool "))]
    go_mod.write_text("\n".join([f"module {module}", *kept, ""]), encoding="utf-8")
    work = layout.cache / "languages" / "vet"
    log = layout.logs / "go-vet.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with hold(layout.cache / "languages" / "lock", command="go vet", wait_seconds=_LOCK_SECONDS):
        run_go(_go(), ["vet", "./..."], cwd=sdk, work=work, log=log, on_line=_ignore)


def _build(layout: Layout, folder: Path) -> None:
    go = _go()
    work = layout.cache / "languages" / "work"
    source, built = work / "source", work / "bin"
    for stale in (source, built):
        shutil.rmtree(stale, ignore_errors=True)
    shutil.copytree(SOURCE, source)
    built.mkdir()
    log = layout.logs / "build-languages.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    flags = ["-trimpath", "-gcflags=all=-dwarf=false", "-ldflags=-s -w"]
    run_go(
        go, ["build", *flags, "-o", f"{built}/", _YAML, "."], cwd=source, work=work, log=log, on_line=_ignore
    )
    for name in _GENERATES:
        shutil.copy(built / _GENERATOR, built / name)
    (built / _GENERATOR).unlink()
    built.rename(folder)
    shutil.rmtree(work)


def _go() -> Go:
    try:
        go = Go.find()
        go.require(SOURCE / "go.mod")
    except EnvironmentProblem as problem:
        pytest.skip(str(problem))
    return go


def _ignore(_line: str) -> None:
    return None
