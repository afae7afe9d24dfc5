"""Several agents at work at once through the one gateway, each with a developer and with homes of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.agents.gateway import Gateway
from tests.agents.machine import Machine
from tests.agents.scenarios import Work, prepare, work, work_without_internet

# Starting a program is most of a run, and much of that is waiting for the disk and for the gateway.
_AT_ONCE = 4
Failed = BaseException


@dataclass(frozen=True, kw_only=True)
class Runs:
    """What came of one agent's runs, in their order; a run that failed is what it failed with."""

    open_network: Sequence[Work | Failed]
    closed_network: Work | Failed


def all_at_work(
    agents: Iterable[str], gateway: Gateway, clis: Path, folder: Path, *, repetitions: int
) -> Mapping[str, Runs]:
    """Give each agent both tasks that often, and once more where there is only loopback."""

    def of(agent: str) -> Runs:
        def machine(name: str) -> Machine:
            machine = Machine(home=folder / agent / name, agent=agent, clis=clis)
            prepare(machine, gateway)
            return machine

        def in_the_open(number: int) -> Work:
            return work(machine(str(number)), gateway)

        def closed() -> Work:
            return work_without_internet(machine("closed"), gateway, folder / agent)

        return Runs(
            open_network=[_tried(partial(in_the_open, number)) for number in range(repetitions)],
            closed_network=_tried(closed),
        )

    names = list(dict.fromkeys(agents))
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return dict(zip(names, pool.map(of, names), strict=True))


def chosen(request: pytest.FixtureRequest) -> list[str]:
    """Return the agents of those tests of a module that are to run."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    own = [
        item.callspec.params for item in items if item.module is request.module and hasattr(item, "callspec")
    ]
    return [str(params["agent"]) for params in own if "agent" in params]


def succeeded(run: Work | Failed) -> Work:
    """Return what came of a run; raises what it failed with."""
    if isinstance(run, BaseException):
        raise run
    return run


def _tried(run: Callable[[], Work]) -> Work | Failed:
    try:
        return run()
    except BaseException as error:  # noqa: BLE001 - told by the test of that run, a skip among them
        return error
