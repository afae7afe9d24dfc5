"""A cluster, an engine and two Pulumi projects of the measurement's own: no stack of the user is touched.

One project is the product's program, the other an empty one; both run on the same engine, plugins, interpreter
and kind of backend.
"""

from __future__ import annotations

import dataclasses
import json
import math
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from embedded import plugins
from embedded.cluster import BINARIES, Cluster
from embedded.cluster.tls import give_certificate
from embedded.engine import Engine, EngineError
from embedded.layout import Layout
from embedded.needs import cluster_needs
from embedded.ports import Ports
from embedded.progress import Progress
from embedded.toolchain import provision
from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan, plan_stack
from onprem_agents.stack.settings import PROJECT
from onprem_agents.stack.stack_file import read_stack_file
from tools.bench.usage import Usage, answer, measured

EMPTY_STACK = "empty"
_LINKS = ("onprem_agents", "components", "policy")
_CLI_SECONDS = 120
_PLATFORM, _DEVELOPER_KEYS, _SERVER_KEY = (
    f"{PROJECT}:{key}" for key in ("platform", "developerKeys", "serverKey")
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a stack is."""

    developers: int
    roles: int


@dataclass(frozen=True, kw_only=True)
class Config:
    """One stack's config, its keys in plain text."""

    platform: Mapping[str, Any]
    developer_keys: Mapping[str, str]
    server_key: str

    def values(self) -> dict[str, str]:
        """Return it as the engine hands it to a program."""
        return {
            _PLATFORM: json.dumps(self.platform),
            _DEVELOPER_KEYS: json.dumps(self.developer_keys),
            _SERVER_KEY: self.server_key,
        }


@dataclass(frozen=True, kw_only=True)
class Project:
    """One Pulumi program with its own folder."""

    folder: Path
    binary: Path
    environment: Mapping[str, str]
    log: Path

    def add_stack(self, stack: str, config: Config | None = None) -> None:
        """Create a stack in the backend with its config.

        The keys go in by argument, which no real key may: these open nothing but the measurement's own gateway.
        """
        self._pulumi("stack", "init", stack, "--secrets-provider", "passphrase")
        if config is None:
            return
        file = self.folder / "stacks" / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        file.write_text(yaml.safe_dump({**content, "config": {_PLATFORM: config.platform}}), encoding="utf-8")
        keys = [f"{_DEVELOPER_KEYS}.{name}={key}" for name, key in config.developer_keys.items()]
        words = [word for key in (*keys, f"{_SERVER_KEY}={config.server_key}") for word in ("--secret", key)]
        self._pulumi("config", "set-all", "--path", "--stack", stack, *words)

    def change(self, stack: str, platform: Mapping[str, Any]) -> None:
        """Write another platform section into a stack that exists; it keeps its keys."""
        file = self.folder / "stacks" / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        content["config"][_PLATFORM] = dict(platform)
        file.write_text(yaml.safe_dump(content), encoding="utf-8")

    def timed(self, command: str, stack: str, *options: str) -> Usage:
        """Return what `pulumi COMMAND` on a stack costs."""
        argv = [
            str(self.binary),
            command,
            "--stack",
            stack,
            *options,
            "--non-interactive",
            "--color",
            "never",
        ]
        return measured(argv, cwd=self.folder, env=self.environment, log=self.log)

    def evaluated(self, stack: str, config: Path) -> tuple[Usage, int]:
        """Return what import and evaluation in a fresh interpreter cost, and the number of resources."""
        lines: list[str] = []
        usage = measured(
            [sys.executable, "-m", "tools.bench.evaluate", self.folder / "__main__.py", stack, config],
            cwd=Path(__file__).parents[2],
            env=self.environment,
            log=self.log,
            on_line=lines.append,
        )
        return usage, int(answer(lines))

    def _pulumi(self, *arguments: str) -> None:
        done = subprocess.run(
            [self.binary, *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CLI_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise EngineError(f"pulumi {' '.join(arguments[:2])} failed: {done.stderr.strip()}")


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The two projects, and the config of stack `local` on a host port of the measurement's own.

    `layout` has the measurement's own state folder, with the cluster in it.
    """

    layout: Layout
    product: Project
    empty: Project
    configs: Path
    platform: Mapping[str, Any]

    def config(self, size: Size) -> Config:
        """Return the config of `local` in that size, with made-up keys; its nodes hold a GPU for each role."""
        names = [f"dev-{number:03}" for number in range(size.developers)]
        access = self.platform["access"] | {"developers": {name: {} for name in names}}
        first = self.platform["models"][0]
        more = [first | {"role": f"{first['role']}-{number}"} for number in range(1, size.roles)]
        hardware = self.platform["hardware"]
        gpus_per_node = max(hardware["gpusPerNode"], math.ceil(size.roles / hardware["nodes"]))
        return Config(
            platform={
                **self.platform,
                "access": access,
                "models": [first, *more],
                "hardware": hardware | {"gpusPerNode": gpus_per_node},
            },
            developer_keys={name: secrets.token_urlsafe(32) for name in names},
            server_key=secrets.token_urlsafe(32),
        )

    def config_file(self, name: str, config: Config | None = None) -> Path:
        """Write config for `Project.evaluated`."""
        values = {} if config is None else config.values()
        file = self.configs / f"{name}.json"
        file.touch(mode=0o600)
        file.write_text(
            json.dumps({"values": values, "secrets": [_DEVELOPER_KEYS, _SERVER_KEY]}), encoding="utf-8"
        )
        return file


@contextmanager
def workspace(layout: Layout, progress: Progress) -> Iterator[Workspace]:
    """Provide the workspace below the state folder, and leave neither process nor file behind."""
    own = dataclasses.replace(layout, state=layout.state / "bench")
    _clear(own, progress)
    try:
        yield _made(layout, own, progress)
    finally:
        _clear(own, progress)


def _clear(own: Layout, progress: Progress) -> None:
    cluster = Cluster(own)
    if cluster.parts() or cluster.dead():
        cluster.stop(progress)
    shutil.rmtree(own.state, ignore_errors=True)


def _made(layout: Layout, own: Layout, progress: Progress) -> Workspace:
    binaries = provision(layout, (*BINARIES, *plugins.PROGRAMS), progress)
    file = read_stack_file(layout.checkout / "stacks", "local")
    raw: dict[str, Any] = json.loads(json.dumps(file.platform))
    raw["access"]["port"] = Ports(own.ports_file)["gateway"]
    plan = plan_stack(raw, stack="local", source=file.path.name)
    _start_cluster(own, plan, Cluster(own, binaries), progress)
    pulumi = binaries["pulumi"]
    plugins.install(own, binaries)
    environment = _environment(Engine(own, binaries))
    projects = {
        name: Project(
            folder=own.state / name,
            binary=pulumi.path,
            environment=environment,
            log=layout.logs / "bench.log",
        )
        for name in ("product", "empty")
    }
    _write_product(layout.checkout, projects["product"].folder)
    _write_empty(projects["empty"].folder)
    made = Workspace(layout=own, **projects, configs=own.state, platform=raw)
    made.empty.add_stack(EMPTY_STACK)
    return made


def _environment(engine: Engine) -> dict[str, str]:
    """Return the engine's environment, with bytecode: without it each run would compile all sources of a checkout.

    The empty program's are compiled in any case, pip did it; a package that pip installed has its own, too.
    """
    return {name: value for name, value in engine.environment.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _start_cluster(own: Layout, plan: PlatformPlan, cluster: Cluster, progress: Progress) -> None:
    cluster.start(cluster_needs(plan, render(plan)), progress)
    tls = plan.access.tls
    if tls.secret_name is None:
        return
    with closing(cluster.client()) as client:
        give_certificate(
            client,
            own.cluster,
            host=plan.access.host,
            name=tls.secret_name,
            namespace=tls.secret_namespace or plan.namespace,
        )


def _write_product(checkout: Path, folder: Path) -> None:
    (folder / "stacks").mkdir(parents=True)
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(checkout / name, folder / name)
    for name in _LINKS:
        (folder / name).symlink_to(checkout / name)
    (folder / ".venv").symlink_to(sys.prefix)


def _write_empty(folder: Path) -> None:
    (folder / "stacks").mkdir(parents=True)
    (folder / "__main__.py").write_text("import pulumi\n", encoding="utf-8")
    (folder / "Pulumi.yaml").write_text(
        "name: empty\nruntime:\n  name: python\n  options:\n    virtualenv: .venv\nstackConfigDir: stacks\n",
        encoding="utf-8",
    )
    (folder / ".venv").symlink_to(sys.prefix)
