"""`./dev test agents --newest [AGENT…]`: the agents' newest and previous releases, tried and written down."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from embedded import agent_installs, agent_releases
from embedded.agent_releases import CHECKS, TRANSLATIONS, Trial
from embedded.layout import Layout
from embedded.lock import hold
from embedded.progress import Progress, Step
from onprem_agents.agents import AGENTS, agent_named
from onprem_agents.catalog import load_catalog
from onprem_agents.errors import EnvironmentProblem, UnknownFact

OPTION = "--newest"
TESTS = "tests/agents/each_release.py"
MATRIX = "onprem_agents/catalog/agent-releases.yaml"
MANIFEST = "tests/agents/package.json"
_LOOK_SECONDS = 0.5
_DOWN_SECONDS = 120.0  # the tests take down the cluster that they started
_TAIL_LINES = 30


def try_newest(layout: Layout, names: Sequence[str], *, progress: Progress) -> int:
    """Install, try, write the matrix and name what failed; what was installed is removed again.

    Returns 1 where a cell is red or an agent's releases could not be looked up, and 0 otherwise.
    Raises `UnknownFact` for an agent that does not exist, `EnvironmentProblem` where nothing could be tried.
    """
    known = [agent.name for agent in AGENTS]
    for name in names:
        if name not in known:
            raise UnknownFact("agent", name, known)
    folder = layout.cache / "agent-releases"
    with hold(folder.with_suffix(".lock"), command=f"./dev test agents {OPTION}"):
        try:
            trials, unknown = _installed(
                layout, [name for name in known if name in (names or known)], progress
            )
            lines = _seen(layout, trials, progress) if any(trial.fault is None for trial in trials) else []
            trials = [_as_it_is_now(trial) for trial in trials]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    now = agent_releases.checks_of(trials, lines, datetime.now(tz=UTC).date())
    agent_releases.write(layout.checkout / MATRIX, agent_releases.united(load_catalog().agent_checks, now))
    red = unknown + [f"{check.name}: {check.fault}" for check in now if check.fault is not None]
    for line in red:
        print(f"red: {line}", flush=True)
    releases = "1 release" if len(trials) == 1 else f"{len(trials)} releases"
    print(f"{len(now)} cells of {releases}, {len(red)} red; written to {MATRIX}", flush=True)
    return 1 if red else 0


def _installed(layout: Layout, names: Sequence[str], progress: Progress) -> tuple[list[Trial], list[str]]:
    """Return the releases of these agents, and why those of others are not known."""
    folder = layout.cache / "agent-releases"
    trials, unknown = [], []
    node = agent_installs.own_node(layout.checkout / MANIFEST, folder / "node")
    for agent in map(agent_named, names):
        try:
            releases = agent_installs.published(agent)
        except EnvironmentProblem as problem:
            unknown.append(f"{agent.name}: its releases could not be looked up: {problem}")
            continue
        for release in releases:
            with progress.step(f"installing {agent.name} {release}") as step:
                trial = agent_installs.tried(agent, release, folder / f"{agent.name}-{release}", node=node)
                if trial.fault is not None:
                    step.give_up(trial.fault)
            trials.append(trial)
    if not trials:
        raise EnvironmentProblem("\n".join(unknown))
    return trials, unknown


def _seen(layout: Layout, trials: Sequence[Trial], progress: Progress) -> list[str]:
    """Run the tests, tell each cell as it comes, and return what they wrote down.

    Raises `EnvironmentProblem` where that is nothing, with the end of what they said.
    """
    log = layout.logs / "agent-releases.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    total = sum(trial.fault is None for trial in trials) * len(TRANSLATIONS) * len(CHECKS)
    with tempfile.TemporaryDirectory(prefix="onprem-releases-") as folder:
        asked, answered = Path(folder, "asked.json"), Path(folder, "answered.jsonl")
        asked.write_text(agent_releases.asked(trials), encoding="utf-8")
        answered.touch()
        variables = {agent_releases.ASKED: str(asked), agent_releases.ANSWERED: str(answered)}
        with progress.step("trying them", log=log) as step, log.open("w", encoding="utf-8") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", "-m", "", "-q", TESTS],
                cwd=layout.checkout,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                _follow(process, answered, step, total, progress)
            except BaseException:
                _end(process)
                raise
        lines = answered.read_text(encoding="utf-8").splitlines()
    if not lines:
        tail = log.read_text(encoding="utf-8").splitlines()[-_TAIL_LINES:]
        raise EnvironmentProblem("no release could be tried:\n" + "\n".join(tail))
    return lines


def _follow(
    process: subprocess.Popen[bytes], answered: Path, step: Step, total: int, progress: Progress
) -> None:
    told = 0
    step.update("starting the gateway")
    while True:
        ended = process.poll() is not None
        text = answered.read_text(encoding="utf-8")
        lines = text[: text.rfind("\n") + 1].splitlines()
        sentences = agent_releases.told(lines)
        for sentence in sentences[told:]:
            progress.note(sentence)
        told = len(sentences)
        if lines:
            step.reach(len(lines), total, f"{len(lines)} of {total} cells")
        if ended:
            return
        time.sleep(_LOOK_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the tests take down what they started, and kill them when that takes too long."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_DOWN_SECONDS)
    finally:
        process.kill()
        process.wait()


def _as_it_is_now(trial: Trial) -> Trial:
    fault = trial.fault or agent_installs.changed(agent_named(trial.agent), trial)
    return Trial(agent=trial.agent, release=trial.release, folder=trial.folder, fault=fault)
