"""Language hosts of the engine that only tests need: Pulumi YAML, and generators of SDKs for TypeScript and Go.

They are compiled once into the user's cache, from the folders in `languages` beside this file.
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

_SOURCES = Path(__file__).parent / "languages"
# pulumi-yaml 1.25 does not compile with the engine's release of `pkg`; the generators are the engine's own.
_YAML, _GENERATOR = _SOURCES / "yaml", _SOURCES / "generator"
_YAML_PACKAGE = "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
# `go build` calls the generator after its module; under each of these names it serves that language.
_GENERATOR_FILE, _GENERATES = "languages", ("pulumi-language-nodejs", "pulumi-language-go")
_LOCK_SECONDS = 1800


def language_hosts(layout: Layout) -> Path:
    """Return the folder with the three hosts, for PATH; skips the test where Go is missing or too old."""
    files = sorted(file for file in _SOURCES.rglob("*") if file.is_file())
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    folder = layout.cache / "languages" / digest
    with hold(layout.cache / "languages" / "lock", command="building hosts", wait_seconds=_LOCK_SECONDS):
        if not folder.exists():
            _build(layout, folder)
    return folder


def vet(layout: Layout, sdk: Path, module: str) -> None:
    """Compile a generated Go SDK, and look it over, as `module` with what the generator itself requires."""
    shutil.copy(_GENERATOR / "go.sum", sdk)
    required = (_GENERATOR / "go.mod").read_text(encoding="utf-8").partition("\n")[2]
    (sdk / "go.mod").write_text(f"module {module}\n{required}", encoding="utf-8")
    with hold(layout.cache / "languages" / "lock", command="go vet", wait_seconds=_LOCK_SECONDS):
        _run(layout, "vet", "./...", source=sdk, work=layout.cache / "languages" / "vet")


def _build(layout: Layout, folder: Path) -> None:
    work = layout.cache / "languages" / "work"
    built = work / "bin"
    shutil.rmtree(built, ignore_errors=True)
    built.mkdir(parents=True)
    flags = ["-trimpath", "-gcflags=all=-dwarf=false", "-ldflags=-s -w"]
    for source, package in ((_YAML, _YAML_PACKAGE), (_GENERATOR, ".")):
        _run(layout, "build", *flags, "-o", f"{built}/", package, source=source, work=work)
    for name in _GENERATES:
        shutil.copy(built / _GENERATOR_FILE, built / name)
    (built / _GENERATOR_FILE).unlink()
    built.rename(folder)
    shutil.rmtree(work)


def _run(layout: Layout, *arguments: str, source: Path, work: Path) -> None:
    log = layout.logs / "languages.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    run_go(_go(), [*arguments], cwd=source, work=work, log=log, on_line=lambda _: None)


def _go() -> Go:
    try:
        go = Go.find()
        go.require(_GENERATOR / "go.mod")
    except EnvironmentProblem as problem:
        pytest.skip(str(problem))
    return go
