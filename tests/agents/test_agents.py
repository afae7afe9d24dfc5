"""The real agents do real work through the real gateway, set up by `onprem-agents setup` alone.

The model is scripted and the gateway's host is `localhost`; everything between them is what a company runs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.agents import closed_network
from tests.agents.machine import UNATTENDED, Machine
from tests.agents.scenarios import OWNERS, PATHS, Work, came_from, check_came, work_without_internet
from tests.agents.side_by_side import Failed, SideBySide, succeeded
from tests.expected_agents import EXPECTED
from tests.gateway.gateway import Gateway

REPETITIONS = range(3)
Works = Sequence[Work | Failed]


@pytest.fixture
def runs(side_by_side: SideBySide, gateway: Gateway, agent: str) -> Works:
    def run(machine: Machine, folder: Path) -> Work:
        return work_without_internet(machine, gateway, folder)

    return side_by_side(run, repetitions=len(REPETITIONS))[agent]


@pytest.mark.parametrize("repetition", REPETITIONS)
@pytest.mark.parametrize("agent", UNATTENDED)
def test_an_agent_creates_a_file_and_repairs_another_until_its_check_passes(
    runs: Works, gateway: Gateway, agent: str, repetition: int
) -> None:
    done = succeeded(runs[repetition])

    came = came_from(OWNERS[agent], done.came)
    assert came
    check_came(came, path=PATHS[agent], key=gateway.key(OWNERS[agent]))


@pytest.mark.parametrize("agent", UNATTENDED)
def test_an_agent_works_where_there_is_only_loopback_and_looks_for_nothing_else_than_is_known(
    runs: Works, agent: str
) -> None:
    looked_for = [succeeded(run).looked_for for run in runs]

    if None in looked_for:
        pytest.skip(closed_network.MISSING)
    # A package that an agent looks for in the background may not be asked for in each run.
    assert frozenset().union(*filter(None, looked_for)) == set(EXPECTED[agent].looks_for)


def test_the_closed_network_writes_down_what_is_asked_for(tmp_path: Path) -> None:
    if not closed_network.is_possible():
        pytest.skip(closed_network.MISSING)
    # The addresses are those that RFC 5737 and RFC 3849 set aside for examples.
    look = (
        "import socket\n"
        "for host in ('example.com', '192.0.2.1', '2001:db8::1', '127.0.0.1'):\n"
        "    try: socket.create_connection((host, 443), 5)\n"
        "    except OSError: pass\n"
    )

    with closed_network.around(1024, tmp_path) as (within, asked):
        subprocess.run([*within, "python3", "-c", look], check=True, timeout=60)

        assert set(asked.read_text().split()) == {"example.com", "192.0.2.1", "2001:db8::1"}
