"""Releases of the agents beside the pinned ones: which there are, where each is installed, what was seen of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from embedded.layout import Layout
from embedded.lock import hold
from embedded.progress import Progress
from onprem_agents.agents import AGENTS, Agent
from onprem_agents.catalog.agent_check import AgentCheck
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.files import write_file

ASKED, ANSWERED = "ONPREM_AGENT_RELEASES", "ONPREM_AGENT_CHECKS"
"""Variables that name the file with the releases to try, and the one for what was seen, a JSON object a line."""

MOST = 2
_INSTALL_SECONDS = 1200
_HEAD = "# Written by `./dev test agents --newest`: agent, release, wire, translation, check, what went wrong, day.\n"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One release to try, and the folder that its program lies in."""

    agent: str
    release: str
    folder: str


def newest(versions: Iterable[str], *, latest: str, pinned: str) -> tuple[str, ...]:
    """Return the newest release and the one before it, without previews, those after `latest`, and the pinned one."""
    plain = {version: _numbers(version) for version in versions if re.fullmatch(r"\d+\.\d+\.\d+", version)}
    able = [version for version in plain if plain[version] <= _numbers(latest) and version != pinned]
    return tuple(sorted(able, key=lambda version: plain[version], reverse=True)[:MOST])


def published(agent: Agent, program: str) -> tuple[str, ...]:
    """Return what the registry's own client says of the agent's releases. Raises `EnvironmentProblem`."""
    match agent.registry:
        case "npm":
            told = json.loads(
                _run([program, "view", agent.package, "dist-tags.latest", "versions", "--json"])
            )
            versions, latest = told["versions"], str(told["dist-tags.latest"])
        case "PyPI":
            told = _run([sys.executable, "-m", "pip", "index", "versions", agent.package])
            found = re.search(r"Available versions: (.+)", told)
            versions = found[1].split(", ") if found else []
            latest = versions[0] if versions else agent.version
    return newest(versions, latest=latest, pinned=agent.version)


def trials(layout: Layout, names: Sequence[str], progress: Progress) -> list[Trial]:
    """Install the newest and the previous release of these agents, each into a folder of its own."""
    npm = shutil.which("npm")
    if npm is None:
        raise EnvironmentProblem("npm is missing: install Node.js 20 or later")
    found = []
    for agent in (agent for agent in AGENTS if agent.name in names):
        for release in published(agent, npm):
            progress.note(f"installing {agent.package} {release}")
            folder = layout.cache / "agents" / "releases" / f"{agent.name}-{release}"
            found.append(
                Trial(agent=agent.name, release=release, folder=str(_install(agent, release, folder, npm)))
            )
    return found


def asked(trials: Sequence[Trial]) -> str:
    """Return the releases as the tests read them."""
    return json.dumps([asdict(trial) for trial in trials])


def read_trials(path: Path) -> list[Trial]:
    """Return the releases that a run was asked for."""
    return [Trial(**each) for each in json.loads(path.read_text(encoding="utf-8"))]


def checks_of(lines: str, seen: date) -> list[AgentCheck]:
    """Return what the tests wrote down, each once, the last word counting."""
    found: dict[str, AgentCheck] = {}
    for line in lines.splitlines():
        check = AgentCheck(**json.loads(line), seen=seen)
        found[check.name] = check
    return list(found.values())


def missing(trials: Sequence[Trial], checks: Sequence[AgentCheck]) -> list[str]:
    """Return the releases of which nothing was seen at all."""
    seen = {(check.agent, check.release) for check in checks}
    return [f"{each.agent} {each.release}" for each in trials if (each.agent, each.release) not in seen]


def united(before: Sequence[AgentCheck], now: Sequence[AgentCheck]) -> list[AgentCheck]:
    """Return the matrix with new results: those of an agent that was tried take the place of all its older ones."""
    tried = {check.agent for check in now}
    kept = [check for check in before if check.agent not in tried]
    order = [agent.name for agent in AGENTS]
    known = [check for check in (*kept, *now) if check.agent in order]
    return sorted(known, key=lambda check: order.index(check.agent))


def write(path: Path, checks: Sequence[AgentCheck]) -> None:
    """Write the matrix into the catalogue."""
    rows: list[dict[str, Any]] = [check.model_dump(exclude_none=True) for check in checks]
    body = "".join(f"- {_flow(row)}\n" for row in rows) or "[]\n"
    write_file(path, (_HEAD + body).encode(), 0o644)


def _flow(row: dict[str, Any]) -> str:
    return str(yaml.safe_dump(row, default_flow_style=True, sort_keys=False, width=10_000)).strip()


def _install(agent: Agent, release: str, folder: Path, npm: str) -> Path:
    """Return the folder that holds the agent's program alone."""
    done, programs = folder / "installed", folder / "bin"
    with hold(folder.parent / "lock", command=f"installing {agent.name}", wait_seconds=_INSTALL_SECONDS):
        if done.exists():
            return programs
        shutil.rmtree(folder, ignore_errors=True)
        programs.mkdir(parents=True)
        match agent.registry:
            case "npm":
                wanted = f"{agent.package}@{release}"
                _run(
                    [
                        npm,
                        "install",
                        "--prefix",
                        str(folder),
                        "--ignore-scripts",
                        "--no-audit",
                        "--no-fund",
                        wanted,
                    ]
                )
                package = folder / "node_modules" / agent.package
                if script := _own_script(package):
                    _run(["node", str(script)])
                program = linked(agent, folder / "node_modules" / ".bin")
            case "PyPI":
                _run([sys.executable, "-m", "venv", str(folder / "python")])
                _run([str(folder / "python/bin/pip"), "install", "--quiet", f"{agent.package}=={release}"])
                program = folder / "python" / "bin" / agent.name
        if not program.exists():
            raise EnvironmentProblem(f"{agent.package} {release} brings no program {program.name}")
        (programs / agent.name).symlink_to(program)
        done.touch()
    return programs


def linked(agent: Agent, programs: Path) -> Path:
    """Return the program that a package of npm's brings: earlier releases may name it otherwise than the pinned one."""
    own = programs / (agent.packaged_as or agent.name)
    return own if own.exists() else programs / agent.name


def _own_script(package: Path) -> Path | None:
    """Return what an npm package itself runs to put its program in place; scripts of its dependencies stay off."""
    scripts = json.loads((package / "package.json").read_text(encoding="utf-8")).get("scripts", {})
    found = re.fullmatch(r"node (?:\./)?([\w./-]+\.[cm]?js)", scripts.get("postinstall", ""))
    return package / found[1] if found else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise EnvironmentProblem(f"{' '.join(command[:3])} failed: {' '.join(last)}")
    return done.stdout
