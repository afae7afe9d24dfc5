"""`./dev bench policy`: how right the policies are about a corpus of manifests, and what they cost."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from embedded.layout import Layout
from embedded.progress import Progress
from onprem_agents.errors import OnpremError
from tools.bench.figures import verdict
from tools.bench.policy_corpus import OUTCOMES, Judged, by_policy, judge, read_corpus
from tools.bench.policy_once import BY_THE_SDK, ONCE
from tools.bench.usage import answer, measured

CORPUS = Path("tests", "policy", "corpus")
# The stack whose manifests are most: a gateway, a translating proxy and a UI beside the server.
_MANIFESTS = Path("tests", "golden", "manifests", "feature-litellm-oci.yaml")

# The aims of the product.
LOAD_AIM_SECONDS = 0.5
RESOURCE_AIM_MS = 2.0
MISSES_AIM = 0.05
_ROUNDS = 5
# The SDK as a pack imports it, and a port that nobody listens on.
_SDK = "import pulumi.policy, pulumi_policy, time; print(1, flush=True); time.sleep(60)"


@dataclass(frozen=True, kw_only=True)
class PolicyFigures:
    """`judged` is each file of the corpus, `load_seconds` each start of the pack until the engine has its port.

    `sdk_seconds` is the import of Pulumi's SDK alone in the same rounds, `resource_ms` what a resource costs by how
    resources are made. All are processor time. `load` is the machine's load average before and after.
    """

    judged: Sequence[Judged]
    load_seconds: Sequence[float]
    sdk_seconds: Sequence[float]
    resource_ms: Mapping[str, float]
    cores: int
    load: tuple[float, float]

    @property
    def counts(self) -> Mapping[str, int]:
        """The files by outcome."""
        return Counter(each.outcome for each in self.judged)

    @property
    def false_mandatory(self) -> int:
        """Files that are refused for something that is not wrong."""
        return sum(bool(each.false_mandatory) for each in self.judged)

    @property
    def missed_share(self) -> float:
        """Files with a fault that is not told, of all with something to tell."""
        with_something = [each for each in self.judged if each.case.refused or each.case.said]
        return sum(bool(each.missed) for each in with_something) / max(1, len(with_something))

    def aims(self) -> list[tuple[str, float, float]]:
        """Return what is aimed at: what, the figure, and what it may be at most."""
        return [
            ("crashes", self.counts.get("crash", 0), 0),
            ("false mandatory alarms", self.false_mandatory, 0),
            ("share of faults missed", self.missed_share, MISSES_AIM),
            ("declares vLLM and passes unread", self.counts.get("unread in silence", 0), 0),
            (
                "pack load until its port is announced, s",
                statistics.median(self.load_seconds),
                LOAD_AIM_SECONDS,
            ),
            ("processor time a resource, ms", self.resource_ms[ONCE], RESOURCE_AIM_MS),
        ]

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "cores": self.cores,
            "load": list(self.load),
            "files": len(self.judged),
            "confusion": {outcome: self.counts.get(outcome, 0) for outcome in OUTCOMES},
            "wrong": [
                {
                    "file": each.case.name,
                    "outcome": each.outcome,
                    "false": sorted(each.false),
                    "missed": sorted(each.missed),
                }
                for each in self.judged
                if each.false or each.missed or each.outcome in ("crash", "unread in silence")
            ],
            "policies": [
                {"policy": name, "right": right, "false": false, "missed": missed}
                for name, right, false, missed in by_policy(self.judged)
            ],
            "loadSeconds": [round(one, 3) for one in self.load_seconds],
            "sdkSeconds": [round(one, 3) for one in self.sdk_seconds],
            "resourceMilliseconds": {what: round(one, 3) for what, one in self.resource_ms.items()},
            "aims": [
                {"what": what, "figure": round(figure, 3), "aim": aim, "verdict": verdict(figure, aim)}
                for what, figure, aim in self.aims()
            ],
        }


def measure_policy(layout: Layout, progress: Progress, *, rounds: int = _ROUNDS) -> PolicyFigures:
    """Judge the corpus, and measure `rounds` starts of the pack. Raises `OnpremError` naming the log."""
    before = os.getloadavg()[0]
    with progress.step("the corpus"):
        judged = judge(read_corpus(layout.checkout / CORPUS))
    with progress.step(f"the start of the pack: {rounds} rounds"):
        pack = ("-m", "pulumi.policy", "127.0.0.1:1", str(layout.checkout / "policy"))
        pairs = [(_announced(*pack), _announced("-c", _SDK)) for _ in range(rounds + 1)]
    with progress.step("what a resource costs"):
        lines: list[str] = []
        argv = [sys.executable, "-m", "tools.bench.policy_once", str(layout.checkout / _MANIFESTS)]
        log = layout.logs / "bench-policy.log"
        measured(argv, cwd=layout.checkout, env=os.environ, log=log, on_line=lines.append)
    return PolicyFigures(
        judged=judged,
        load_seconds=[one for one, _ in pairs[1:]],  # the first writes bytecode
        sdk_seconds=[one for _, one in pairs[1:]],
        resource_ms=json.loads(answer(lines)),
        cores=os.cpu_count() or 1,
        load=(before, os.getloadavg()[0]),
    )


def _announced(*words: str) -> float:
    """Return the processor time of a Python until it announces a port as a pack does; it is ended then."""
    with subprocess.Popen(
        [sys.executable, "-u", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        line = process.stdout.readline() if process.stdout else ""
        process.kill()
        _, process.returncode, used = os.wait4(process.pid, 0)
    if not line.strip().isdigit():
        raise OnpremError(f"the pack announced no port but {line.strip()!r}")
    return used.ru_utime + used.ru_stime


def show_policy(figures: PolicyFigures, console: Console) -> None:
    """Print the figures with aims and verdicts."""
    table = Table("of the corpus", "files", show_edge=False)
    for outcome in OUTCOMES:
        table.add_row(outcome, str(figures.counts.get(outcome, 0)))
    table.add_row("all", str(len(figures.judged)))
    console.print(table)
    table = Table("policy", "right", "false", "missed", show_edge=False)
    for name, *counts in by_policy(figures.judged):
        table.add_row(name, *map(str, counts))
    console.print(table)
    for each in figures.judged:
        if each.false or each.missed:
            false, missed = ", ".join(sorted(each.false)) or "-", ", ".join(sorted(each.missed)) or "-"
            console.print(f"{each.case.name}: false {false}; missed {missed}")
    ratio = figures.resource_ms[BY_THE_SDK] / figures.resource_ms[ONCE]
    console.print(f"{BY_THE_SDK}: {figures.resource_ms[BY_THE_SDK]:.1f} ms each, {ratio:.0f} × {ONCE}")
    median = statistics.median(figures.sdk_seconds)
    console.print(f"import of the SDK alone, in the same rounds: {median:.2f} s")
    for what, figure, aim in figures.aims():
        console.print(f"{what}: {figure:.3g}, aim ≤ {aim:g}: {verdict(figure, aim)}")
    before, after = figures.load
    console.print(f"{figures.cores} cores, load {before:.1f} before and {after:.1f} after")
