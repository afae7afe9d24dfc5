"""A program of somebody else's that declares manifests, for the real engine: it asks no provider and no cluster."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from embedded import plugins
from embedded.engine import engine_environment
from embedded.layout import Layout
from embedded.toolchain import present
from tests.policy.programs import Manifests

# Declares manifests under their types: the engine shows them to the pack, and asks no provider.
_PROGRAM = """
import json
import pulumi


class Stated(pulumi.ComponentResource):
    def __init__(self, name, body):
        version = body["apiVersion"]
        group = version if "/" in version else f"core/{version}"
        super().__init__(f"kubernetes:{group}:{body['kind']}", name, body)
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
            env={**os.environ, **self.environment, "PULUMI_DEBUG_COMMANDS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    def preview(self, pack: Path, config: Path) -> tuple[int, str, list[dict[str, Any]]]:
        """Preview with a pack and its configuration; return exit code, output, and what the policies told."""
        log = self.folder / "events.jsonl"
        words = ("--policy-pack", str(pack), "--policy-pack-config", str(config), "--event-log", str(log))
        code, told = self.run("preview", *words)
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        events = [json.loads(line).get("policyEvent") for line in lines]
        return code, told, [event for event in events if event]

    def declare(self, manifests: Manifests) -> None:
        (self.folder / "manifests.json").write_text(json.dumps(manifests), encoding="utf-8")


def program_in(tmp_path: Path) -> Program:
    """Make one with a stack; skips the test where the engine is not built."""
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
