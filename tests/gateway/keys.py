"""Keys given and taken by the real command, and how long the gateway needs to hear of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from embedded.gateway.running import project_folder
from tests.gateway.gateway import Gateway


def onprem_keys(gateway: Gateway, *words: str) -> None:
    """Run `onprem-agents keys` and apply the stack, as an engineer does; its gateway stays on trial."""
    command = ("shell", sys.executable, "-c", "from onprem_agents.cli import main; main()", "keys")
    done = gateway.checkout.dev(*command, *words, "--stack", "local")
    assert done.code == 0, done.text
    project = str(project_folder(gateway.checkout.layout))
    done = gateway.checkout.pulumi("--cwd", project, "up", "--yes", "--skip-preview", "--stack", "local")
    assert done.code == 0, done.text


def seconds_until(condition: Callable[[], bool]) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < 30, "never"
        time.sleep(0.1)
    return time.monotonic() - begun
