"""What the check of a deployed platform found: each result with why it matters, and the sum of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from onprem_agents.agents.diagnosis import Severity
from onprem_agents.probes.agent_shapes import NAMESPACE, PICTURE
from onprem_agents.probes.long_prompts import LONG, REUSE
from onprem_agents.probes.verdict import Verdict

_CALLS = "an agent reads and changes files by tool calls alone"
_CLAUDE = "Claude Code speaks this API and no other"
_PICTURES = "agents read screenshots with a model that is said to see"
_STRANGERS = "whoever reaches the gateway could use the models"
_WHY: Mapping[str, str] = {
    "dns": "agents find the gateway by its name",
    "connection": "nothing works before there is a connection",
    "tls": "agents refuse a certificate that they cannot check",
    "no key": _STRANGERS,
    "wrong key": _STRANGERS,
    "contract": "developers' machines are set up by what the gateway publishes",
    "models": "clients choose a model and its limits by this list",
    "chat": "where no plain answer comes, nothing else works",
    "tool call": _CALLS,
    "streaming": "agents read every answer as a stream",
    "streamed tool call": _CALLS,
    "parallel tool calls": _CALLS,
    "reasoning": "thoughts within an answer end up in files and commands",
    "messages": _CLAUDE,
    "messages tool call": _CLAUDE,
    "count_tokens": "Claude Code counts its context by it",
    "responses": "Codex speaks this API and no other",
    NAMESPACE: "the tools of MCP servers come to Codex in namespaces",
    PICTURE: _PICTURES,
    f"messages {PICTURE}": _PICTURES,
    f"responses {PICTURE}": _PICTURES,
    "long body": "agents send their whole conversation with each turn, with pictures several MiB",
    "context": "agents fill the context that they are promised, and compact only then",
    REUSE: "each turn sends the whole conversation again; computed anew each time it takes the GPUs of all",
    LONG: "a conversation is as long as this after half an hour of work",
}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The result of one check. `role` is None for one of the gateway; `change` is empty when all is well."""

    name: str
    role: str | None
    severity: Severity
    cause: str
    found: str
    why: str
    change: str
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.severity is Severity.OK

    @property
    def place(self) -> str:
        """What was checked, such as `coder: tool call`."""
        return f"{self.role or 'gateway'}: {self.name}"

    def to_wire(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        return {
            "name": self.name,
            "role": self.role,
            "verdict": self.severity.name.lower(),
            "cause": self.cause,
            "found": self.found,
            "why": self.why,
            "change": self.change,
            "seconds": self.seconds,
        }

    @classmethod
    def of(cls, verdict: Verdict, role: str | None, seconds: float) -> Self:
        """Return a verdict as the result of a check."""
        return cls(
            name=verdict.probe,
            role=role,
            severity=verdict.severity,
            cause=verdict.cause,
            found=verdict.evidence,
            why=_WHY.get(verdict.probe, ""),
            change=verdict.fix,
            seconds=round(seconds, 2),
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """All results; `planned` is what a sound platform is checked for."""

    results: tuple[Checked, ...]
    planned: tuple[str, ...]

    @property
    def severity(self) -> Severity:
        """How bad the worst of it is."""
        return max((result.severity for result in self.results), default=Severity.UNREACHABLE)

    @property
    def faults(self) -> tuple[Checked, ...]:
        """What is wrong."""
        return tuple(result for result in self.results if not result.sound)

    @property
    def missing(self) -> tuple[str, ...]:
        """What was not checked, for a fault stood before it."""
        done = {result.place for result in self.results}
        return tuple(place for place in self.planned if place not in done)

    @property
    def passed(self) -> bool:
        """Whether all was checked and nothing is wrong."""
        return not self.faults and not self.missing

    @property
    def summary(self) -> str:
        """The sum of it in a sentence."""
        bad = [result.place for result in self.faults]
        text = f"{len(self.results)} checks, "
        text += f"{len(bad)} with a fault ({', '.join(bad)})" if bad else "all well"
        return f"{text}, {len(self.missing)} not run" if self.missing else text

    @property
    def text(self) -> str:
        """The sum of it, then each fault with what was found, why it matters and what to change."""
        told = [
            f"{result.place}\n  found:  {result.found}\n  why:    {result.why}\n  change: {result.change}"
            for result in self.faults
        ]
        return "\n".join([self.summary, *told])
