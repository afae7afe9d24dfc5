"""Finds Pulumi plugins that are installed already."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from embedded.toolchain.binary import Binary

_Version = tuple[int, int, int]


def find(name: str, version: str, plugin: str, *, own_home: Path) -> Binary | None:
    """Return the latest installed plugin, such as `resource-kubernetes`, of the pinned or a later minor version.

    Looked at are `own_home` and the user's own `PULUMI_HOME`. A link is skipped, because those that lie there are
    this product's; so is a script, because an official plugin is none.
    """
    found = sorted(
        (stated, file)
        for home in dict.fromkeys([_users_home(), own_home])
        for stated, file in _plugins(home / "plugins", plugin)
        if stated[0] == _numbers(version)[0] and stated >= _numbers(version)
    )
    if not found:
        return None
    stated, file = found[-1]
    return Binary(name=name, version=".".join(map(str, stated)), origin="path", path=file)


def _users_home() -> Path:
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def _plugins(folder: Path, plugin: str) -> Iterator[tuple[_Version, Path]]:
    pattern = re.compile(rf"{re.escape(plugin)}-v(\d+\.\d+\.\d+)")
    for entry in folder.glob(f"{plugin}-v*"):
        match = pattern.fullmatch(entry.name)
        file = entry / f"pulumi-{plugin}"
        # The engine's own sign of a plugin that is not whole yet (3.259, workspace/plugins.go, read 2026-11).
        partial = entry.with_name(f"{entry.name}.partial")
        if match and _is_program(file) and not file.is_symlink() and not partial.exists():
            yield _numbers(match[1]), file


def _is_program(file: Path) -> bool:
    if not file.is_file() or not os.access(file, os.X_OK):
        return False
    with file.open("rb") as content:
        return content.read(2) != b"#!"


def _numbers(version: str) -> _Version:
    major, minor, patch = version.split(".")
    return int(major), int(minor), int(patch)
