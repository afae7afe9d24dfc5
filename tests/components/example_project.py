"""A project below `examples`, run on mocks as the language host would run it: the real program, the real config."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime.config import set_all_config

import components
from tests.components.recording import Recorder, exports, recorded

EXAMPLES = Path(__file__).parents[2] / "examples"
INSTALLED_NAME = "onprem_agents_components"

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a program declared, and its outputs."""

    recorder: Recorder
    outputs: Document

    def inputs(self) -> Document:
        """Return what every resource was told, by its name."""
        return {item.name: item.inputs for item in self.recorder.resources}

    def objects(self) -> list[tuple[str, str, str]]:
        """Return kind, namespace and name of every Kubernetes object."""
        return [
            (inputs["kind"], inputs["metadata"].get("namespace", ""), inputs["metadata"]["name"])
            for inputs in (
                item.inputs for item in self.recorder.resources if item.typ.startswith("kubernetes:")
            )
        ]

    def of_kind(self, kind: str) -> list[Any]:
        """Return the inputs of all objects of a kind."""
        return [
            item.inputs
            for item in self.recorder.resources
            if item.typ.startswith("kubernetes:") and item.typ.endswith(f":{kind}")
        ]


@dataclass(frozen=True)
class ExampleProject:
    """One folder with a Pulumi.yaml."""

    folder: Path

    @property
    def name(self) -> str:
        return str(self._settings()["name"])

    @property
    def stacks(self) -> list[str]:
        """The stacks that have a file, by name."""
        return sorted(file.name.split(".")[1] for file in self.folder.glob("Pulumi.*.yaml"))

    def config(self, stack: str | None, **more: Any) -> Document:
        """Return what Pulumi makes of the project's defaults, the stack's file and what was set besides."""
        base = {
            self._key(name): entry.get("value", entry.get("default"))
            for name, entry in self._settings().get("config", {}).items()
        }
        file = self.folder / f"Pulumi.{stack}.yaml"
        own = yaml.safe_load(file.read_text(encoding="utf-8"))["config"] if stack and file.exists() else {}
        return base | own | {self._key(name): value for name, value in more.items()}

    def run(
        self,
        monkeypatch: pytest.MonkeyPatch,
        stack: str | None = None,
        *,
        secrets: Mapping[str, Any] | None = None,
        stacks: Mapping[str, Mapping[str, Any]] | None = None,
        **more: Any,
    ) -> Run:
        """Run the program of a stack; `more` are settings that a README has people set."""
        monkeypatch.setitem(sys.modules, INSTALLED_NAME, components)
        outputs = exports(monkeypatch)
        values = self.config(stack, **more, **(secrets or {}))
        encrypted = [self._key(name) for name in secrets or {}]
        set_all_config({name: _text(value) for name, value in values.items()}, encrypted)
        recorder = recorded(
            lambda: runpy.run_path(str(self.folder / "__main__.py"), run_name="__main__"),
            project=self.name,
            stack=stack or "dev",
            stacks=stacks,
        )
        return Run(recorder=recorder, outputs=outputs)

    def _key(self, name: str) -> str:
        return name if ":" in name else f"{self.name}:{name}"

    def _settings(self) -> Document:
        return dict(yaml.safe_load((self.folder / "Pulumi.yaml").read_text(encoding="utf-8")))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
