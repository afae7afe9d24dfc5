"""The real agents do real work through the real gateway, set up by `onprem-agents setup` alone.

The model is scripted and the gateway's host is `localhost`; everything between them is what a company runs.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.agents import closed_network
from tests.agents.gateway import Gateway
from tests.agents.machine import UNATTENDED, Machine
from tests.agents.scenarios import OWNERS, PATHS, check_came, work, work_without_internet
from tests.expected_agents import EXPECTED


@pytest.mark.parametrize("repetition", [1, 2, 3])
@pytest.mark.parametrize("agent", UNATTENDED)
def test_an_agent_creates_a_file_and_repairs_another_until_its_check_passes(
    machine: Machine, gateway: Gateway, agent: str, repetition: int
) -> None:
    done = work(machine, gateway)

    assert done.came, f"repetition {repetition}"
    check_came(done.came, path=PATHS[agent], key=gateway.key(OWNERS[agent]))
    assert {line["headers"]["x-client-id"] for line in done.came} == {OWNERS[agent]}


@pytest.mark.parametrize("agent", UNATTENDED)
def test_an_agent_works_where_there_is_only_loopback_and_looks_for_nothing_else_than_is_known(
    machine: Machine, gateway: Gateway, tmp_path: Path, agent: str
) -> None:
    assert work_without_internet(machine, gateway, tmp_path) == set(EXPECTED[agent].looks_for)


def test_the_closed_network_writes_down_what_is_asked_for(tmp_path: Path) -> None:
    if not closed_network.is_possible():
        pytest.skip("unshare and ip are missing, or may make no network here")
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
