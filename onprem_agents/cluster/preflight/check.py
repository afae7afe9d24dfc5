"""One prerequisite of a stack, what was found of it, and what is said where nobody may look."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from onprem_agents.cluster import ApiError, KubeClient
from onprem_agents.plan import PlatformPlan

Verdict = Literal["ok", "missing", "doubtful"]

Object = Mapping[str, Any]
"""A Kubernetes object in wire format."""

_UNAUTHORIZED, _FORBIDDEN = 401, 403
_SHOWN = 5

# What an API server says when RBAC refuses a request (kube-apiserver 1.36, 2026-11).
_RIGHT = re.compile(
    r'cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One prerequisite with what was found; `fix` is empty when the verdict is ok."""

    name: str
    verdict: Verdict
    found: str
    fix: str = ""

    @classmethod
    def of(cls, name: str, *, holds: bool, found: str, fix: str, doubtful: bool = False) -> Check:
        """Return a check whose fix is told where it does not hold; `doubtful` where it may hold all the same."""
        if holds:
            return cls(name=name, verdict="ok", found=found)
        return cls(name=name, verdict="doubtful" if doubtful else "missing", found=found, fix=fix)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is looked at together: `says` is its line in the documentation."""

    name: str
    says: str
    look: Callable[[PlatformPlan, Sequence[Object], KubeClient], Iterable[Check]]

    def checks(self, plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
        """Yield its checks; what the caller may not read is doubtful. Raises ClusterError out of reach."""
        try:
            yield from self.look(plan, objects, client)
        except ApiError as error:
            yield unread(self.name, error)


def attempt(name: str, make: Callable[[], Check]) -> Check:
    """Return a check, doubtful where the caller may not read what it is about: the next one may be readable."""
    try:
        return make()
    except ApiError as error:
        return unread(name, error)


def unread(name: str, error: ApiError) -> Check:
    """Return what is said of something that the API server did not tell. Raises the error where it knows nobody."""
    if error.status == _UNAUTHORIZED:
        raise error
    if error.status != _FORBIDDEN:
        return Check(
            name=name,
            verdict="doubtful",
            found=f"not looked at: {error}",
            fix="ask again; the API server's log says why it answers so",
        )
    asked = _RIGHT.search(error.message)
    found, tried = f"the caller may not read it: {error.message}", ""
    if asked is not None:
        right = f"{asked['verb']} {asked['resource']}" + (f".{asked['group']}" if asked["group"] else "")
        place = f"in the namespace {asked['namespace']}" if asked["namespace"] else "cluster-wide"
        found = f"the caller may not {right} {place}"
        tried = (
            f" ('kubectl auth can-i {right} {'-n ' + asked['namespace'] if asked['namespace'] else '-A'}')"
        )
    return Check(
        name=name,
        verdict="doubtful",
        found=f"not looked at: {found}",
        fix=f"let an administrator grant it{tried}, or run this with a kubeconfig that may",
    )


def condition(found: Object, kind: str) -> str | None:
    """Return the status of a condition of an object, None where it has none of that type."""
    for each in found.get("status", {}).get("conditions") or []:
        if each["type"] == kind:
            return str(each["status"])
    return None


def counted(number: int, what: str) -> str:
    """Return a number of things in a sentence."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def listed(names: Sequence[str]) -> str:
    """Return names in a sentence, the first few of many."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
