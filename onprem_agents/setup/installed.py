"""Which release of each agent is on this machine, and how to get one that is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from onprem_agents.agents import Agent
from onprem_agents.agents.config import Release
from onprem_agents.contract.connection import Connection

VERSION_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Installed:
    """What was found: `path` is None when the agent is missing, `release` when it did not say which it is."""

    agent: Agent
    path: str | None
    release: Release | None = None

    @property
    def text(self) -> str:
        """The release as people write it."""
        return ".".join(str(part) for part in self.release) if self.release else "of unknown release"


def find(agent: Agent, variables: Mapping[str, str]) -> Installed:
    """Ask the agent on PATH for its release. Never raises: an agent that does not answer has none."""
    path = shutil.which(agent.name, path=variables.get("PATH"))
    if path is None:
        return Installed(agent=agent, path=None)
    try:
        # opencode makes folders in the home even to tell its version (1.18.33, 2026-11).
        with tempfile.TemporaryDirectory(prefix="onprem-", ignore_cleanup_errors=True) as home:
            own = {name: value for name, value in variables.items() if not name.startswith("XDG_")}
            done = subprocess.run(
                [path, "--version"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=VERSION_SECONDS,
                check=False,
                env=own | {"HOME": home} | ({agent.home_variable: home} if agent.home_variable else {}),
            )
    except (OSError, subprocess.SubprocessError):
        return Installed(agent=agent, path=path)
    return Installed(agent=agent, path=path, release=release(done.stdout.decode("utf-8", "replace")))


def find_all(agents: Sequence[Agent], variables: Mapping[str, str]) -> list[Installed]:
    """Ask all of them at once: some need seconds to tell their release."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(lambda agent: find(agent, variables), agents))


def release(text: str) -> Release | None:
    """Return the first number with three parts in a text, or None."""
    match = re.search(r"\b(\d{1,6})\.(\d{1,6})\.(\d{1,9})", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def install_command(agent: Agent, connection: Connection) -> str:
    """Return the command that installs the agent, at the release that the platform was tested with."""
    return agent.install_command(connection.tested_agents.get(agent.name))
