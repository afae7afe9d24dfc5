"""An example in a folder of its own, run by the commands of its README, in an environment with the wheel alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded.layout import Layout

_LIMIT_SECONDS = 300
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class ExampleRun:
    """A copy of one example with a backend of its own, and the variables with which `pulumi` works there."""

    folder: Path
    environment: Mapping[str, str]

    @classmethod
    def copy(
        cls, name: str, folder: Path, *, venv: Path, port: int, environment: Mapping[str, str]
    ) -> ExampleRun:
        """Copy an example beside the environment that its Pulumi.yaml names, its gateway on a free port."""
        source = Layout.default().checkout / "examples" / name
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".venv", "__pycache__"))
        (folder / ".venv").symlink_to(venv)
        for file in folder.rglob("Pulumi.yaml"):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("default: 443\n", f"default: {port}\n"), encoding="utf-8")
        backend = folder.with_name(f"{folder.name}-state")
        backend.mkdir()
        return cls(folder=folder, environment={**environment, "PULUMI_BACKEND_URL": f"file://{backend}"})

    def type(self, heading: str, **variables: str) -> str:
        """Type the commands below a heading of the README, and insist that each succeeds."""
        readme = (self.folder / "README.md").read_text(encoding="utf-8")
        (section,) = (each for each in readme.split("\n## ") if each.startswith(f"{heading}\n"))
        (commands,) = _BLOCK.findall(section)
        done = self._run("bash", "-euo", "pipefail", "-c", commands, **variables)
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def pulumi(self, *words: str, fails: bool = False) -> str:
        """Run one command that the README has not."""
        done = self._run("pulumi", *words)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr if fails else done.stdout

    def outputs(self, stack: str) -> dict[str, Any]:
        return dict(json.loads(self.pulumi("stack", "output", "--json", "-s", stack)))

    def objects(self, stack: str) -> list[dict[str, Any]]:
        """Return the inputs of the stack's Kubernetes objects."""
        resources = json.loads(self.pulumi("stack", "export", "-s", stack))["deployment"]["resources"]
        return [each["inputs"] for each in resources if each["type"].startswith("kubernetes:")]

    def _run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
