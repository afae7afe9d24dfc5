"""What a user installs: whole, and a good neighbour of another distribution of a like name.

OnPrem.LLM (distribution `onprem`) has the same audience; once both had one import package and one command.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from onprem_agents import __version__
from tests.toolchain.installed import Environment, build_wheel, copy_sources, pip, run

_NEIGHBOUR = "onprem==0.27.2"
_PACKAGES = {"onprem_agents", "onprem_agents_components", "onprem_agents_policy"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_sources(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def wheel(source: Path) -> Path:
    return build_wheel(source)


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("neighbour")
    try:
        pip("download", "--no-deps", "--only-binary", ":all:", "--dest", ".", _NEIGHBOUR, cwd=folder)
    except AssertionError as error:
        pytest.skip(f"{_NEIGHBOUR} cannot be had from the package index: {str(error).splitlines()[-1]}")
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_brings_command_and_catalogue(wheel: Path, tmp_path: Path) -> None:
    environment = Environment.make(tmp_path / "venv")
    environment.install(wheel)

    assert environment.run("onprem-agents", "--version").split()[-1] == __version__
    assert "Qwen/Qwen3.6-27B" in environment.run("onprem-agents", "catalog", "--json")
    where = environment.run("python", "-c", "import onprem_agents; print(onprem_agents.__file__)")
    assert Path(where.strip()).is_relative_to(environment.folder), "the wheel's, not the checkout's"


def test_the_wheel_brings_three_packages_and_nothing_else_to_the_top_of_site_packages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    information = f"onprem_coding_agents-{__version__}.dist-info"
    assert {name.partition("/")[0] for name in names} == {*_PACKAGES, information}
    assert {name for name in names if name.endswith("/py.typed")} == {f"{one}/py.typed" for one in _PACKAGES}


def test_every_file_of_the_sources_reaches_the_wheel(source: Path, wheel: Path) -> None:
    folders = {"onprem_agents": "onprem_agents"} | {
        f"onprem_agents_{one}": one for one in ("components", "policy")
    }
    written = {
        f"{package}/{file.relative_to(source / folder)}"
        for package, folder in folders.items()
        for file in (source / folder).rglob("*")
        if file.is_file()
    }

    built = {name for name in zipfile.ZipFile(wheel).namelist() if name.partition("/")[0] in _PACKAGES}
    assert built == written


def test_a_wheel_made_from_the_source_archive_is_the_same(source: Path, wheel: Path, tmp_path: Path) -> None:
    make = "import sys; from setuptools.build_meta import build_sdist as b; print(b(sys.argv[1]))"
    name = run(sys.executable, "-c", make, tmp_path, cwd=source).splitlines()[-1]

    again = build_wheel(tmp_path / name)

    assert _sums(again) == _sums(wheel)


def test_components_are_imported_by_the_name_of_their_package(wheel: Path, tmp_path: Path) -> None:
    environment = Environment.make(tmp_path / "venv")
    environment.install(wheel)
    program = """
import importlib, inspect, pkgutil, pulumi, onprem_agents_components as package
for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
    for name, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
        if issubclass(found, pulumi.ComponentResource) and found.__module__ == module.name:
            print(name)
"""

    shown = environment.run("python", "-c", program).split()

    assert {
        "CodingPlatform",
        "ExternalIngress",
        "GatewayAuth",
        "GpuNodePool",
        "InferenceService",
        "TranslationProxy",
    } <= set(shown)


def test_the_pack_is_where_the_command_says_and_its_rules_load_from_there(
    wheel: Path, tmp_path: Path
) -> None:
    environment = Environment.make(tmp_path / "venv")
    environment.install(wheel)

    folder = Path(environment.run("onprem-agents", "policy-pack").strip())

    assert folder == environment.packages / "onprem_agents_policy"
    assert "runtime: python" in (folder / "PulumiPolicy.yaml").read_text(encoding="utf-8")
    load = "from onprem_agents_policy.table import load_rules; from onprem_agents_policy import pack; load_rules()"
    environment.run("python", "-c", load)


def test_without_the_extra_the_command_works_and_what_needs_it_names_it(wheel: Path, tmp_path: Path) -> None:
    environment = Environment.make(tmp_path / "venv", without=("pulumi", "onprem", "__editable__"))
    environment.install(wheel)

    assert environment.run("onprem-agents", "--version").split()[-1] == __version__
    assert "policy-pack" in environment.run("onprem-agents", "--help")
    advice = "of the extra `platform`: pip install 'onprem-coding-agents[platform]'"
    for program, *words in (
        ("onprem-agents", "policy-pack"),
        ("python", "-c", "import onprem_agents_components"),
        ("python", environment.packages / "onprem_agents_policy"),
    ):
        told = environment.fail(program, *words)
        assert told.strip().endswith(advice), told
        assert told.count("\n") == 1 or "import onprem_agents_components" in words, "one sentence"


@pytest.mark.parametrize("ours_first", [True, False], ids=["ours first", "theirs first"])
def test_beside_onprem_llm_neither_takes_a_file_or_a_command_of_the_other(
    wheel: Path, neighbour: Path, tmp_path: Path, ours_first: bool
) -> None:
    environment = Environment.make(tmp_path / "venv")
    for each in [wheel, neighbour] if ours_first else [neighbour, wheel]:
        environment.install(each)

    ours, theirs = environment.record("onprem_coding_agents"), environment.record("onprem")
    assert not ours.keys() & theirs.keys()
    for file, stated in (ours | theirs).items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).decode().rstrip("=")
        assert stated == f"sha256={digest}", f"{file} is as its distribution brought it"
    assert {file.name for file in ours if file.parent.name == "bin"} == {"onprem-agents"}
    assert {file.name for file in theirs if file.parent.name == "bin"} == {"onprem"}
    assert environment.run("onprem-agents", "--version").split()[-1] == __version__
    # Its own dependencies are not here, so its package is found and not run.
    found = "import importlib.util as i; print(i.find_spec('onprem').origin)"
    assert Path(environment.run("python", "-c", found).strip()).resolve() in theirs


def _sums(wheel: Path) -> dict[str, int]:
    return {entry.filename: entry.CRC for entry in zipfile.ZipFile(wheel).infolist()}
