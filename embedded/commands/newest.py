"""`./dev test agents --newest [AGENT…]`: the agents' newest and previous releases, tried and written down."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from embedded import agent_releases
from embedded.layout import Layout
from embedded.progress import Progress
from onprem_agents.agents import AGENTS
from onprem_agents.catalog import load_catalog
from onprem_agents.errors import UnknownFact

OPTION = "--newest"
TESTS = "tests/agents/each_release.py"
MATRIX = "onprem_agents/catalog/agent-releases.yaml"


def try_newest(layout: Layout, names: Sequence[str], *, progress: Progress) -> NoReturn:
    """Install, try, write the matrix, name what failed, and end this process with 1 where something did.

    Raises `UnknownFact` for an agent that does not exist.
    """
    known = [agent.name for agent in AGENTS]
    for name in names:
        if name not in known:
            raise UnknownFact("agent", name, known)
    trials = agent_releases.trials(layout, names or known, progress)
    with tempfile.TemporaryDirectory(prefix="onprem-releases-") as folder:
        asked, answered = Path(folder, "asked.json"), Path(folder, "answered.jsonl")
        asked.write_text(agent_releases.asked(trials), encoding="utf-8")
        answered.touch()
        variables = {agent_releases.ASKED: str(asked), agent_releases.ANSWERED: str(answered)}
        command = [sys.executable, "-m", "pytest", "-m", "", "-q", TESTS]
        subprocess.run(command, cwd=layout.checkout, env={**os.environ, **variables}, check=False)
        now = agent_releases.checks_of(answered.read_text(encoding="utf-8"), datetime.now(tz=UTC).date())
    matrix = agent_releases.united(load_catalog().agent_checks, now)
    agent_releases.write(layout.checkout / MATRIX, matrix)
    red = [f"{check.name}: {check.fault}" for check in now if check.fault is not None]
    red += [f"{release}: nothing was seen" for release in agent_releases.missing(trials, now)]
    for line in red:
        print(f"red: {line}", flush=True)
    print(f"{len(now)} checks of {len(trials)} releases, {len(red)} red; written to {MATRIX}", flush=True)
    sys.exit(1 if red else 0)
