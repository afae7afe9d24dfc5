"""The real agents in a terminal, through the real gateway: what `onprem-agents doctor --agent NAME --interactive` does.

Each is driven where there is only loopback, from its first start on; then each compacts where the contract's window
ends, and not before.
"""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from onprem_agents.agents import Agent, agent_named
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.connection_file import parse
from onprem_agents.probes.agent_session import Session
from onprem_agents.probes.interactive import STAGES, interactive
from onprem_agents.probes.screens import SCREENS
from onprem_agents.probes.terminal import Terminal
from onprem_agents.setup.installed import Installed
from tests.agents import closed_network
from tests.agents.gateway import Gateway
from tests.agents.machine import Machine
from tests.agents.scenarios import OWNERS, PATHS, check_came

# Codex looks for an announcement at each start of its terminal, and no setting stops it (0.169.0, 2026-11).
ASKED_FOR = {"codex": {"raw.githubusercontent.com"}}
SECONDS = 240.0


def contract(machine: Machine) -> Connection:
    return parse((machine.home / ".config/onprem/connection.json").read_text(), "the contract of setup")


@contextlib.contextmanager
def in_closed_network(machine: Machine, gateway: Gateway, folder: Path) -> Iterator[tuple[Installed, Path]]:
    """Yield the agent as a program that runs where there is only loopback, and the file of what it asks for."""
    if not closed_network.is_possible():
        pytest.skip("unshare and ip are missing, or may make no network here")
    with closed_network.around(gateway.port, folder) as (within, asked):
        program = folder / machine.agent
        program.write_text(f'#!/bin/sh\nexec {shlex.join(within)} {machine.clis / machine.agent} "$@"\n')
        program.chmod(0o755)
        yield Installed(agent=agent_named(machine.agent), path=str(program)), asked


@pytest.mark.parametrize("agent", SCREENS)
def test_a_session_goes_from_the_first_start_to_its_resumption_and_leaves_nothing_to_click_away(
    machine: Machine, gateway: Gateway, tmp_path: Path, agent: str
) -> None:
    with in_closed_network(machine, gateway, tmp_path) as (there, asked):
        found = list(interactive(contract(machine), there, machine.variables(), key=None, seconds=SECONDS))

        assert [(each.probe, each.cause, each.evidence) for each in found if each.cause != "ok"] == []
        assert [each.probe for each in found] == [f"{agent} {stage}" for stage in STAGES]
        assert set(asked.read_text().split()) <= ASKED_FOR.get(agent, set())
    came = gateway.posted()
    mine = [line for line in came if line["headers"].get("x-client-id") == OWNERS[agent]]
    check_came(
        [line for line in mine if line["path"] != "/v1/messages/count_tokens"],
        path=PATHS[agent],
        key=gateway.key(OWNERS[agent]),
    )


@pytest.mark.parametrize("agent", SCREENS)
def test_an_agent_compacts_where_the_window_of_the_contract_ends_and_not_before(
    machine: Machine, agent: str
) -> None:
    connection, known = contract(machine), agent_named(agent)
    program = (str(machine.clis / agent), *SCREENS[agent].begin(machine.repository))
    with Terminal.running(program, machine.repository, machine.variables()) as terminal:
        session = Session(
            terminal=terminal,
            screens=SCREENS[agent],
            connection=connection,
            folder=machine.repository,
            seconds=SECONDS,
        )
        session.answer_questions()
        limit = compacts_at(known, connection)
        reply(session, "below", tokens=limit - 3000)
        reply(session, "between")
        assert not re.search(SCREENS[agent].compacted, terminal.text), terminal.text
        reply(session, "above", tokens=limit + 1000)
        session.say(word_asked_for("after"))
        terminal.wait(SCREENS[agent].compacted, SECONDS, wanted="the note that it has compacted")


def compacts_at(agent: Agent, connection: Connection) -> int:
    main = connection.main
    return agent.limits.compacts_at(main.context_tokens, main.max_output_tokens)


def word_asked_for(word: str) -> str:
    return f"reply with the word {word}"


def reply(session: Session, word: str, *, tokens: int | None = None) -> None:
    """Let the model say a word and tell that its prompt had so many tokens."""
    told = f" [play usage={tokens} times=1 with_tools=1]" if tokens is not None else ""
    session.say(word_asked_for(word) + told)
    session.terminal.wait(rf"^\W*{word}\W*$", session.seconds, wanted=f"the answer {word}")
    session.terminal.settle(2.0, 30.0)
