"""What is wrong with a cluster or does not go with the stack, and what preflight must say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onprem_agents.cluster.preflight import Verdict
from tests.cluster.good_cluster import Object


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One case. A key of `changed` or `states` names an object of the good cluster as `Kind/name`, and what is there is
    merged into it.
    """

    what: str
    check: str
    found: tuple[str, ...]
    fix: tuple[str, ...]
    verdict: Verdict = "missing"
    stack: Mapping[str, Any] = field(default_factory=dict)
    """Sections of the stack that are otherwise; those of `models` are of its first role."""
    changed: Mapping[str, Object] = field(default_factory=dict)
    states: Mapping[str, Object] = field(default_factory=dict)
    added: tuple[Object, ...] = ()
    gone: tuple[str, ...] = ()
    account: str | None = None
    """The ServiceAccount that looks; else it is an administrator."""
