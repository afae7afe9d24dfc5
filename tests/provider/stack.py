"""One Pulumi stack of a test: a small program, the real engine around it, and what it left on disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded.kube import KubeWriter

_LIMIT_SECONDS = 120
# What the SDK's classes send, without their import time of a second per command.
_PRELUDE = '''
import pulumi
from pulumi import Output, ResourceOptions

VERSION, NAMESPACE = {version!r}, {namespace!r}


class Object(pulumi.CustomResource):
    """A Kubernetes object under the SDK's type token."""

    def __init__(self, token, name, body, **options):
        group, kind = token.split(":")
        body = {{"apiVersion": group.removeprefix("core/"), "kind": kind.removesuffix("Patch"), **body}}
        options = ResourceOptions.merge(ResourceOptions(version=VERSION), ResourceOptions(**options))
        super().__init__("kubernetes:" + token, name, {{"status": None, **body}}, options)

    def __getitem__(self, key):
        return self.__dict__[key]


def meta(name=None, **more):
    return {{"namespace": NAMESPACE, **({{"name": name}} if name else {{}}), **more}}


def config_map(name, data, metadata=None, **options):
    return Object("core/v1:ConfigMap", name, {{"metadata": metadata or meta(name), "data": data}}, **options)

'''


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command of the engine ended; `changes` counts operations: `{"create": 2, "same": 1}`."""

    text: str
    code: int = 0
    changes: Mapping[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class Stack:
    """A stack of a project of its own, with its own namespace in the shared cluster."""

    folder: Path
    name: str
    namespace: str
    pulumi: Path
    environment: Mapping[str, str]
    plugin_version: str
    client: KubeWriter

    @property
    def backend(self) -> Path:
        return self.folder / "backend"

    def create(self) -> None:
        """Make project and stack."""
        self.backend.mkdir(parents=True)
        (self.folder / "Pulumi.yaml").write_text(f"name: {self.name}\nruntime: python\n")
        done = self._run("stack", "init", "test")
        assert done.code == 0, done.text

    def program(self, text: str) -> None:
        """Replace the program; `Object`, `config_map`, `meta`, `NAMESPACE`, `Output` and `pulumi` are there."""
        prelude = _PRELUDE.format(version=self.plugin_version, namespace=self.namespace)
        (self.folder / "__main__.py").write_text(prelude + text)

    def preview(self, *arguments: str, fails: bool = False) -> Outcome:
        done = self._run("preview", "--json", *arguments)
        assert (done.code != 0) == fails, done.text
        start = done.text.find("{")
        changes = json.loads(done.text[start : done.text.rindex("}") + 1]).get("changeSummary") or {}
        return Outcome(text=done.text, changes=_told(changes))

    def up(self, *arguments: str, fails: bool = False) -> Outcome:
        return self._change("up", *arguments, fails=fails)

    def refresh(self, *arguments: str, fails: bool = False) -> Outcome:
        return self._change("refresh", *arguments, fails=fails)

    def destroy(self, *arguments: str, fails: bool = False) -> Outcome:
        return self._change("destroy", *arguments, fails=fails)

    def run(self, *arguments: str, fails: bool = False) -> Outcome:
        """Run any command of the CLI."""
        done = self._run(*arguments)
        assert (done.code != 0) == fails, done.text
        return done

    def config(self, key: str, value: str, *, secret: bool = False) -> None:
        self.run("config", "set", key, value, *(["--secret"] if secret else []))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that the test interrupts or kills."""
        return subprocess.Popen(
            self._argv(*arguments),
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def interrupt(self, process: subprocess.Popen[str]) -> str:
        """Interrupt a command as Ctrl-C does, and return all that it said."""
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=_LIMIT_SECONDS)
        return text

    def outputs(self) -> dict[str, Any]:
        return dict(json.loads(self.run("stack", "output", "--json").text))

    def state(self) -> dict[str, Any]:
        """Return the deployment as the backend keeps it."""
        file = self.backend / ".pulumi" / "stacks" / self.name / "test.json"
        return dict(json.loads(file.read_text())["checkpoint"].get("latest") or {})

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the custom resources in the state, by their names in the program."""
        found = {}
        for resource in self.state().get("resources") or []:
            if resource["urn"].split("::")[2].startswith("kubernetes:"):
                found[resource["urn"].rpartition("::")[2]] = resource
        return found

    def files(self) -> dict[Path, str]:
        """Return everything that the backend holds: state, backups, history."""
        return {path: path.read_text() for path in self.backend.rglob("*") if path.is_file()}

    def get(self, kind: str, name: str, api_version: str = "v1") -> dict[str, Any]:
        return self.client.get(api_version, kind, name, self.namespace)

    def find(self, kind: str, name: str, api_version: str = "v1") -> dict[str, Any] | None:
        return self.client.find(api_version, kind, name, self.namespace)

    def _change(self, command: str, *arguments: str, fails: bool) -> Outcome:
        done = self._run(command, "--yes", "--skip-preview", *arguments)
        assert (done.code != 0) == fails, done.text
        history = self.backend / ".pulumi" / "history" / self.name / "test"
        files = sorted(history.glob("*.history.json"))
        changes = json.loads(files[-1].read_text()).get("resourceChanges") or {} if files else {}
        return Outcome(text=done.text, changes=_told(changes))

    def _run(self, *arguments: str) -> Outcome:
        done = subprocess.run(
            self._argv(*arguments),
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
        return Outcome(text=done.stdout + done.stderr, code=done.returncode)

    def _argv(self, *arguments: str) -> list[str]:
        return [str(self.pulumi), *arguments, "--non-interactive", "--color", "never"]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment, "PULUMI_BACKEND_URL": f"file://{self.backend}"}


def _told(changes: Mapping[str, int]) -> dict[str, int]:
    """Return the counts without the stack itself, which is there in every update."""
    told = dict(changes)
    for operation in ("same", "create", "delete", "update"):
        if told.get(operation):
            told[operation] -= 1
            break
    return {operation: count for operation, count in told.items() if count}
