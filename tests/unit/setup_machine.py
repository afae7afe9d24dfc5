"""What the tests of `onprem-agents setup` share: made-up keys, the agents' versions, and a look at a whole folder."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from onprem_agents.agents import AGENTS, Agent
from onprem_agents.contract.connection import Connection
from tests.expected_agents import EXPECTED
from tests.unit.platform_server import Platform

KEY = "onprem-0123456789-the-key-of-alice"
OTHER = "onprem-9876543210-another-key"
HOME_VARIABLES = tuple(agent.home_variable for agent in AGENTS if agent.home_variable is not None)
VERSIONS = {name: expected.says_version for name, expected in EXPECTED.items()}
Setup = Callable[..., Result]
Onprem = Callable[..., Result]


def address(server: Platform) -> str:
    """Return what is typed after --host for a platform on loopback."""
    return f"http://{server.authority}"


def shell_of(agent: Agent, connection: Connection, *, key: str | None) -> dict[str, str]:
    """Return the variables that a new shell has for an agent, with its key where it takes it from one."""
    own = agent.environment(connection)
    by_variable = key is not None and EXPECTED[agent.name].by_variable
    return own.values | (dict.fromkeys(own.keys, key or "") if by_variable else {})


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content of all below a folder; folders have no content."""
    return {
        str(path.relative_to(folder)): (
            stat.S_IMODE(path.lstat().st_mode),
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }
