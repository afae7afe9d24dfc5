"""One gateway for each folder that takes these, the agents' command lines, and machines that are set up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from embedded.gateway import Session
from embedded.layout import Layout
from embedded.toolchain import NAMES, present
from tests.agents import clis as command_lines
from tests.agents.machine import Machine
from tests.agents.scenarios import prepare
from tests.cluster.end_to_end.checkout import Checkout
from tests.gateway.gateway import Gateway, copied, started


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
    machine = Machine(home=tmp_path / "home", agent=agent, clis=clis)
    prepare(machine, gateway)
    return machine


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
