"""A copy of this checkout with a state folder and a gateway port of its own, driven as a user drives it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.ports import LOOPBACK, Ports
from onprem_agents.stack.settings import PROJECT

# What the program and `./dev` consist of.
_PARTS = (
    "onprem_agents",
    "components",
    "policy",
    "embedded",
    "scripted_model",
    "tools",
    "stacks",
    "Pulumi.yaml",
    "__main__.py",
)
_LIMIT_SECONDS = 300
_OWN_VARIABLES = ("PULUMI_", "ONPREM_STATE", "KUBECONFIG")

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended; `text` is standard output and standard error in the order in which they came."""

    code: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """The copy; `port` is the gateway's in every stack file."""

    layout: Layout
    port: int

    @classmethod
    def copy(cls, folder: Path) -> Checkout:
        """Copy the checkout that these tests belong to; its stack files lose the keys they may have."""
        source = Layout.default()
        layout = Layout(checkout=folder / "checkout", state=folder / "state", cache=source.cache)
        layout.checkout.mkdir(parents=True)
        for part in _PARTS:
            if (source.checkout / part).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source.checkout / part, layout.checkout / part, ignore=ignored)
            else:
                shutil.copy(source.checkout / part, layout.checkout / part)
        # Pulumi.yaml names it; the official language host looks there, the stand-in runs on this interpreter.
        (layout.checkout / ".venv").symlink_to(sys.prefix)
        checkout = cls(layout=layout, port=Ports(folder / "test-ports.json")["gateway"])
        for file in (layout.checkout / "stacks").glob("Pulumi.*.yaml"):
            content = yaml.safe_load(file.read_text())
            platform = content["config"][f"{PROJECT}:platform"]
            platform["access"]["port"] = checkout.port
            file.write_text(yaml.safe_dump({"config": {f"{PROJECT}:platform": platform}}, sort_keys=False))
        return checkout

    def stack_file(self, stack: str) -> Path:
        return self.layout.checkout / "stacks" / f"Pulumi.{stack}.yaml"

    def platform(self, stack: str = "local") -> Any:
        """Return the platform section of a stack file, to be changed and given to `write_stack`."""
        return yaml.safe_load(self.stack_file(stack).read_text())["config"][f"{PROJECT}:platform"]

    def write_stack(self, stack: str, platform: object) -> None:
        """Write a stack file, keeping the keys that it has."""
        file = self.stack_file(stack)
        content = yaml.safe_load(file.read_text()) if file.exists() else {"config": {}}
        content["config"][f"{PROJECT}:platform"] = platform
        file.write_text(yaml.safe_dump(content, sort_keys=False))

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start `./dev WORDS`, to be watched, interrupted or killed."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_VARIABLES)}
        return subprocess.Popen(
            [sys.executable, "-m", "tools.dev", *words],
            cwd=self.layout.checkout,
            env=own | {"ONPREM_STATE": str(self.layout.state)} | dict(env or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Start `./dev WORDS` and make sure that it has ended when the block ends."""
        child = self.start(*words)
        try:
            yield child
        finally:
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
                child.communicate(timeout=60)

    def dev(self, *words: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Outcome:
        """Run `./dev WORDS` to its end."""
        child = self.start(*words, env=env)
        try:
            text, _ = child.communicate(stdin, timeout=_LIMIT_SECONDS)
        except BaseException:
            child.send_signal(signal.SIGINT)
            child.communicate(timeout=60)
            raise
        return Outcome(code=child.returncode, text=text)

    def up(self, stack: str = "local") -> Outcome:
        """Run `./dev up` and insist that it succeeds."""
        done = self.dev("up", stack)
        assert done.code == 0, done.text
        return done

    def pulumi(self, *words: str, stdin: str = "") -> Outcome:
        """Run a plain `pulumi` command as `./dev shell` offers it."""
        return self.dev("shell", "pulumi", *words, "--non-interactive", "--color", "never", stdin=stdin)

    def set_secret(self, stack: str, path: str, value: str) -> None:
        """Set one secret of the stack's config; the value goes in by standard input."""
        name = f"{PROJECT}:{path}"
        done = self.pulumi("config", "set", "--secret", "--path", name, "--stack", stack, stdin=value)
        assert done.code == 0, done.text

    def status(self) -> Document:
        done = self.dev("status", "--json")
        assert done.code == 0, done.text
        return dict(json.loads(done.text))

    def client(self) -> KubeWriter:
        return KubeWriter.from_kubeconfig(self.layout.kubeconfig)

    def state(self, stack: str = "local") -> Document:
        """Return the deployment of a stack as the backend keeps it."""
        file = self.layout.pulumi_backend / ".pulumi" / "stacks" / PROJECT / f"{stack}.json"
        return dict(json.loads(file.read_text())["checkpoint"].get("latest") or {}) if file.exists() else {}

    def is_up(self, stack: str = "local") -> bool:
        """Whether the stack has resources and its cluster runs."""
        return len(self.state(stack).get("resources") or []) > 1 and bool(self.processes())

    def gateway(self, host: str = "localhost") -> httpx.Client:
        """Return a client that knows the gateway under its host name and trusts the cluster's authority."""
        context = ssl.create_default_context(cafile=str(self.layout.cluster / "pki" / "ca.crt"))
        return httpx.Client(
            base_url=f"https://{LOOPBACK}:{self.port}",
            headers={"Host": f"{host}:{self.port}"},
            verify=context,
            trust_env=False,
        )

    def key(self, developer: str, namespace: str = "coding-agents") -> str:
        """Return a developer's key from the cluster, where alone it may stand in plain text."""
        with self.client() as client:
            data = client.get("v1", "Secret", f"key-{developer}", namespace)["data"]
        return base64.b64decode(data[developer]).decode()

    def processes(self) -> dict[int, str]:
        """Return everything that runs for this copy, engine and cluster alike: pid to command line."""
        marks = (f"ONPREM_STATE={self.layout.state}".encode(), f"={self.layout.state}/".encode())
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdecimal() and any(m in (entry / "environ").read_bytes() for m in marks):
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                    if command:  # a zombie has none
                        found[int(entry.name)] = command
            except OSError:
                continue
        return found


def ask(client: httpx.Client, method: str, path: str, **headers: str) -> httpx.Response:
    """Send one request to the gateway under its own host name, also in the TLS handshake."""
    host = client.headers["Host"].partition(":")[0]
    return client.request(method, path, headers=headers, extensions={"sni_hostname": host})
