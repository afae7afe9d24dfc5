"""Compiles the missing parts of one group from their pinned Go modules."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import threading
from collections.abc import Collection, Iterable
from pathlib import Path

from embedded.layout import Layout
from embedded.lock import hold
from embedded.progress import Progress, Step
from embedded.toolchain import data_modules
from embedded.toolchain.binary import Binary, record, recorded
from embedded.toolchain.golang import Go, run_go
from embedded.toolchain.patch import Patch
from embedded.toolchain.pins import MODULES, Group, Part
from onprem_agents.errors import EnvironmentProblem

# Another run may be compiling the same group: it takes minutes, on a busy machine many.
_LOCK_SECONDS = 3600.0
_BYTES_PER_GIB = 2**30
# One compilation keeps about four cores busy and takes up to 2 GiB (measured 2026-11); more at once only where
# there are cores for it. Sources are fetched meanwhile.
_CORES_EACH = 4
_compiling = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) // _CORES_EACH))


def binary_folder(layout: Layout, group: Group) -> Path:
    """Return the folder of a group's binaries; its name says what they were built from."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((MODULES / group.name / name).read_bytes())
    digest.update(group.ldflags.encode())
    if group.patch is not None:
        digest.update(group.patch.fingerprint().encode())
    digest.update(f"{sys.platform} {platform.machine()}".encode())
    return layout.toolchain / f"{group.name}-{digest.hexdigest()[:16]}"


def cached(layout: Layout, group: Group, part: Part) -> Binary | None:
    """Return the part as an earlier build or download left it, or None."""
    return recorded(binary_folder(layout, group) / part.name)


def build(
    layout: Layout, group: Group, batches: Iterable[Collection[str]], progress: Progress
) -> dict[str, Binary]:
    """Return the parts of `group` that the batches name, compiling those that are not in the cache.

    Batches are compiled one after the other and each is asked for only then, so that one may wait for what a
    download comes to; they share sources and compiler output. One run compiles, any other waits for it. Sources and
    output lie in one folder that is removed after success; after a failure it stays, so that the next run goes on
    where this one ended. Raises `EnvironmentProblem` for a missing or old Go, a full disk, an unreachable module
    proxy, a failed build.
    """
    named: list[str] = []
    lock = layout.toolchain / f"{group.name}.lock"
    with hold(lock, command=f"build {group.name}", wait_seconds=_LOCK_SECONDS, on_wait=progress.note):
        for names in batches:
            named += names
            missing = [part for part in group.parts if part.name in names and not cached(layout, group, part)]
            if missing:
                _compile(layout, group, missing, progress)
        shutil.rmtree(_work_folder(layout, group), ignore_errors=True)
    found = {part.name: cached(layout, group, part) for part in group.parts if part.name in named}
    return {name: binary for name, binary in found.items() if binary is not None}


def _work_folder(layout: Layout, group: Group) -> Path:
    return layout.toolchain / "work" / group.name


def _compile(layout: Layout, group: Group, parts: list[Part], progress: Progress) -> None:
    go = Go.find()
    go.require(MODULES / group.name / "go.mod")
    work = _work_folder(layout, group)
    work.mkdir(parents=True, exist_ok=True)
    _require_space(work, group)
    log = layout.logs / f"build-{group.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("", encoding="utf-8")
    source = _lay_out(work, group)
    packages = [part.package for part in parts]
    title = group.title if len(parts) == len(group.parts) else ", ".join(part.name for part in parts)
    with progress.step(f"download the sources of {title}", log=log) as step:
        if group.patch is not None and any(name.startswith(group.patch.module) for name in packages):
            _patched_copy(go, group, group.patch, source, work, log)
        wanted = _download(go, packages, source, work, log, step)
    with _compiling, progress.step(f"compile {title}", log=log) as step:
        output = work / "bin"
        output.mkdir(exist_ok=True)
        flags = ["-v", "-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", f"-s -w {group.ldflags}".strip()]
        arguments = ["build", "-o", f"{output}/", *flags, *packages]
        counter = Counter(step, wanted, work / "compiled")
        run_go(go, arguments, cwd=source, work=work, log=log, on_line=counter)
        step.update("")
        _install(layout, group, parts, output)
        for module in group.keeps:
            if _module_folder(module, work).is_dir():
                data_modules.keep(layout, module, _module_folder(module, work))


def _lay_out(work: Path, group: Group) -> Path:
    source = work / "source"
    for stale in (source, work / "bin", work / "tmp"):
        shutil.rmtree(stale, ignore_errors=True)
    source.mkdir()
    for name in ("go.mod", "go.sum"):
        shutil.copy(MODULES / group.name / name, source / name)
    return source


def _patched_copy(go: Go, group: Group, patch: Patch, source: Path, work: Path, log: Path) -> None:
    """Unpack the patch's module (checked against go.sum), patch a copy of it and make the build use the copy."""
    run_go(go, ["mod", "download", patch.module], cwd=source, work=work, log=log, on_line=_ignore)
    copy = source / "patched"
    shutil.copytree(_module_folder(patch.module, work, group.name), copy)
    patch.apply(copy)
    with (source / "go.mod").open("a", encoding="utf-8") as handle:
        handle.write(f"\nreplace {patch.module} => ./{copy.name}\n")


def _download(go: Go, packages: list[str], source: Path, work: Path, log: Path, step: Step) -> set[str]:
    """Fetch every module that the packages need; return the packages that the build needs."""
    needed: set[str] = set()

    def see(line: str) -> None:
        if line.startswith("go: downloading "):
            step.update(line.removeprefix("go: downloading "))
        elif line and not line.startswith("go: "):
            needed.add(line)

    run_go(go, ["list", "-deps", *packages], cwd=source, work=work, log=log, on_line=see)
    step.update("")
    return needed


def _module_folder(module: str, work: Path, pinned_by: str = "crds") -> Path:
    return work / "modules" / f"{module}@{data_modules.module_version(module, pinned_by)}"


def _install(layout: Layout, group: Group, parts: list[Part], output: Path) -> None:
    folder = binary_folder(layout, group)
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        target = folder / part.name
        (output / part.built_as).replace(target)
        record(Binary(name=part.name, version=part.version, origin="build", path=target))


def _require_space(work: Path, group: Group) -> None:
    used = sum(file.stat().st_size for file in work.rglob("*") if file.is_file() and not file.is_symlink())
    free = shutil.disk_usage(work).free
    needed = group.needs_gib * _BYTES_PER_GIB - used
    if free < needed:
        raise EnvironmentProblem(
            f"building {group.title} takes {needed / _BYTES_PER_GIB:.1f} GiB for a while and "
            f"{work} has {free / _BYTES_PER_GIB:.1f} GiB free: free some space, or set ONPREM_CACHE to a "
            "folder on a larger disk."
        )


def _ignore(_line: str) -> None:
    return None


class Counter:
    """Counts the packages that `go build -v` names as it compiles them.

    The compiler's cache knows those of an earlier batch, or of a run that was cut off; `go build` does not name
    them again. They are written down in `file` beside the cache and are not counted again either.
    """

    def __init__(self, step: Step, wanted: Collection[str], file: Path) -> None:
        self._step = step
        self._file = file
        earlier = file.read_text(encoding="utf-8").split() if file.exists() else []
        # `unsafe` is the compiler's own and never compiled.
        self._left = set(wanted) - {"unsafe", *earlier}
        self._total = len(self._left)

    def __call__(self, line: str) -> None:
        if line not in self._left:
            return
        self._left.discard(line)
        with self._file.open("a", encoding="utf-8") as handle:
            handle.write(f"{line}\n")
        done = self._total - len(self._left)
        self._step.reach(done, self._total, f"package {done} of {self._total}" if self._left else "linking")
