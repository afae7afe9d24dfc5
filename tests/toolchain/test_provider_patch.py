"""The patch of the Kubernetes provider: what it writes, and that it fits one version alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from embedded.layout import Layout
from embedded.toolchain import build, pins
from embedded.toolchain.data_modules import module_version
from embedded.toolchain.provider_patch import PATCH
from onprem_agents.errors import EnvironmentProblem

COMMAND = "cmd/pulumi-resource-kubernetes"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A module as Go unpacks it, read-only files included, with what the patch looks for."""
    for name, text in {
        "pkg/gen/schema.go": "\tProvider: pschema.ResourceSpec{\n",
        f"{COMMAND}/schema.json": '{\n  "name": "kubernetes",\n  "language": {"nodejs": "ä"}\n}',
        f"{COMMAND}/terraform-mapping.json": '{"name": "x"}',
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o444)
    return tmp_path


def test_the_embedded_schema_is_upstreams_with_the_version_set(source: Path) -> None:
    PATCH.apply(source)

    embedded = json.loads((source / COMMAND / "schema-embed.json").read_text())
    assert embedded == {
        "name": "kubernetes",
        "language": {"nodejs": "ä"},
        "version": pins.KUBERNETES_PROVIDER,
    }
    mapping = json.loads((source / COMMAND / "terraform-mapping-embed.json").read_text())
    assert mapping == {"name": "x"}


def test_the_one_text_that_does_not_compile_is_replaced(source: Path) -> None:
    PATCH.apply(source)

    assert (source / "pkg/gen/schema.go").read_text() == "\tProvider: &pschema.ResourceSpec{\n"


def test_the_plugin_looks_for_its_parent(source: Path) -> None:
    PATCH.apply(source)

    added = (source / COMMAND / "watch.go").read_text()
    assert added.startswith("package main\n")
    assert "os.Getppid()" in added


@pytest.mark.parametrize("name", ["pkg/gen/schema.go", f"{COMMAND}/schema.json"])
def test_a_file_that_upstream_removed_stops_the_build_and_is_named(source: Path, name: str) -> None:
    (source / name).unlink()

    with pytest.raises(EnvironmentProblem, match=name):
        PATCH.apply(source)


def test_version_and_module_are_the_pinned_ones() -> None:
    group = pins.PULUMI_ENGINE

    assert module_version(PATCH.module, group.name).endswith("-f47bc2d6f199"), (
        "the commit of another version: its number stands in provider_patch.VERSION"
    )
    assert pins.group_of("pulumi-kubernetes") is group
    assert group.patch is PATCH


def test_another_patch_is_another_folder(tmp_path: Path) -> None:
    layout = Layout(checkout=tmp_path, state=tmp_path, cache=tmp_path)
    other = replace(pins.PULUMI_ENGINE, patch=replace(PATCH, added={}))

    assert build.binary_folder(layout, other) != build.binary_folder(layout, pins.PULUMI_ENGINE)
