"""What the engine starts of the component package, by whatever Python its language host found first."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from embedded.layout import Layout
from tests.toolchain.installed import Environment

_STARTED = Layout.default().checkout / "components" / "__main__.py"
_TELLS = "import sys\ndef serve(): print(sys.prefix, *sys.argv[1:])\n"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A Python that has nothing."""
    return Environment.make(tmp_path / "bare", without=("",)).folder / "bin" / "python"


def package(site_packages: Path) -> Path:
    """Put what is started into a folder of packages, beside a host that tells where it runs."""
    folder = site_packages / "onprem_agents_components"
    folder.mkdir(parents=True)
    shutil.copy(_STARTED, folder)
    (folder / "__init__.py").touch()
    (folder / "package_host.py").write_text(_TELLS)
    return folder


def start(python: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Start it as a language host does."""
    return subprocess.run(
        [python, "-u", folder, "127.0.0.1:7"], capture_output=True, text=True, check=False, cwd=folder.parent
    )


def test_a_python_without_pulumi_hands_over_to_that_of_the_environment_with_the_package(
    bare: Path, tmp_path: Path
) -> None:
    environment = Environment.make(tmp_path / "own", without=("",))
    (environment.packages / "pulumi").mkdir()

    done = start(bare, package(environment.packages))

    assert done.stdout.split() == [str(environment.folder), "127.0.0.1:7"], done.stderr


def test_a_checkout_just_below_the_root_hosts_too() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as checkout:
        folder = Path(checkout) / "components"
        shutil.copytree(_STARTED.parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "package_host.py").write_text(_TELLS)
        (folder / "__init__.py").write_text("")

        done = start(Path(sys.executable), folder)

    assert done.stdout.split() == [sys.prefix, "127.0.0.1:7"], done.stderr


def test_a_python_with_pulumi_is_the_one_that_hosts(tmp_path: Path) -> None:
    environment = Environment.make(tmp_path / "own", without=("",))
    (environment.packages / "pulumi").mkdir()
    first = Environment.make(tmp_path / "first", without=("",))
    (first.packages / "pulumi").mkdir()

    done = start(first.folder / "bin" / "python", package(environment.packages))

    assert done.stdout.split() == [str(first.folder), "127.0.0.1:7"], done.stderr


def test_a_machine_without_pulumi_is_told_what_to_install(bare: Path, tmp_path: Path) -> None:
    environment = Environment.make(tmp_path / "own", without=("",))
    product = environment.packages / "onprem_agents"
    product.mkdir()
    shutil.copy(Layout.default().checkout / "onprem_agents" / "errors.py", product)

    done = start(bare, package(environment.packages))

    assert done.returncode == 1
    assert "onprem-coding-agents[platform]" in done.stderr
    assert "Traceback" not in done.stderr
