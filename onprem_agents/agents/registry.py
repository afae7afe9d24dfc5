"""Every agent and proxy that the product knows: the one list of their names."""

from __future__ import annotations

from typing import assert_never

from onprem_agents.agents.agent import Agent, Client, Proxy, Target
from onprem_agents.agents.aider import AIDER
from onprem_agents.agents.ccr import CCR
from onprem_agents.agents.claude import CLAUDE
from onprem_agents.agents.cline import CLINE
from onprem_agents.agents.cn import CN
from onprem_agents.agents.codex import CODEX
from onprem_agents.agents.copilot import COPILOT
from onprem_agents.agents.editors import EDITORS
from onprem_agents.agents.goose import GOOSE
from onprem_agents.agents.kilo import KILO
from onprem_agents.agents.litellm import LITELLM
from onprem_agents.agents.opencode import OPENCODE
from onprem_agents.agents.pi import PI
from onprem_agents.agents.plain import PLAIN
from onprem_agents.agents.qwen import QWEN
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import UnknownFact

AGENTS: tuple[Agent, ...] = (OPENCODE, CODEX, CLAUDE, QWEN, CLINE, KILO, COPILOT, PI, CN, AIDER, GOOSE)
PROXIES: tuple[Proxy, ...] = (CCR, LITELLM)
SOFTWARE: tuple[Agent | Proxy, ...] = (*AGENTS, *PROXIES)
CLIENTS: tuple[Client, ...] = (*PLAIN, *EDITORS)
TARGETS: tuple[Target, ...] = (*SOFTWARE, *CLIENTS)


def agent_named(name: str) -> Agent:
    """Return the agent of that name. Raises `UnknownFact`."""
    for agent in AGENTS:
        if agent.name == name:
            return agent
    raise UnknownFact("agent", name, [agent.name for agent in AGENTS])


def target_named(name: str) -> Target:
    """Return the agent or proxy of that name. Raises `UnknownFact`."""
    for target in TARGETS:
        if target.name == name:
            return target
    raise UnknownFact("agent", name, [target.name for target in TARGETS])


def unused(connection: Connection, agent: Agent) -> str | None:
    """Return that the platform's developers use others than that agent, None where they use it or nothing is said."""
    if connection.agents is None or agent.name in connection.agents:
        return None
    others = ", ".join(connection.agents) or "none"
    return f"not one of the agents that the platform is for ({others}); onprem-agents setup {agent.name} prepares it"


def obstacle(connection: Connection, target: Target) -> str | None:
    """Return why the main role cannot serve that target, or None if it can."""
    if isinstance(target, Client):
        return None
    agent, main = _who_asks(target), connection.main
    if agent.name in main.supported_agents:
        return agent.obstacle(
            context_tokens=main.context_tokens,
            max_output_tokens=main.max_output_tokens,
            tool_calling=main.tool_calling,
        )
    return main.unsupported_reasons.get(agent.name, f"the contract does not list {agent.name} for this role")


def _who_asks(target: Agent | Proxy) -> Agent:
    match target:
        case Agent():
            return target
        case Proxy():
            return target.behind
        case _:
            assert_never(target)
