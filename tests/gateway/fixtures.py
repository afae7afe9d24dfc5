"""One gateway for each folder that takes these, the agents' command lines, and machines that are set up."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from embedded.gateway import Session
from embedded.layout import Layout
from embedded.toolchain import NAMES, present
from tests.agents import clis as command_lines
from tests.agents.machine import Machine
from tests.agents.side_by_side import Failed, Result, SideBySide, at_once, set_up
from tests.cluster.end_to_end.checkout import Checkout
from tests.gateway.gateway import Gateway, copied, started

# What a folder's conftest takes.
__all__ = [
    "checkout",
    "clis",
    "gateway",
    "homes",
    "kept",
    "litellm_gateway",
    "machine",
    "of_module",
    "set_up_machine",
    "side_by_side",
]


@pytest.fixture(scope="session")
def clis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    programs = command_lines.installed(Layout.default())
    return command_lines.that_remember(programs, tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    missing = sorted(set(NAMES) - set(present(Layout.default())))
    if missing:
        pytest.skip(f"not built yet: {', '.join(missing)}; `./dev test agents` brings them")
    checkout = copied(tmp_path_factory.mktemp("agents"))
    yield checkout
    done = checkout.dev("down")
    assert done.code == 0, done.text
    assert checkout.processes() == {}, "`./dev down` ends everything, the scripted model included"


@pytest.fixture(scope="session")
def kept() -> dict[str, Gateway]:
    return {}


@pytest.fixture
def gateway(checkout: Checkout, kept: dict[str, Gateway]) -> Gateway:
    """The gateway, running, whatever an earlier test left."""
    return _running(checkout, kept, "local")


@pytest.fixture
def litellm_gateway(checkout: Checkout, kept: dict[str, Gateway]) -> Gateway:
    """The gateway of the stack with LiteLLM, running, whatever an earlier test left."""
    return _running(checkout, kept, "litellm")


def _running(checkout: Checkout, kept: dict[str, Gateway], stack: str) -> Gateway:
    session = Session.read(checkout.layout)
    if session is None or session.stack != stack or stack not in kept:
        kept[stack] = started(checkout, stack)
    return kept[stack]


@pytest.fixture(scope="module")
def of_module() -> dict[str, Sequence[Any]]:
    """What came of the runs of a module's agents, once they are done."""
    return {}


@pytest.fixture
def machine(tmp_path: Path, clis: Path, gateway: Gateway, agent: str) -> Machine:
    """The machine of the agent's owner, set up for the gateway of the module."""
    return set_up(tmp_path, agent, clis, gateway)


@pytest.fixture
def side_by_side(
    request: pytest.FixtureRequest,
    gateway: Gateway,
    clis: Path,
    tmp_path_factory: pytest.TempPathFactory,
    of_module: dict[str, Sequence[Any]],
) -> SideBySide:
    """The agents of the module at work at once, each on machines of its own, for the gateway of the module."""

    def of(
        run: Callable[[Machine, Path], Result], *, repetitions: int = 1
    ) -> Mapping[str, Sequence[Result | Failed]]:
        if not of_module:
            folder = tmp_path_factory.mktemp("side-by-side")

            def of_agent(name: str, number: int) -> Result:
                own = folder / name / str(number)
                return run(set_up(own, name, clis, gateway), own)

            of_module.update(at_once(request, of_agent, repetitions=repetitions))
        return of_module

    return of


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("developer")


@pytest.fixture
def set_up_machine(homes: Path, clis: Path, gateway: Gateway) -> Machine:
    """A machine with every agent, as `onprem-agents setup` left it for alice; set up once for this module."""
    machine, kept = Machine(home=homes / "home", agent="all", clis=clis), homes / "kept"
    if not kept.exists():
        machine.set_up(gateway, "alice")
        machine.home.rename(kept)
    shutil.rmtree(machine.home, ignore_errors=True)
    shutil.copytree(kept, machine.home)
    return machine
