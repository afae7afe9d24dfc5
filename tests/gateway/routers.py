"""The releases of claude-code-router that are run, pinned with what they need, once installed into the user's cache."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from embedded.layout import Layout
from embedded.lock import hold
from onprem_agents.agents.ccr import CCR, NEWER

_LIMIT_SECONDS = 600
_INSTALL = ("install", "--ignore-scripts", "--no-audit", "--no-fund")


@dataclass(frozen=True, kw_only=True)
class Router:
    """A release: the words that start it, what it leaves in its home, and how it is installed.

    `database` is where it keeps its file, keys in clear, once it has read and removed it (nothing: it only reads it);
    `asks_for_usage` says whether it has the model count tokens. `needs` pins packages of others, of which `compiled`
    has a part to be fetched or compiled; `may_lack` are those that it runs without, where the registry lacks them.
    """

    version: str
    start: str
    node: int
    database: str | None
    asks_for_usage: bool
    needs: Mapping[str, str] = field(default_factory=dict)
    compiled: str | None = None
    may_lack: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Installed:
    """The folder of a router's program, and what to say of how it got there."""

    programs: Path
    how: str


ROUTERS = (
    Router(version=CCR.version, start="ccr start", node=20, database=None, asks_for_usage=False),
    Router(
        version=NEWER,
        start="ccr serve --no-open",
        node=22,
        database="config.sqlite",
        asks_for_usage=True,
        needs={"better-sqlite3": "12.11.1", "node-forge": "1.4.3", "undici": "7.30.2"},
        compiled="better-sqlite3",
        # Not to be had on 2026-11-28. It carries the first in `dist`; the second is for chat programs.
        may_lack=("@the-next-ai/ai-gateway", "@the-next-ai/bot-gateway-sdk"),
    ),
)


def installed(router: Router, layout: Layout, clis: Path) -> Installed:
    """Install it unless it is; the Node.js of the agents runs it, where they have one of their own."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing: install Node.js 20 or later")
    path = os.pathsep.join([str(clis), os.environ["PATH"]])
    major = _node(path)
    if major < router.node:
        pytest.skip(
            f"claude-code-router {router.version} needs Node.js {router.node} or later, this is {major}"
        )
    folder = layout.cache / "agents" / f"ccr-{router.version}-node-{major}"
    done = folder / "installed"
    with hold(layout.cache / "agents" / "lock", command="installing the router", wait_seconds=_LIMIT_SECONDS):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            lacks = _fetched(router, npm, folder, path)
            if router.compiled is not None:
                _run(folder, path, npm, "rebuild", router.compiled, **_quickly(clis))
            done.write_text(lacks)
    how = f"claude-code-router {router.version} is installed {done.read_text()}"
    return Installed(programs=folder / "node_modules" / ".bin", how=how)


def _fetched(router: Router, npm: str, folder: Path, path: str) -> str:
    """Install it as its user would, else without what the registry does not serve; returns how it is."""
    whole = f"{CCR.package}@{router.version}"
    others = [f"{name}@{version}" for name, version in router.needs.items()]
    done = _try(folder, path, npm, *_INSTALL, whole, *others)
    if done.returncode == 0:
        return "as npm does it"
    said = done.stdout + done.stderr
    assert "E404" in said, said
    assert any(f"'{name}@" in said for name in router.may_lack), said
    _run(folder, path, npm, *_INSTALL, *others)
    _run(folder, path, npm, "pack", "--silent", whole)
    (archive,) = folder.glob("*.tgz")
    package = folder / "node_modules" / CCR.package
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    package.parent.mkdir(parents=True)
    (folder / "package").rename(package)
    program = folder / "node_modules" / ".bin" / "ccr"
    program.parent.mkdir(exist_ok=True)
    program.symlink_to(package / "dist" / "main" / "cli.js")
    return f"without {' and '.join(router.may_lack)}, which the registry does not serve"


def _quickly(clis: Path) -> dict[str, str]:
    """Return the variables with which a package is compiled in half a minute, should there be none for this machine."""
    headers = (clis / "node").resolve().parents[1]
    found = {"npm_config_nodedir": str(headers)} if (headers / "include/node/node.h").exists() else {}
    return {"CFLAGS": "-O0", "CXXFLAGS": "-O0", "JOBS": "max"} | found


def _node(path: str) -> int:
    done = subprocess.run(
        ["node", "--version"], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True
    )
    (major,) = re.findall(r"^v(\d+)\.", done.stdout)
    return int(major)


def _try(folder: Path, path: str, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": path} | variables,
        capture_output=True,
        text=True,
        timeout=_LIMIT_SECONDS,
        check=False,
    )


def _run(folder: Path, path: str, *command: str, **variables: str) -> None:
    done = _try(folder, path, *command, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
