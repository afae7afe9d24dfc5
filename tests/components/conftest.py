"""What every component test needs: Pulumi's mocks run on the current event loop, so there must be one."""

from __future__ import annotations

import asyncio

import pytest


@pytest.fixture(scope="session", autouse=True)
def event_loop() -> None:
    """Set a loop: `asyncio.run` in a test of another tier leaves none behind.

    It stays open to the end: threads that Pulumi's mocks start on it keep loops of their own.
    """
    asyncio.set_event_loop(asyncio.new_event_loop())
