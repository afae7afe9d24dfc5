"""What the agents are asked to do, whatever stands between them and the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onprem_agents.agents import AGENTS
from scripted_model.record import fingerprint
from tests.agents import closed_network
from tests.agents.machine import Machine, Outcome
from tests.expected_agents import EXPECTED
from tests.gateway.gateway import Gateway

OWNERS = {name: expected.developer for name, expected in EXPECTED.items()}
PATHS = {agent.name: agent.path for agent in AGENTS}
CREATE = "create hello.txt containing the word hi"
REPAIR = 'read calc.py, replace "a - b" with "a + b", then run "python3 check.py"'
_CALC = "def add(a, b):\n    return a - b\n"
_CHECK = "from calc import add\n\nassert add(2, 3) == 5\nopen('passed', 'w').write('yes')\n"


@dataclass(frozen=True, kw_only=True)
class Work:
    """The outcomes of both tasks, what the model server was sent meanwhile, and what was looked for outside.

    `looked_for` is None where the network was open.
    """

    created: Outcome
    repaired: Outcome
    came: list[dict[str, Any]]
    looked_for: frozenset[str] | None = None


def prepare(machine: Machine, gateway: Gateway) -> None:
    """Set the agent up for its owner and lay out the files that it is to repair."""
    machine.set_up(gateway, OWNERS[machine.agent])
    (machine.repository / "calc.py").write_text(_CALC)
    (machine.repository / "check.py").write_text(_CHECK)


def work(machine: Machine, gateway: Gateway, *, within: Sequence[str] = ()) -> Work:
    """Give the agent both tasks and insist that both are done."""
    before = len(gateway.posted())
    created = machine.run(CREATE, within=within)
    repaired = machine.run(REPAIR, within=within)
    assert _text(machine.repository / "hello.txt").strip() == "hi", created.text
    assert _text(machine.repository / "calc.py") == _CALC.replace("a - b", "a + b"), repaired.text
    assert _text(machine.repository / "passed") == "yes", repaired.text
    assert (created.code, repaired.code) == (0, 0), created.text + repaired.text
    return Work(created=created, repaired=repaired, came=gateway.posted()[before:])


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def check_came(came: list[dict[str, Any]], *, path: str, key: str) -> None:
    """Insist that the model server was asked on one path, in words it knows, and never with a developer's key."""
    asked = {line["path"] for line in came}
    assert asked == {path}, f"asked on {', '.join(sorted(asked)) or 'no path'} instead of {path}"
    refused = [line["refusal"] for line in came if line["status"] != 200]
    assert refused == [], f"the model server refused what it was asked: {refused}"
    leaked = any(key in str(line) or fingerprint(key) in str(line) for line in came)
    assert not leaked, "the developer's key came as far as the model server"


def came_from(developer: str, came: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the model server was sent for that developer, of what it was sent for all of them."""
    return [line for line in came if line["headers"].get("x-client-id") == developer]


def work_without_internet(machine: Machine, gateway: Gateway, folder: Path) -> Work:
    """Give the agent both tasks where there is only loopback, and write down what it looks for outside.

    On a machine that can make no such network the agent works in the open one.
    """
    if not closed_network.is_possible():
        return work(machine, gateway)
    with closed_network.around(gateway.port, folder) as (within, asked):
        done = work(machine, gateway, within=within)
        return replace(done, looked_for=frozenset(asked.read_text().split()))
