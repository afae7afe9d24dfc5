"""The real agents do real work through the real gateway, set up by `onprem setup` alone.

The model is scripted and the gateway's host is `localhost`; everything between them is what a company runs.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.agents import closed_network
from tests.agents.gateway import Gateway
from tests.agents.machine import UNATTENDED, Machine
from tests.agents.scenarios import OWNERS, PATHS, check_came, work


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
def test_an_agent_works_where_there_is_only_loopback_and_asks_for_no_other_name(
    machine: Machine, gateway: Gateway, tmp_path: Path
) -> None:
    if not closed_network.is_possible():
        pytest.skip("unshare and ip are missing, or may make no network here")

    with closed_network.around(gateway.port, tmp_path) as (within, names):
        work(machine, gateway, within=within)
        asked_for = set(names.read_text().split())

    assert asked_for == set()


def test_the_closed_network_writes_down_what_is_asked_for(tmp_path: Path) -> None:
    if not closed_network.is_possible():
        pytest.skip("unshare and ip are missing, or may make no network here")
    look_up = "import socket\ntry: socket.getaddrinfo('example.com', 443)\nexcept OSError: pass"

    with closed_network.around(1024, tmp_path) as (within, names):
        subprocess.run([*within, "python3", "-c", look_up], check=True, timeout=60)

        assert set(names.read_text().split()) == {"example.com"}
