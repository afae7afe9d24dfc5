"""The real agents in a terminal, through the real gateway: what `onprem-agents doctor --agent NAME --interactive` does.

Each is driven where there is only loopback, from its first start on; then each compacts where the contract's window
ends, and not before.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from onprem_agents.agents import Agent, agent_named
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.connection_file import parse
from onprem_agents.probes.agent_session import Session
from onprem_agents.probes.interactive import STAGES, interactive
from onprem_agents.probes.screens import SCREENS
from onprem_agents.probes.terminal import Terminal
from onprem_agents.probes.verdict import Verdict
from onprem_agents.setup.installed import Installed
from tests.agents import closed_network
from tests.agents.machine import Machine
from tests.agents.scenarios import OWNERS, PATHS, came_from, check_came
from tests.agents.side_by_side import Failed, SideBySide, succeeded
from tests.gateway.gateway import Gateway

# Codex looks for an announcement at each start of its terminal, and no setting stops it (0.169.0, 2026-11).
ASKED_FOR = {"codex": {"raw.githubusercontent.com"}}
SECONDS = 240.0
REPETITIONS = range(3)

# Claude Code 2.1.330 says that it has compacted where it was told to, not where it does so by itself.
WITHOUT_NOTE = ("claude",)


def contract(machine: Machine) -> Connection:
    return parse((machine.home / ".config/onprem/connection.json").read_text(), "the contract of setup")


@dataclass(frozen=True, kw_only=True)
class Sat:
    """What the doctor found in one session, what the model server was sent, and what was looked for outside."""

    found: Sequence[Verdict]
    came: list[dict[str, Any]]
    looked_for: set[str]


def sit(machine: Machine, gateway: Gateway, folder: Path) -> Sat:
    """Drive an agent from its first start on, where there is only loopback."""
    if not closed_network.is_possible():
        pytest.skip(closed_network.MISSING)
    before = len(gateway.posted())
    with closed_network.around(gateway.port, folder) as (within, asked):
        program = folder / machine.agent
        program.write_text(f'#!/bin/sh\nexec {shlex.join(within)} {machine.clis / machine.agent} "$@"\n')
        program.chmod(0o755)
        there = Installed(agent=agent_named(machine.agent), path=str(program))
        found = list(interactive(contract(machine), there, machine.variables(), key=None, seconds=SECONDS))
        came = came_from(OWNERS[machine.agent], gateway.posted()[before:])
        return Sat(found=found, came=came, looked_for=set(asked.read_text().split()))


@pytest.fixture
def sessions(side_by_side: SideBySide, gateway: Gateway, agent: str) -> Sequence[Sat | Failed]:
    """That agent's sessions, driven beside those of the others, for a terminal is mostly waited for."""

    def run(machine: Machine, folder: Path) -> Sat:
        return sit(machine, gateway, folder)

    return side_by_side(run, repetitions=len(REPETITIONS))[agent]


@pytest.mark.parametrize("repetition", REPETITIONS)
@pytest.mark.parametrize("agent", SCREENS)
def test_a_session_goes_from_the_first_start_to_its_resumption_and_leaves_nothing_to_click_away(
    sessions: Sequence[Sat | Failed], gateway: Gateway, agent: str, repetition: int
) -> None:
    sat = succeeded(sessions[repetition])

    assert [(each.probe, each.cause, each.evidence) for each in sat.found if each.cause != "ok"] == []
    assert [each.probe for each in sat.found] == [f"{agent} {stage}" for stage in STAGES]
    assert sat.looked_for <= ASKED_FOR.get(agent, set())
    check_came(
        [line for line in sat.came if line["path"] != "/v1/messages/count_tokens"],
        path=PATHS[agent],
        key=gateway.key(OWNERS[agent]),
    )


@pytest.mark.parametrize("agent", SCREENS)
def test_an_agent_compacts_where_the_window_of_the_contract_ends_and_not_before(
    machine: Machine, gateway: Gateway, agent: str
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
        long = messages_asked(gateway)
        session.say(word_asked_for("after"))
        if agent in WITHOUT_NOTE:
            terminal.wait(r"^\W*after\W*$", SECONDS, wanted="the answer after")
            assert messages_asked(gateway) < long, "the summary stands for them"
        else:
            terminal.wait(SCREENS[agent].compacted, SECONDS, wanted="the note that it has compacted")


def messages_asked(gateway: Gateway) -> int:
    """Return how many messages the newest request held."""
    return len(gateway.posted()[-1]["request"]["roles"])


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
