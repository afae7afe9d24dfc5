"""Releases of the agents beside the pinned ones, set up and put to work; run by `./dev test agents --newest` alone.

Each check is written down with what went wrong, so one that fails takes no other release with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.agent_releases import ANSWERED, ASKED, Trial, read_trials
from tests.agents.gateway import Gateway
from tests.agents.machine import Machine
from tests.agents.scenarios import OWNERS, PATHS, check_came, prepare, work
from tests.agents.test_litellm_agents import ASKED as PATHS_BEHIND_LITELLM

TRIALS = read_trials(Path(os.environ[ASKED])) if ASKED in os.environ else []
_FAULT_CHARS = 300


@pytest.fixture(params=["native", "litellm"])
def translation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{trial.agent}-{trial.release}")
def test_a_release_works_as_the_pinned_one_does(
    request: pytest.FixtureRequest, translation: str, trial: Trial, tmp_path: Path
) -> None:
    running: Gateway = request.getfixturevalue("gateway" if translation == "native" else "litellm_gateway")
    machine = Machine(home=tmp_path / "home", agent=trial.agent, clis=Path(trial.folder))
    faults = dict(_checks(machine, running, PATHS if translation == "native" else PATHS_BEHIND_LITELLM))

    for check, fault in faults.items():
        _write_down(trial, translation, check, fault)

    assert {check: fault for check, fault in faults.items() if fault} == {}


def _checks(machine: Machine, gateway: Gateway, paths: dict[str, str]) -> Iterator[tuple[str, str | None]]:
    """Yield each check with what went wrong; after the first fault nothing more can be said."""
    owner = OWNERS[machine.agent]
    for name in ("setup", "tasks", "requests", "doctor"):
        try:
            match name:
                case "setup":
                    prepare(machine, gateway)
                case "tasks":
                    done = work(machine, gateway)
                case "requests":
                    check_came(done.came, path=paths[machine.agent], key=gateway.key(owner))
                case _:
                    found = machine.onprem(gateway, "doctor", "--agent", machine.agent)
                    assert found.code == 0, found.text
        except AssertionError as error:
            yield name, " ".join(str(error).split())[:_FAULT_CHARS] or "the check does not hold"
            return
        yield name, None


def _write_down(trial: Trial, translation: str, check: str, fault: str | None) -> None:
    row = {"agent": trial.agent, "release": trial.release, "wire": PATHS[trial.agent]}
    row |= {"translation": translation, "check": check} | ({"fault": fault} if fault else {})
    with Path(os.environ[ANSWERED]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
