"""Newest releases of the agents: which are to be tried, and how what was seen of them becomes the matrix."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from onprem_agents.agents import AGENTS, agent_named
from onprem_agents.catalog.agent_check import INSTALL, AgentCheck
from onprem_agents.files import write_file

ASKED, ANSWERED = "ONPREM_AGENT_RELEASES", "ONPREM_AGENT_CHECKS"
"""Variables that name the file with the releases to try, and the one for what was seen, a JSON object a line."""

TRANSLATIONS = ("native", "litellm")
CHECKS = ("setup", "tasks", "requests", "doctor")
"""What is tried of a release that could be installed, with each translation."""

MOST = 2
_NOT_REACHED = "was not reached: the run ended before it"
_HEAD = "# Written by `./dev test agents --newest`: agent, release, wire, translation, check, what went wrong, day.\n"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One release to try, and the folder that its program lies in; `fault` is why it could not be installed."""

    agent: str
    release: str
    folder: str = ""
    fault: str | None = None

    @property
    def name(self) -> str:
        return f"{self.agent} {self.release}"


def newest(versions: Iterable[str], *, latest: str) -> tuple[str, ...]:
    """Return the newest release and the one before it, without previews and those after `latest`."""
    plain = {version: _numbers(version) for version in versions if re.fullmatch(r"\d+\.\d+\.\d+", version)}
    able = [version for version in plain if plain[version] <= _numbers(latest)]
    return tuple(sorted(able, key=lambda version: plain[version], reverse=True)[:MOST])


def asked(trials: Sequence[Trial]) -> str:
    """Return the releases as the tests read them: those that could be installed."""
    return json.dumps([asdict(trial) for trial in trials if trial.fault is None])


def read_trials(path: Path) -> list[Trial]:
    """Return the releases that a run was asked for."""
    return [Trial(**each) for each in json.loads(path.read_text(encoding="utf-8"))]


def answer(trial: Trial, translation: str, check: str, fault: str | None) -> str:
    """Return what was seen as the line that `checks_of` reads."""
    row = {"agent": trial.agent, "release": trial.release, "translation": translation, "check": check}
    return json.dumps(row | ({"fault": fault} if fault is not None else {})) + "\n"


def told(lines: Sequence[str]) -> list[str]:
    """Return one sentence for each release and translation that everything was tried of, in the order of their ends."""
    faults: dict[str, dict[str, str | None]] = {}
    sentences = []
    for line in lines:
        row = json.loads(line)
        name = f"{row['agent']} {row['release']}, {row['translation']}"
        of_it = faults.setdefault(name, {})
        of_it[row["check"]] = row.get("fault")
        if len(of_it) == len(CHECKS):
            red = "; ".join(f"{check}: {fault}" for check, fault in of_it.items() if fault is not None)
            sentences.append(f"{name}: {red or 'all well'}")
    return sentences


def checks_of(trials: Sequence[Trial], lines: Iterable[str], seen: date) -> list[AgentCheck]:
    """Return every cell of these releases: what the tests wrote down, and what they did not reach as a fault."""
    found: dict[tuple[str, ...], Mapping[str, str]] = {}
    for line in lines:
        row = json.loads(line)
        found[row["agent"], row["release"], row["translation"], row["check"]] = row
    cells = []
    for trial in trials:
        for translation in TRANSLATIONS:
            cells.append(_cell(trial, translation, INSTALL, trial.fault, seen))
            for check in CHECKS:
                row = found.get((trial.agent, trial.release, translation, check))
                if row is not None or trial.fault is None:
                    fault = _NOT_REACHED if row is None else row.get("fault")
                    cells.append(_cell(trial, translation, check, fault, seen))
    return cells


def united(before: Sequence[AgentCheck], now: Sequence[AgentCheck]) -> list[AgentCheck]:
    """Return the matrix with new results: those of an agent that was tried take the place of all its older ones."""
    tried = {check.agent for check in now}
    kept = [check for check in before if check.agent not in tried]
    order = [agent.name for agent in AGENTS]
    known = [check for check in (*kept, *now) if check.agent in order]
    return sorted(known, key=lambda check: order.index(check.agent))


def write(path: Path, checks: Sequence[AgentCheck]) -> None:
    """Write the matrix into the catalogue."""
    rows: list[dict[str, Any]] = [check.model_dump(exclude_none=True) for check in checks]
    body = "".join(f"- {_flow(row)}\n" for row in rows) or "[]\n"
    write_file(path, (_HEAD + body).encode(), 0o644)


def _cell(trial: Trial, translation: str, check: str, fault: str | None, seen: date) -> AgentCheck:
    return AgentCheck(
        agent=trial.agent,
        release=trial.release,
        wire=agent_named(trial.agent).path,
        translation=translation,
        check=check,
        fault=fault,
        seen=seen,
    )


def _flow(row: dict[str, Any]) -> str:
    return str(yaml.safe_dump(row, default_flow_style=True, sort_keys=False, width=10_000)).strip()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
