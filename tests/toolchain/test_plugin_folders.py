"""An installed Kubernetes provider of the pinned minor version or a later one is used, and no other file."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.layout import Layout
from embedded.toolchain import present
from embedded.toolchain.pins import KUBERNETES_PROVIDER

NAME = "pulumi-kubernetes"


@pytest.fixture
def users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _put(home: Path, version: str, content: bytes = b"\x7fELF") -> Path:
    file = home / "plugins" / f"resource-kubernetes-v{version}" / "pulumi-resource-kubernetes"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("version", [KUBERNETES_PROVIDER, "4.34.2"])
def test_the_users_own_is_used(layout: Layout, users_home: Path, version: str) -> None:
    file = _put(users_home, version)

    found = present(layout, [NAME])[NAME]

    assert (found.version, found.origin, found.path) == (version, "path", file)


def test_the_latest_is_used(layout: Layout, users_home: Path) -> None:
    _put(users_home, "4.9.1")
    _put(users_home, "4.26.0")
    latest = _put(layout.pulumi_home, "4.100.0")

    assert present(layout, [NAME])[NAME].path == latest


@pytest.mark.parametrize("version", ["4.24.1", "3.30.2", "5.0.0", "4.34.2-alpha.1"])
def test_an_older_one_a_preview_and_another_major_version_are_passed_over(
    layout: Layout, users_home: Path, version: str
) -> None:
    _put(users_home, version)

    assert present(layout, [NAME]) == {}


def test_a_script_a_link_and_a_plugin_that_is_not_whole_are_passed_over(
    layout: Layout, users_home: Path
) -> None:
    script = _put(users_home, "4.30.0", b"#!/bin/sh\n")
    link = _put(users_home, "4.31.0")
    link.unlink()
    link.symlink_to(_put(users_home, "3.0.0"))
    _put(users_home, "4.32.0")
    (users_home / "plugins" / "resource-kubernetes-v4.32.0.partial").touch()
    _put(users_home, "4.33.0").chmod(0o644)

    assert script.exists()
    assert present(layout, [NAME]) == {}
