"""LiteLLM's package: its lock file, and how it gets into an environment of its own, from a folder of wheels."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from embedded.gateway.litellm import VERSION, install, package
from embedded.layout import Layout
from onprem_agents.errors import EnvironmentProblem
from tests.toolchain.conftest import Shown

_METADATA = f"Metadata-Version: 2.1\nName: litellm\nVersion: {VERSION}\nRequires-Dist: nobody-has-this\n"
_SAYS = "import sys\n\n\ndef main() -> None:\n    print(sys.prefix)\n"


def pins() -> dict[str, str]:
    text = package.LOCK.read_text()
    return {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)
    }


def test_the_lock_file_has_the_release_that_the_stacks_image_has() -> None:
    assert pins()["litellm"] == VERSION == "1.109.1"


def test_the_lock_file_has_what_was_asked_for_with_hashes() -> None:
    folder = package.LOCK.parent
    lines = [
        *(folder / "requirements.in").read_text().splitlines(),
        *(folder / "overrides.txt").read_text().splitlines(),
    ]
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    found = pins()

    assert [str(each) for each in wanted if found.get(each.name, "0") not in each.specifier] == []
    assert len(wanted) > 15
    assert package.LOCK.read_text().count("--hash=sha256:") > len(found)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a wheel that calls itself LiteLLM, a lock file that asks for it, and no index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    file = folder / f"litellm-{VERSION}-py3-none-any.whl"
    _write_wheel(file)
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"litellm=={VERSION} --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n")
    monkeypatch.setattr(package, "LOCK", lock)
    for name, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(folder)), ("CONFIG_FILE", "/dev/null")):
        monkeypatch.setenv(f"PIP_{name}", value)
    return folder


def _write_wheel(file: Path) -> None:
    info = f"litellm-{VERSION}.dist-info"
    parts = {
        "litellm_says.py": _SAYS,
        f"{info}/METADATA": _METADATA,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nlitellm = litellm_says:main\n",
    }
    digests = {
        name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        for name, text in parts.items()
    }
    rows = [f"{name},sha256={digests[name]},{len(text)}" for name, text in parts.items()]
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in (parts | {f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,", ""])}).items():
            archive.writestr(name, text)


def test_it_is_installed_once_into_an_environment_of_its_own(
    layout: Layout, shown: Shown, wheels: Path
) -> None:
    install(layout, shown.progress)
    program = package.program(layout)
    done = subprocess.run([program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == str(program.parent.parent)
    assert program.is_relative_to(layout.cache)
    assert f"install LiteLLM {VERSION}" in shown.text

    next(wheels.iterdir()).unlink()
    install(layout, shown.progress)
    assert shown.text.count("✓") == 1, "the second time there is nothing to do"


def test_a_killed_installation_is_done_again(layout: Layout, shown: Shown, wheels: Path) -> None:
    assert wheels.is_dir()
    program = package.program(layout)
    program.parent.mkdir(parents=True)
    program.write_text("half")

    install(layout, shown.progress)

    assert program.read_text().startswith("#!")


def test_without_an_index_one_sentence_names_the_cause_and_the_log(
    layout: Layout, shown: Shown, wheels: Path
) -> None:
    next(wheels.iterdir()).unlink()

    with pytest.raises(EnvironmentProblem) as raised:
        install(layout, shown.progress)

    log = layout.logs / "install-litellm.log"
    assert str(raised.value) == (
        f"LiteLLM {VERSION} cannot be downloaded: check the network, or point pip at your own index "
        f"(PIP_INDEX_URL). Log: {log}"
    )
    assert f"litellm=={VERSION}" in log.read_text()


def test_another_package_under_its_name_is_not_installed(layout: Layout, shown: Shown, wheels: Path) -> None:
    file = next(wheels.iterdir())
    file.write_bytes(file.read_bytes() + b" ")

    with pytest.raises(EnvironmentProblem, match=r"is not the one in requirements\.lock"):
        install(layout, shown.progress)
