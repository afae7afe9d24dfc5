"""What Codex alone has: a list of models of its own, and tools in namespaces, of MCP servers and of its sub-agents."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from onprem_agents.agents.codex import CODEX
from tests.agents import notes_server
from tests.agents.machine import Machine, Outcome
from tests.agents.scenarios import OWNERS
from tests.gateway.gateway import Gateway

pytestmark = pytest.mark.parametrize("agent", [CODEX.name])
GREETING = "reply with the word ready"


def with_notes(machine: Machine) -> Path:
    """Give the developer an MCP server of their own, and return the file that it writes."""
    config, notes = machine.home / ".codex" / "config.toml", machine.home / "notes.txt"
    server = [str(Path(notes_server.__file__)), str(notes)]
    text = f"\n[mcp_servers.notes]\ncommand = {json.dumps(sys.executable)}\nargs = {json.dumps(server)}\n"
    config.write_text(config.read_text() + text)
    return notes


def told(outcome: Outcome) -> list[str]:
    return [line for line in outcome.text.splitlines() if '"type":"error"' in line]


def test_the_list_of_models_is_the_platforms_and_codex_complains_of_nothing(
    machine: Machine, gateway: Gateway
) -> None:
    listed = json.loads(machine.command("codex debug models").output)["models"]
    contract = json.loads((machine.home / ".config/onprem/connection.json").read_text())
    roles = [role for role in contract["roles"] if CODEX.name in role["supportedAgents"]]

    assert [
        (model["slug"], model["context_window"], model["auto_compact_token_limit"]) for model in listed
    ] == [(role["model"], role["contextTokens"], role["compactAtTokens"]) for role in roles]
    outcome = machine.run(GREETING)
    assert (outcome.code, told(outcome)) == (0, [])
    assert gateway.posted()[-1]["request"]["model"] == listed[0]["slug"]


def test_an_mcp_server_and_a_sub_agent_work_through_the_gateway(machine: Machine, gateway: Gateway) -> None:
    notes = with_notes(machine)
    machine.set_up(gateway, OWNERS[machine.agent])

    noted = machine.run('use the tool note with text "kept"')
    assert notes.read_text() == "kept\n", noted.text
    offered = gateway.posted()[-1]["request"]["tools"]
    assert {"mcp__notes__note", "multi_agent_v1__spawn_agent"} <= set(offered)

    before = len(gateway.posted())
    spawned = machine.run(f'use the tool spawn_agent with message "{GREETING}"')
    assert '"tool":"spawn_agent"' in spawned.text
    asked = gateway.posted()[before:]
    assert len(asked) >= 2, "the first turn and the last, and the sub-agent's if it was in time"
    assert [line["refusal"] for line in asked if line["status"] != 200] == []
