"""What `./dev check` says of imports and declared dependencies, on a checkout of a few lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.commands.dependencies import undeclared

pytestmark = pytest.mark.unit

_PROJECT = """
[project]
dependencies = ["click>=8"]
[project.optional-dependencies]
platform = ["pulumi>=3", "httpx2"]
dev = ["pytest>=8", "protobuf", "ruff"]
[tool.declared-dependencies.not-imported]
ruff = "its command is called"
[tool.setuptools.package-dir]
ours_components = "components"
[[tool.mypy.overrides]]
module = ["torch.*"]
ignore_missing_imports = true
"""
_FILES = {
    "onprem_agents/cli.py": "import os\nimport click\nfrom onprem_agents import kube\n",
    "onprem_agents/kube.py": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import httpx2\n"
        "def connect():\n    import httpx2.client\n"
    ),
    "components/thing.py": "import pulumi\nfrom . import other\n",
    "examples/__main__.py": "import pulumi\nfrom ours_components import thing\n",
    "tests/test_thing.py": (
        "import pytest\nimport torch.nn\nimport helper\nfrom google.protobuf import struct_pb2\n"
    ),
    "tests/helper.py": "",
}


def found(folder: Path, changes: dict[str, str] | None = None, project: str = _PROJECT) -> list[str]:
    (folder / "pyproject.toml").write_text(project)
    for name, text in (_FILES | (changes or {})).items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return list(undeclared(folder))


def test_a_checkout_that_declares_what_it_imports_is_quiet(tmp_path: Path) -> None:
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("onprem_agents/more.py", "import msgspec\n", "no list for this file declares msgspec"),
        ("onprem_agents/more.py", "import httpx2\n", "no list for this file declares httpx2"),
        ("onprem_agents/more.py", "def f():\n    import pytest\n", "no list for this file declares pytest"),
        ("components/more.py", "import pytest\n", "no list for this file declares pytest"),
        (
            "examples/more.py",
            "import theirs_components\n",
            "no list for this file declares theirs_components",
        ),
        ("examples/more.py", "import pytest\n", "no list for this file declares pytest"),
        ("policy/more.py", "from grpc import StatusCode\n", "no list for this file declares grpcio"),
        ("tests/more.py", "import no_such_module\n", "no list for this file declares no_such_module"),
    ],
    ids=[
        "unknown",
        "platform at once",
        "dev when deferred",
        "dev",
        "like ours",
        "dev in an example",
        "by another name",
        "not installed",
    ],
)
def test_an_import_is_declared_where_it_is_needed(
    tmp_path: Path, file: str, text: str, sentence: str
) -> None:
    (line,) = found(tmp_path, {file: text})

    assert line.startswith(file)
    assert line.endswith(sentence)


def test_a_declaration_that_nobody_imports_is_named(tmp_path: Path) -> None:
    assert found(tmp_path, {"components/thing.py": "", "examples/__main__.py": ""}) == [
        "pyproject.toml: pulumi is declared, and nobody imports it"
    ]


def test_a_reason_without_need_is_named(tmp_path: Path) -> None:
    project = _PROJECT.replace('ruff = "its', 'click = "?"\nmypy = "?"\nruff = "its')

    assert found(tmp_path, project=project) == [
        "pyproject.toml: click stands under not-imported without need",
        "pyproject.toml: mypy stands under not-imported without need",
    ]
