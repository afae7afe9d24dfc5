"""What every component test needs: Pulumi's mocks run on the current event loop, so there must be one."""

from __future__ import annotations

import asyncio

import pytest

from onprem_agents.probes.checked import Outcome
from onprem_agents.probes.verification import Verification
from onprem_agents.setup.developer_key import DeveloperKey
from tests.components.outcomes import outcome


@pytest.fixture(scope="session", autouse=True)
def event_loop() -> None:
    """Set a loop: `asyncio.run` in a test of another tier leaves none behind.

    It stays open to the end: threads that Pulumi's mocks start on it keep loops of their own.
    """
    asyncio.set_event_loop(asyncio.new_event_loop())


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Verification]:
    """Nobody answers on mocks: what a check asks of a platform is answered as a sound one would."""
    found: list[Verification] = []

    def sound(verification: Verification, key: DeveloperKey, *_: object) -> Outcome:
        assert key.value
        found.append(verification)
        return outcome(verification)

    monkeypatch.setattr(Verification, "run", sound)
    return found
