"""CRDs, stage files and default configuration, kept out of Go modules whose checksums are committed."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from embedded.layout import Layout
from embedded.lock import hold
from embedded.toolchain.golang import Go
from embedded.toolchain.pins import DATA_MODULES, MODULES, DataModule
from onprem_agents.errors import EnvironmentProblem

_LOCK_SECONDS = 600.0
_DOWNLOAD_SECONDS = 300.0


def module_dir(layout: Layout, module: str) -> Path:
    """Return the kept folder of a pinned module, fetching it first when it is not there.

    Only the folders that `pins.DATA_MODULES` names are kept, at the same relative paths as in the module.
    Raises `EnvironmentProblem` when the module cannot be had or its checksum is not the committed one.
    """
    pinned = _pinned(module)
    kept = kept_folder(layout, pinned)
    if kept.is_dir():
        return kept
    with hold(_lock_file(layout), command=f"fetch {module}", wait_seconds=_LOCK_SECONDS):
        if not kept.is_dir():
            _fetch(layout, pinned, kept)
    return kept


def keep(layout: Layout, module: str, source: Path) -> None:
    """Keep the data folders of a module that a build has unpacked, checked, at `source`."""
    pinned = _pinned(module)
    kept = kept_folder(layout, pinned)
    with hold(_lock_file(layout), command=f"keep {module}", wait_seconds=_LOCK_SECONDS):
        if not kept.is_dir():
            _copy(pinned, source, kept)


def kept_folder(layout: Layout, pinned: DataModule) -> Path:
    """Return where a module's data lies once it is there."""
    return layout.toolchain / "data" / f"{pinned.module.replace('/', '_')}@{module_version(pinned.module)}"


def module_version(module: str, group: str = "crds") -> str:
    """Return the version, with its `v`, that the `go.mod` of a group pins."""
    for line in (MODULES / group / "go.mod").read_text(encoding="utf-8").splitlines():
        words = line.removeprefix("require ").split()
        if words[:1] == [module]:
            return words[1]
    raise KeyError(module)


def expected_sum(module: str) -> str:
    """Return the `h1:` checksum that `modules/crds/go.sum` pins."""
    version = module_version(module)
    for line in (MODULES / "crds" / "go.sum").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words[:2] == [module, version]:
            return words[2]
    raise KeyError(module)


def _pinned(module: str) -> DataModule:
    for pinned in DATA_MODULES:
        if pinned.module == module:
            return pinned
    raise KeyError(f"{module} is not in embedded.toolchain.pins.DATA_MODULES")


def _lock_file(layout: Layout) -> Path:
    return layout.toolchain / "data.lock"


def _fetch(layout: Layout, pinned: DataModule, kept: Path) -> None:
    go = Go.find()
    version = module_version(pinned.module)
    with tempfile.TemporaryDirectory(dir=layout.toolchain, prefix="fetch-") as folder:
        work = Path(folder)
        (work / "tmp").mkdir()
        answer = subprocess.run(
            [str(go.path), "mod", "download", "-json", f"{pinned.module}@{version}"],
            cwd=work,
            env={**go.environment(work), "GOFLAGS": "-modcacherw"},
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_SECONDS,
            check=False,
        )
        try:
            told = json.loads(answer.stdout)
        except ValueError:
            told = {"Error": answer.stderr.strip()}
        if told.get("Error") or "Dir" not in told:
            raise EnvironmentProblem(
                f"the Go module {pinned.module} {version} cannot be downloaded (GOPROXY={go.proxy}): "
                f"{told.get('Error', 'no answer')}"
            )
        if told["Sum"] != expected_sum(pinned.module):
            raise EnvironmentProblem(
                f"the Go module {pinned.module} {version} has the checksum {told['Sum']}, "
                f"not {expected_sum(pinned.module)} as pinned in embedded/modules/crds/go.sum: it was "
                "changed on the way and is not used. Check the module proxy."
            )
        _copy(pinned, Path(told["Dir"]), kept)


def _copy(pinned: DataModule, source: Path, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="keep-") as folder:
        draft = Path(folder) / "whole"
        for name in pinned.folders:
            shutil.copytree(source / name, draft / name)
        draft.rename(kept)
