"""The real agents do real work through the real gateway, set up by `onprem setup` alone.

The model is scripted and the gateway's host is `localhost`; everything between them is what a company runs.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from embedded.scripted_model.record import fingerprint
from tests.agents import closed_network
from tests.agents.gateway import Gateway
from tests.agents.machine import UNATTENDED, Machine

OWNERS = {"opencode": "alice", "codex": "bob", "claude": "carol"}
PATHS = {"opencode": "/v1/chat/completions", "codex": "/v1/responses", "claude": "/v1/messages"}
CREATE = "create hello.txt containing the word hi"
REPAIR = 'read calc.py, replace "a - b" with "a + b", then run "python3 check.py"'
_CALC = "def add(a, b):\n    return a - b\n"
_CHECK = "from calc import add\n\nassert add(2, 3) == 5\nopen('passed', 'w').write('yes')\n"


@pytest.fixture
def machine(tmp_path: Path, clis: Path, gateway: Gateway, agent: str) -> Machine:
    machine = Machine(home=tmp_path / "home", agent=agent, clis=clis)
    machine.set_up(gateway, OWNERS[agent])
    (machine.repository / "calc.py").write_text(_CALC)
    (machine.repository / "check.py").write_text(_CHECK)
    return machine


@pytest.mark.parametrize("repetition", [1, 2, 3])
@pytest.mark.parametrize("agent", UNATTENDED)
def test_an_agent_creates_a_file_and_repairs_another_until_its_check_passes(
    machine: Machine, gateway: Gateway, agent: str, repetition: int
) -> None:
    before = len(gateway.record())

    created = machine.run(CREATE)
    repaired = machine.run(REPAIR)

    assert (machine.repository / "hello.txt").read_text().strip() == "hi", created.text
    assert (machine.repository / "calc.py").read_text() == _CALC.replace("a - b", "a + b"), repaired.text
    assert (machine.repository / "passed").read_text() == "yes", repaired.text
    assert (created.code, repaired.code) == (0, 0), created.text + repaired.text
    came = gateway.record()[before:]
    assert {line["path"] for line in came} == {PATHS[agent]}, f"repetition {repetition}"
    assert [line["refusal"] for line in came if line["status"] != 200] == [], "every request fits the schema"
    assert {line["headers"]["x-client-id"] for line in came} == {OWNERS[agent]}
    key = gateway.key(OWNERS[agent])
    assert not any(key in str(line) or fingerprint(key) in str(line) for line in came)


@pytest.mark.parametrize("agent", UNATTENDED)
def test_an_agent_works_where_there_is_only_loopback_and_looks_for_nothing_outside(
    machine: Machine, gateway: Gateway, tmp_path: Path
) -> None:
    if not closed_network.is_possible():
        pytest.skip("unshare and ip are missing, or may make no network here")

    with closed_network.around(gateway.port, tmp_path) as (within, asked):
        created = machine.run(CREATE, within=within)
        repaired = machine.run(REPAIR, within=within)
        asked_for = set(asked.read_text().split())

    assert (machine.repository / "hello.txt").read_text().strip() == "hi", created.text
    assert (machine.repository / "passed").read_text() == "yes", repaired.text
    assert asked_for == set()


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
