"""A model that is silent for long, behind a hop that ends silent connections: what the server's comments are for.

The times are those of a company's first week at a twentieth: a load balancer's 60 s, and three minutes of prefill.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.agents.machine import UNATTENDED, Machine, Outcome
from tests.agents.scenarios import CREATE, OWNERS, came_from
from tests.agents.side_by_side import Failed, SideBySide, succeeded
from tests.gateway.gateway import Gateway
from tests.gateway.hop import idle_limited

# The names are read by whoever runs this at full length: 60, 15 and 180.
IDLE_SECONDS = float(os.environ.get("ONPREM_HOP_IDLE_SECONDS", "3"))
KEEP_ALIVE_SECONDS = IDLE_SECONDS / 4
SILENCE_SECONDS = IDLE_SECONDS * 3


def task(agent: str, keep_alive_seconds: float) -> str:
    """Return a task whose first answer is silent; its next turns are plain. No two agents share a play of once."""
    silence = SILENCE_SECONDS + list(UNATTENDED).index(agent) / 100
    return f"[play silence={silence} keep_alive={keep_alive_seconds} times=1] {CREATE}"


def behind(machine: Machine, gateway: Gateway, port: int) -> None:
    """Have the agent ask the hop instead of the gateway, in every file that setup wrote."""
    changed = 0
    for file in machine.home.rglob("*"):
        if file.is_file() and (text := file.read_bytes()).count(own := f"localhost:{gateway.port}".encode()):
            file.write_bytes(text.replace(own, f"localhost:{port}".encode()))
            changed += 1
    assert changed, "no file of the agent names the gateway"


@dataclass(frozen=True, kw_only=True)
class Waited:
    """What an agent asked when the model answered at once, what when it was silent first, and what came of that."""

    at_once: int
    silent: int
    written: str | None
    outcome: Outcome


def wait(machine: Machine, gateway: Gateway, folder: Path) -> Waited:
    """Give an agent the same task twice, the second time behind the hop and with a silent model."""
    owner, hello = OWNERS[machine.agent], machine.repository / "hello.txt"

    def asked() -> int:
        return len(came_from(owner, gateway.posted()))

    before = asked()
    plain = machine.run(CREATE)
    assert plain.code == 0, plain.text
    at_once = asked() - before
    # Aider has it in git's index.
    machine.command("git rm --quiet --cached --force --ignore-unmatch hello.txt; rm hello.txt")
    with idle_limited(gateway, folder, idle_seconds=IDLE_SECONDS) as port:
        behind(machine, gateway, port)
        before = asked()
        outcome = machine.run(task(machine.agent, KEEP_ALIVE_SECONDS))
    written = hello.read_text().strip() if hello.is_file() else None
    return Waited(at_once=at_once, silent=asked() - before, written=written, outcome=outcome)


@pytest.fixture
def waited(side_by_side: SideBySide, gateway: Gateway, agent: str) -> Waited | Failed:
    def run(machine: Machine, folder: Path) -> Waited:
        return wait(machine, gateway, folder)

    return side_by_side(run)[agent][0]


@pytest.mark.parametrize("agent", UNATTENDED)
def test_an_agent_waits_out_a_silent_model_behind_a_hop_that_cuts_silence(
    waited: Waited | Failed, agent: str
) -> None:
    done = succeeded(waited)

    assert done.written == "hi", done.outcome.text
    assert done.outcome.code == 0, done.outcome.text
    assert done.silent == done.at_once, f"{agent} asked nothing twice:\n{done.outcome.text}"


@pytest.mark.parametrize("agent", ["opencode", "codex", "claude"])
def test_without_comments_the_hop_cuts_the_same_agent_off(
    machine: Machine, gateway: Gateway, tmp_path: Path, agent: str
) -> None:
    with idle_limited(gateway, tmp_path, idle_seconds=IDLE_SECONDS) as port:
        behind(machine, gateway, port)
        before = len(gateway.posted())
        done = machine.run(task(agent, keep_alive_seconds=3600))
        asked = [line["path"] for line in gateway.posted()[before:]]

    log = (tmp_path / "hop.log").read_text()
    assert len(asked) > 1, f"{agent} asks again after the cut:\n{done.text}\n{log}"
