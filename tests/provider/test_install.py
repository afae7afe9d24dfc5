"""Where the plugins are put: the provider under its own version, the language host only where none is official."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded import plugins
from embedded.engine import engine_environment
from embedded.layout import Layout
from embedded.toolchain import Binary

ELF = b"\x7fELF official"
HOST = "plugins/language-python-v3.259.0/pulumi-language-python"
PROVIDER = "plugins/resource-kubernetes-v4.25.0/pulumi-resource-kubernetes"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    checkout = Layout.default().checkout
    return Layout(checkout=checkout, state=tmp_path / "state", cache=tmp_path / "cache")


def _program(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(ELF)
    file.chmod(0o755)
    return file


def _binaries(place: Layout, version: str = "4.25.0") -> dict[str, Binary]:
    folder = place.cache / "pulumi-1"
    return {
        "pulumi": Binary(name="pulumi", version="3.259.0", origin="build", path=_program(folder / "pulumi")),
        "pulumi-kubernetes": Binary(
            name="pulumi-kubernetes", version=version, origin="build", path=_program(folder / f"k-{version}")
        ),
    }


def _files(place: Layout) -> list[str]:
    return sorted(
        str(file.relative_to(place.pulumi_home)) for file in place.pulumi_home.rglob("*") if file.is_file()
    )


def test_both_plugins_go_into_this_checkouts_plugin_folder(place: Layout) -> None:
    binaries = _binaries(place)

    installed = plugins.install(place, binaries)

    assert [(binary.name, binary.version, binary.origin) for binary in installed] == [
        ("pulumi-language-python", "3.259.0", "stand-in"),
        ("pulumi-kubernetes", "4.25.0", "build"),
    ]
    assert _files(place) == [HOST, PROVIDER]
    assert (place.pulumi_home / PROVIDER).resolve() == binaries["pulumi-kubernetes"].path


def test_installing_again_writes_nothing(place: Layout) -> None:
    first = plugins.install(place, _binaries(place))
    written = [place.pulumi_home / HOST, place.pulumi_home / PROVIDER]
    before = [file.lstat().st_mtime_ns for file in written]

    assert plugins.install(place, _binaries(place)) == first
    assert [file.lstat().st_mtime_ns for file in written] == before


def test_another_provider_takes_the_place_of_the_one_before(place: Layout) -> None:
    plugins.install(place, _binaries(place))

    plugins.install(place, _binaries(place, "4.30.1"))

    assert _files(place) == [HOST, PROVIDER.replace("4.25.0", "4.30.1")]


def test_the_launcher_that_an_earlier_version_left_is_taken_away(place: Layout) -> None:
    left = place.pulumi_home / PROVIDER.replace("4.25.0", "4.34.2")
    left.parent.mkdir(parents=True)
    left.write_text("#!/bin/sh\n# pulumi-resource-kubernetes: stand-in of onprem-coding-agents\n")

    plugins.install(place, _binaries(place))

    assert _files(place) == [HOST, PROVIDER]


def test_a_provider_that_lies_in_the_plugin_folder_is_left_alone(place: Layout) -> None:
    file = _program(place.pulumi_home / PROVIDER.replace("4.25.0", "4.30.1"))
    binaries = _binaries(place)
    binaries["pulumi-kubernetes"] = Binary(
        name="pulumi-kubernetes", version="4.30.1", origin="path", path=file
    )

    plugins.install(place, binaries)

    assert file.read_bytes() == ELF
    assert not file.is_symlink()


def test_an_official_language_host_beside_the_engine_wins(place: Layout) -> None:
    binaries = _binaries(place)
    plugins.install(place, binaries)
    _program(binaries["pulumi"].path.with_name("pulumi-language-python"))

    installed = plugins.install(place, binaries)

    assert [binary.name for binary in installed] == ["pulumi-kubernetes"]
    assert _files(place) == [PROVIDER]


def test_an_official_language_host_on_path_wins(place: Layout, tmp_path: Path) -> None:
    _program(tmp_path / "path" / "pulumi-language-python")

    assert [binary.name for binary in plugins.install(place, _binaries(place))] == ["pulumi-kubernetes"]


def test_programs_are_told_which_provider_there_is(place: Layout) -> None:
    environment = engine_environment(place, _binaries(place, "4.30.1"))

    assert environment["ONPREM_KUBERNETES_PLUGIN"] == "4.30.1"
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
