"""The same agents do the same work where LiteLLM stands between gateway and model: a developer notices nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agents.machine import UNATTENDED, Machine
from tests.agents.scenarios import OWNERS, PATHS, Work, check_came, work_without_internet
from tests.agents.side_by_side import Failed, SideBySide, succeeded
from tests.expected_agents import EXPECTED
from tests.gateway.gateway import Gateway

# What LiteLLM 1.109.1 asks of a model server for each agent: Anthropic's API becomes chat completions.
ASKED = PATHS | {name: "/v1/chat/completions" for name, path in PATHS.items() if path == "/v1/messages"}


@pytest.fixture
def gateway(litellm_gateway: Gateway) -> Gateway:
    return litellm_gateway


@pytest.fixture
def run(side_by_side: SideBySide, gateway: Gateway, agent: str) -> Work | Failed:
    def run(machine: Machine, folder: Path) -> Work:
        return work_without_internet(machine, gateway, folder)

    return side_by_side(run)[agent][0]


@pytest.mark.parametrize("agent", UNATTENDED)
def test_an_agent_works_through_litellm_as_without_it_and_asks_for_no_other_name(
    run: Work | Failed, gateway: Gateway, agent: str
) -> None:
    done = succeeded(run)

    assert done.looked_for in (None, set(EXPECTED[agent].looks_for))
    # LiteLLM does not pass on whose a request is, so this is what came for all that worked at the same time.
    assert ASKED[agent] in {line["path"] for line in done.came}
    for path in {line["path"] for line in done.came}:
        assert path in ASKED.values()
        of_path = [line for line in done.came if line["path"] == path]
        check_came(of_path, path=path, key=gateway.key(OWNERS[agent]))


def test_the_doctor_finds_nothing_to_complain_of(gateway: Gateway, tmp_path: Path, clis: Path) -> None:
    machine = Machine(home=tmp_path / "home", agent="all", clis=clis)
    machine.set_up(gateway, "dave")

    done = machine.onprem(gateway, "doctor")

    assert done.code == 0, done.text
    assert "all well" in done.text
