"""Newest releases of the agents, set up and put to work; run by `./dev test agents --newest` alone.

Each check is written down with what went wrong, so one that fails takes no other release with it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from threading import Lock

import pytest

from embedded.agent_releases import ANSWERED, ASKED, CHECKS, TRANSLATIONS, Trial, answer, read_trials
from tests.agents.machine import Machine
from tests.agents.scenarios import OWNERS, PATHS, Work, came_from, check_came, prepare, work
from tests.gateway.gateway import Gateway
from tests.gateway.test_litellm_agents import ASKED as PATHS_BEHIND_LITELLM

# LiteLLM does not pass on whose a request is, so behind it one agent works at a time.
_AT_ONCE = {"native": 4, "litellm": 1}
_FAULT_CHARS = 300
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_writing = Lock()


@pytest.mark.parametrize("translation", TRANSLATIONS)
def test_the_releases_work_as_the_pinned_ones_do(
    request: pytest.FixtureRequest, translation: str, tmp_path: Path
) -> None:
    gateway: Gateway = request.getfixturevalue("gateway" if translation == "native" else "litellm_gateway")
    of_agent = [list(group) for _, group in groupby(_trials(), key=lambda trial: trial.agent)]

    def releases(trials: list[Trial]) -> list[str]:
        """Try an agent's releases one after the other: they share their developer."""
        return [
            f"{trial.name}: {check}: {fault}"
            for trial in trials
            for check, fault in _tried(
                trial, translation, gateway, tmp_path / f"{trial.agent}-{trial.release}"
            )
            if fault is not None
        ]

    with ThreadPoolExecutor(max_workers=_AT_ONCE[translation]) as pool:
        faults = [fault for found in pool.map(releases, of_agent) for fault in found]

    assert faults == []


def _trials() -> list[Trial]:
    if ASKED not in os.environ:
        pytest.skip("only `./dev test agents --newest` says which releases to try")
    return read_trials(Path(os.environ[ASKED]))


def _tried(
    trial: Trial, translation: str, gateway: Gateway, folder: Path
) -> Iterator[tuple[str, str | None]]:
    """Yield each check with what went wrong, once it is written down."""
    machine = Machine(home=folder, agent=trial.agent, clis=Path(trial.folder))
    for check, fault in _checks(machine, gateway, translation):
        text = None if fault is None else _short(fault.replace(str(folder), "~"))
        with _writing, Path(os.environ[ANSWERED]).open("a", encoding="utf-8") as file:
            file.write(answer(trial, translation, check, text))
        yield check, text


def _checks(machine: Machine, gateway: Gateway, translation: str) -> Iterator[tuple[str, str | None]]:
    """Yield each check with what went wrong; one that needs another which failed is not tried, and says so."""
    owner, done = OWNERS[machine.agent], list[Work]()
    path = (PATHS if translation == "native" else PATHS_BEHIND_LITELLM)[machine.agent]

    def requests() -> None:
        came = done[0].came
        check_came(
            came_from(owner, came) if translation == "native" else came, path=path, key=gateway.key(owner)
        )

    def doctor() -> None:
        found = machine.onprem(gateway, "doctor", "--agent", machine.agent)
        assert found.code == 0, found.text

    checks: dict[str, tuple[Callable[[], object], str | None]] = {
        "setup": (lambda: prepare(machine, gateway), None),
        "tasks": (lambda: done.append(work(machine, gateway)), "setup"),
        "requests": (requests, "tasks"),
        "doctor": (doctor, "setup"),
    }
    faults: dict[str, str | None] = {}
    for name in CHECKS:
        check, after = checks[name]
        before = None if after is None else faults[after]
        faults[name] = f"not tried, for {after} failed" if before is not None else _fault(check)
        yield name, faults[name]


def _fault(check: Callable[[], object]) -> str | None:
    try:
        check()
    except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as error:
        return str(error) or f"does not hold ({type(error).__name__})"
    return None


def _short(fault: str) -> str:
    """Return the end of what was said, where programs say why they stopped, without the command that was run."""
    lines = [line.strip() for line in _COLOURS.sub("", fault).splitlines()]
    said = " ".join(line for line in lines if line and not line.startswith("$ ")) or "it said nothing"
    return said if len(said) <= _FAULT_CHARS else f"…{said[-_FAULT_CHARS:]}"
