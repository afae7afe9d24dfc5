"""Is a deployed platform of use? The doctor's probes of the platform for every role, and what a long day needs.

Nothing of a developer's machine is looked at. Each result says what was found, why it matters and what to change.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from onprem_agents.agents import AGENTS
from onprem_agents.agents.diagnosis import Severity
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.probes import endpoint
from onprem_agents.probes.address import Address
from onprem_agents.probes.answers import answers, names_of_answers
from onprem_agents.probes.limits import context, long_body
from onprem_agents.probes.long_prompts import LONG, REUSE, long_prompt, reuse
from onprem_agents.probes.patient import Patient
from onprem_agents.probes.published import contract, models
from onprem_agents.probes.reach import names_of_reach, reach
from onprem_agents.probes.smoke import chat_body, exchange
from onprem_agents.probes.verdict import Verdict

_CALLS = "an agent reads and changes files by tool calls alone"
_CLAUDE = "Claude Code speaks this API and no other"
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
    "long body": "agents send their whole conversation with each turn, with pictures several MiB",
    "context": "agents fill the context that they are promised, and compact only then",
    REUSE: "each turn sends the whole conversation again; computed anew each time it takes the GPUs of all",
    LONG: "a conversation is as long as this after half an hour of work",
}
# A gateway that is ready by its own word needs some seconds more for its routes, keys and endpoints.
_NOT_YET = frozenset({401, 403, 404, 500, 502, 503, 504})
_LOOK_SECONDS = 1.0
_ANSWER_SECONDS = 10.0
_ONE_KEY_FOR_ALL = frozenset({"key-missing", "key-refused", "key-forbidden"})


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


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What is to be checked: a platform by its contract, some or all of its roles, and the way to it."""

    patient: Patient
    roles: tuple[str, ...]
    long_prompt_tokens: int
    ca_file: Path | None = None
    address: Address | None = None
    variables: Mapping[str, str]

    @property
    def connection(self) -> Connection:
        """The contract that the platform is held to."""
        return self.patient.connection

    def planned(self) -> tuple[str, ...]:
        """Return what is checked of a sound platform, in its order."""
        names = list(names_of_reach(self.connection.base_url))[1 if self.address else 0 :]
        found = [
            f"gateway: {name}" for name in [*names, "no key", "wrong key", "contract", "models", "long body"]
        ]
        for role in map(self.connection.role, self.roles):
            of_role = [*names_of_answers(role, paths_of(role)), "context", REUSE, LONG]
            found += [f"{role.role}: {name}" for name in of_role]
        return tuple(found)

    def run(self) -> Iterator[Checked]:
        """Check all of it, and yield each result as it comes; stops where the rest would only repeat a cause."""
        unreachable = False
        for found in _timed(None, self._gateway()):
            yield found
            unreachable |= found.severity is Severity.UNREACHABLE
        if unreachable:
            return
        for name in self.roles:
            refused = False
            for found in _timed(name, self._role(replace(self.patient, role_name=name))):
                yield found
                refused |= found.cause in _ONE_KEY_FOR_ALL
            if refused:
                return

    def missing(self, results: Sequence[Checked]) -> tuple[str, ...]:
        """Return what was not checked, for a fault stood before it."""
        done = {result.place for result in results}
        return tuple(place for place in self.planned() if place not in done)

    def passed(self, results: Sequence[Checked]) -> bool:
        """Return whether all was checked and nothing is wrong."""
        return all(result.sound for result in results) and not self.missing(results)

    def summary(self, results: Sequence[Checked]) -> str:
        """Return the sum of it in a sentence."""
        bad = [result.place for result in results if not result.sound]
        missing = self.missing(results)
        text = f"{len(results)} checks, "
        text += f"{len(bad)} with a fault ({', '.join(bad)})" if bad else "all well"
        return f"{text}, {len(missing)} not run" if missing else text

    def _gateway(self) -> Iterator[Verdict]:
        tls = self.connection.tls
        for found in reach(
            self.connection.base_url, self.ca_file, self.variables, ca_hint=tls.ca_hint, address=self.address
        ):
            yield found
            if found.severity is Severity.UNREACHABLE:
                return
        yield from endpoint.keys(self.patient)
        yield contract(self.patient)
        yield models(self.patient)
        yield long_body(self.patient)

    def _role(self, patient: Patient) -> Iterator[Verdict]:
        sound = yield from answers(patient, paths_of(patient.role))
        if not sound:
            return
        yield context(patient)
        yield reuse(patient)
        longest = max(patient.timeout_seconds, float(self.connection.timeouts.longest_turn_seconds))
        yield long_prompt(replace(patient, timeout_seconds=longest), self.long_prompt_tokens)


def paths_of(role: Role) -> tuple[str, ...]:
    """Return the paths of the agents that can work with a role."""
    return tuple(agent.path for agent in AGENTS if agent.name in role.supported_agents)


def wait_until_served(patient: Patient, seconds: float) -> None:
    """Wait while the gateway does not know its routes and keys yet; what is wrong after that, the checks tell."""
    deadline = time.monotonic() + seconds
    hurried = replace(patient, timeout_seconds=min(patient.timeout_seconds, _ANSWER_SECONDS))
    body = {**chat_body(patient.role.model), "max_tokens": 1}
    while time.monotonic() < deadline:
        try:
            response, _ = exchange(hurried.openai, patient.http, "POST", "chat/completions", body)
        except httpx.ReadTimeout:
            return
        except httpx.HTTPError:
            pass
        else:
            if response.status_code not in _NOT_YET:
                return
        time.sleep(_LOOK_SECONDS)


def _timed(role: str | None, found: Iterable[Verdict]) -> Iterator[Checked]:
    """Yield verdicts as results, each with the time that its own probe took."""
    began = time.monotonic()
    for verdict in found:
        yield Checked(
            name=verdict.probe,
            role=role,
            severity=verdict.severity,
            cause=verdict.cause,
            found=verdict.evidence,
            why=_WHY.get(verdict.probe, ""),
            change=verdict.fix,
            seconds=round(time.monotonic() - began, 2),
        )
        began = time.monotonic()
