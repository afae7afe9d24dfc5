"""Several agents at work at once through the one gateway, each with a developer and with homes of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from tests.agents.machine import Machine
from tests.agents.scenarios import prepare
from tests.gateway.gateway import Gateway

# Starting a program is most of a run, and much of that is waiting for the disk and for the gateway.
_WORKERS = 4
Failed = BaseException
Result = TypeVar("Result")


class SideBySide(Protocol):
    """What came of the runs of every agent that is chosen of a module, by its name; all are done at the first call.

    A run is given a machine that is set up for its agent alone, and the folder around it.
    """

    def __call__(
        self, run: Callable[[Machine, Path], Result], *, repetitions: int = 1
    ) -> Mapping[str, Sequence[Result | Failed]]: ...


def at_once(
    request: pytest.FixtureRequest, run: Callable[[str, int], Result], *, repetitions: int
) -> Mapping[str, Sequence[Result | Failed]]:
    """Run each agent of those tests of the module that are to run so often, one agent beside the others.

    A run is called with the agent's name and its number; one that failed is what it failed with.
    """

    def of(agent: str) -> list[Result | Failed]:
        return [_tried(run, agent, number) for number in range(repetitions)]

    names = list(dict.fromkeys(_chosen(request)))
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        return dict(zip(names, pool.map(of, names), strict=True))


def set_up(folder: Path, agent: str, clis: Path, gateway: Gateway) -> Machine:
    """Return the machine of an agent's owner in a folder of its own, set up and with its tasks laid out."""
    machine = Machine(home=folder / "home", agent=agent, clis=clis)
    prepare(machine, gateway)
    return machine


def succeeded(run: Result | Failed) -> Result:
    """Return what came of a run; raises what it failed with."""
    if isinstance(run, BaseException):
        raise run
    return run


def _chosen(request: pytest.FixtureRequest) -> Iterable[str]:
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.module is request.module:
            params = item.callspec.params if hasattr(item, "callspec") else {}
            yield from (str(value) for name, value in params.items() if name == "agent")


def _tried(run: Callable[[str, int], Result], agent: str, number: int) -> Result | Failed:
    try:
        return run(agent, number)
    except BaseException as error:  # noqa: BLE001 - told by the test of that run, a skip among them
        return error
