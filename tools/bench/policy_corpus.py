"""The corpus of manifests that the policies are judged by: what each deserves, and what it gets.

A file says in its first lines what it deserves: `# verdict: fine | none of ours | not read | refused by POLICY, …`,
and `# said: POLICY, …` for advisories. Judged are the policies that some file names, and every mandatory one of the
pack `serving`: the others look at what surrounds a server, which these files leave out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import yaml

from policy.checks import check_graph, graph_of
from policy.serving import servers, unread
from policy.table import POLICIES

Outcome = Literal[
    "right refusal", "right pass", "not read", "false alarm", "miss", "unread in silence", "crash"
]
"""What became of a file; `not read` is one that deserves to be named as such, and is."""
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
_REFUSED = "refused by "
_LEVELS: Mapping[str, str] = {policy.name: policy.level for policy in POLICIES}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file; `refused` and `said` are the policies it deserves, `verdict` the first word of it."""

    name: str
    style: str
    verdict: str
    refused: frozenset[str]
    said: frozenset[str]
    manifests: tuple[Mapping[str, Any], ...]

    @property
    def ours(self) -> bool:
        """Whether it declares a server of a language model on vLLM."""
        return self.verdict != "none of ours"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A file, what became of it, and by policy what was told without reason and what was not told."""

    case: Case
    outcome: Outcome
    false: frozenset[str] = frozenset()
    missed: frozenset[str] = frozenset()

    @property
    def false_mandatory(self) -> frozenset[str]:
        return frozenset(name for name in self.false if _LEVELS[name] == "mandatory")


def read_corpus(folder: Path) -> list[Case]:
    """Return the files of a folder, by name."""
    return [_case(path) for path in sorted(folder.glob("*.yaml"))]


def _case(path: Path) -> Case:
    text = path.read_text(encoding="utf-8")
    verdict = header(text, "verdict") or ""
    refused = verdict.removeprefix(_REFUSED).split(", ") if verdict.startswith(_REFUSED) else []
    said = header(text, "said")
    return Case(
        name=path.stem,
        style=header(text, "style") or "",
        verdict="refused" if refused else verdict,
        refused=frozenset(refused),
        said=frozenset(said.split(", ") if said else []),
        manifests=tuple(document for document in yaml.safe_load_all(text) if document),
    )


def header(text: str, key: str) -> str | None:
    """Return what the first lines of a file say about a key."""
    found = re.search(rf"^# {key}: (.+)$", text, re.MULTILINE)
    return found[1].strip() if found else None


def judge(cases: Sequence[Case]) -> list[Judged]:
    """Return what became of each file."""
    named = {name for case in cases for name in case.refused | case.said}
    named |= {policy.name for policy in POLICIES if policy.pack == "serving" and policy.level == "mandatory"}
    return [_judged(case, named) for case in cases]


def _judged(case: Case, named: set[str]) -> Judged:
    try:
        graph = graph_of(case.manifests)
        found = {finding.policy for finding in check_graph(graph)} & named
        seen = any(True for _ in servers(graph)) or any(True for _ in unread(graph))
    except Exception:  # noqa: BLE001 - a crash is one of the outcomes
        return Judged(case=case, outcome="crash")
    deserved = case.refused | case.said
    false, missed = frozenset(found - deserved), frozenset(deserved - found)
    return Judged(case=case, outcome=_outcome(case, seen, false, missed), false=false, missed=missed)


def _outcome(case: Case, seen: bool, false: frozenset[str], missed: frozenset[str]) -> Outcome:
    if case.ours and not seen:
        return "unread in silence"
    if false:
        return "false alarm"
    if missed:
        return "miss"
    if case.refused:
        return "right refusal"
    return "not read" if case.verdict == "not read" else "right pass"


def by_policy(judged: Sequence[Judged]) -> Iterator[tuple[str, int, int, int]]:
    """Yield each policy that a file names or that fired: its name, right findings, false ones and misses."""
    right = Counter(name for each in judged for name in (each.case.refused | each.case.said) - each.missed)
    false = Counter(name for each in judged for name in each.false)
    missed = Counter(name for each in judged for name in each.missed)
    for policy in POLICIES:
        counts = right[policy.name], false[policy.name], missed[policy.name]
        if any(counts):
            yield policy.name, *counts
