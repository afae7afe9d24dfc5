"""The same agents do the same work where LiteLLM stands between gateway and model: a developer notices nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agents.gateway import Gateway
from tests.agents.machine import UNATTENDED, Machine
from tests.agents.scenarios import OWNERS, PATHS, check_came, work, work_without_internet

# What LiteLLM 1.109.1 asks of a model server for each agent: Anthropic's API becomes chat completions.
ASKED = PATHS | {name: "/v1/chat/completions" for name, path in PATHS.items() if path == "/v1/messages"}


@pytest.fixture
def gateway(litellm_gateway: Gateway) -> Gateway:
    return litellm_gateway


@pytest.mark.parametrize("repetition", [1, 2, 3])
@pytest.mark.parametrize("agent", UNATTENDED)
def test_an_agent_works_through_litellm_as_without_it(
    machine: Machine, gateway: Gateway, agent: str, repetition: int
) -> None:
    done = work(machine, gateway)

    assert done.came, f"repetition {repetition}"
    check_came(done.came, path=ASKED[agent], key=gateway.key(OWNERS[agent]))


@pytest.mark.parametrize("agent", UNATTENDED)
def test_with_litellm_too_an_agent_asks_for_no_other_name(
    machine: Machine, gateway: Gateway, tmp_path: Path
) -> None:
    assert work_without_internet(machine, gateway, tmp_path) == set()


def test_the_doctor_finds_nothing_to_complain_of(gateway: Gateway, tmp_path: Path, clis: Path) -> None:
    machine = Machine(home=tmp_path / "home", agent="all", clis=clis)
    machine.set_up(gateway, "dave")

    done = machine.onprem(gateway, "doctor")

    assert done.code == 0, done.text
    assert "all well" in done.text
