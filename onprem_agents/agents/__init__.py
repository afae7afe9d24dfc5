"""The coding agents, one object each: what a contract means to each, where it
lies on a machine, how it is run, and what can be wrong with it.

All of it is values; text is made in `setup`, and no file is touched here.
"""

from __future__ import annotations

from onprem_agents.agents.agent import Agent, Client, Proxy, Target
from onprem_agents.agents.registry import (
    AGENTS,
    CLIENTS,
    PROXIES,
    SOFTWARE,
    TARGETS,
    agent_named,
    obstacle,
    target_named,
    unused,
)

__all__ = [
    "AGENTS",
    "CLIENTS",
    "PROXIES",
    "SOFTWARE",
    "TARGETS",
    "Agent",
    "Client",
    "Proxy",
    "Target",
    "agent_named",
    "obstacle",
    "target_named",
    "unused",
]
