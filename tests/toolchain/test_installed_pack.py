"""The installed policy pack, started by the real engine for a program of somebody else's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from embedded import plugins
from embedded.engine import engine_environment
from embedded.layout import Layout
from embedded.toolchain import present
from tests.policy.programs import Manifests, compliant, without
from tests.toolchain.installed import Environment, build_wheel, copy_sources

# Declares manifests under their types: the engine shows them to the pack, and asks no provider.
_PROGRAM = """
import json
import pulumi


class Stated(pulumi.ComponentResource):
    def __init__(self, name, body):
        super().__init__(f"kubernetes:{body['apiVersion']}:{body['kind']}", name, body)
        self.register_outputs(body)


with open("manifests.json") as file:
    for name, body in json.load(file).items():
        Stated(name, body)
"""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A Pulumi program in a folder of its own, with a backend of its own."""

    folder: Path
    pulumi: Path
    environment: Mapping[str, str]

    def run(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            [str(self.pulumi), *words, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    def declare(self, manifests: Manifests) -> None:
        (self.folder / "manifests.json").write_text(json.dumps(manifests), encoding="utf-8")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    default = Layout.default()
    layout = Layout(checkout=default.checkout, state=tmp_path / "state", cache=default.cache)
    binaries = present(layout, ("pulumi",))
    if not binaries:
        pytest.skip("the engine is not built yet; `./dev test provider` brings it")
    plugins.install(layout, binaries)
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: theirs\nruntime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(_PROGRAM, encoding="utf-8")
    environment = engine_environment(layout, binaries)
    program = Program(folder=folder, pulumi=binaries["pulumi"].path, environment=environment)
    code, told = program.run("stack", "init", "test")
    assert code == 0, told
    return program


def test_it_refuses_a_server_without_tool_calling_and_passes_a_compliant_one(
    program: Program, tmp_path: Path
) -> None:
    environment = Environment.make(tmp_path / "venv")
    environment.install(build_wheel(copy_sources(tmp_path / "source")))
    pack = environment.run("onprem-agents", "policy-pack").strip()
    manifests = compliant()

    program.declare(manifests)
    code, told = program.run("preview", "--policy-pack", pack)
    assert code == 0, told

    without("--enable-auto-tool-choice")(manifests)
    program.declare(manifests)
    code, told = program.run("preview", "--policy-pack", pack)
    assert code != 0
    assert "[mandatory]" in told
    assert "tool-calling-is-on" in told
    assert "parser-fits-the-model" not in told, "one change, one policy"
