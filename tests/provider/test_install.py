"""Where the stand-ins are put, and that official plugins always win."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from embedded import plugins
from embedded.layout import Layout
from embedded.toolchain import Binary, Origin

SDK = version("pulumi-kubernetes")
ELF = b"\x7fELF official"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    checkout = Layout.default().checkout
    return Layout(checkout=checkout, state=tmp_path / "state", cache=tmp_path / "cache")


def _engine(place: Layout, origin: Origin = "build") -> Binary:
    file = place.cache / "pulumi-1" / "pulumi"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"\x7fELF engine")
    return Binary(name="pulumi", version="3.259.0", origin=origin, path=file)


def _official(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(ELF)
    file.chmod(0o755)


def _files(place: Layout) -> list[str]:
    return sorted(
        str(file.relative_to(place.pulumi_home)) for file in place.pulumi_home.rglob("*") if file.is_file()
    )


def test_both_stand_ins_go_into_this_checkouts_plugin_folder(place: Layout) -> None:
    installed = plugins.install(place, _engine(place))

    assert [(binary.name, binary.origin) for binary in installed] == [
        ("pulumi-language-python", "stand-in"),
        ("pulumi-resource-kubernetes", "stand-in"),
    ]
    assert _files(place) == [
        "plugins/language-python-v3.259.0/pulumi-language-python",
        f"plugins/resource-kubernetes-v{SDK}/pulumi-resource-kubernetes",
    ]
    assert [file.name for file in place.cache.rglob("*") if file.is_file()] == ["pulumi"], (
        "the cache is shared"
    )


def test_installing_again_writes_nothing(place: Layout) -> None:
    first = plugins.install(place, _engine(place))
    before = [binary.path.stat().st_mtime_ns for binary in first]

    assert plugins.install(place, _engine(place)) == first
    assert [binary.path.stat().st_mtime_ns for binary in first] == before


def test_an_official_language_host_beside_the_engine_wins(place: Layout) -> None:
    engine = _engine(place)
    plugins.install(place, engine)
    _official(engine.path.with_name("pulumi-language-python"))

    installed = plugins.install(place, engine)

    assert [binary.name for binary in installed] == ["pulumi-resource-kubernetes"]
    assert _files(place) == [f"plugins/resource-kubernetes-v{SDK}/pulumi-resource-kubernetes"]


def test_an_official_provider_in_the_plugin_folder_is_left_alone(place: Layout) -> None:
    file = place.pulumi_home / "plugins" / f"resource-kubernetes-v{SDK}" / "pulumi-resource-kubernetes"
    _official(file)

    assert [binary.name for binary in plugins.install(place, _engine(place))] == ["pulumi-language-python"]
    assert file.read_bytes() == ELF


def test_a_plugin_on_path_wins(place: Layout, tmp_path: Path) -> None:
    _official(tmp_path / "path" / "pulumi-resource-kubernetes")

    assert [binary.name for binary in plugins.install(place, _engine(place))] == ["pulumi-language-python"]


def test_a_downloaded_engine_gets_the_stand_in_provider_too(place: Layout) -> None:
    engine = _engine(place, "download")
    _official(engine.path.with_name("pulumi-language-python"))

    assert [binary.name for binary in plugins.install(place, engine)] == ["pulumi-resource-kubernetes"]
