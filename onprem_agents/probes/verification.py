"""Is a deployed platform of use? The doctor's probes of the platform for every role, and what a long day needs.

Nothing of a developer's machine is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from onprem_agents.agents import AGENTS
from onprem_agents.agents.diagnosis import Severity
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.probes import endpoint
from onprem_agents.probes.address import Address
from onprem_agents.probes.answers import answers, names_of_answers
from onprem_agents.probes.checked import Checked, Outcome
from onprem_agents.probes.exchange import Target, client, exchange
from onprem_agents.probes.limits import context, long_body
from onprem_agents.probes.long_prompts import LONG, REUSE, long_prompt, reuse
from onprem_agents.probes.patient import Patient
from onprem_agents.probes.published import contract, models
from onprem_agents.probes.reach import names_of_reach, reach
from onprem_agents.probes.smoke import chat_body
from onprem_agents.probes.verdict import Verdict
from onprem_agents.setup.developer_key import DeveloperKey
from onprem_agents.stack.check import Check

# A gateway that is ready by its own word needs some seconds more for its routes, keys and endpoints.
_NOT_YET = frozenset({401, 403, 404, 500, 502, 503, 504})
_LOOK_SECONDS = 1.0
_ANSWER_SECONDS = 10.0
_ONE_KEY_FOR_ALL = frozenset({"key-missing", "key-refused", "key-forbidden"})


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What is to be checked: a platform by its contract, these of its roles, and the way to it.

    Of `uncached_roles`, which keep no prefix on purpose, no reuse is expected. `timeout_seconds` bounds each check
    but the long prompt, which may take the contract's longest turn.
    """

    connection: Connection
    roles: tuple[str, ...]
    uncached_roles: tuple[str, ...] = ()
    settings: Check
    timeout_seconds: float = 120.0

    @property
    def planned(self) -> tuple[str, ...]:
        """What is checked of a sound platform, in its order."""
        names = list(names_of_reach(self.connection.base_url))[0 if self._address is None else 1 :]
        names += ["no key", "wrong key", "contract", "models", "long body"]
        found = [f"gateway: {name}" for name in names]
        for role in map(self.connection.role, self.roles):
            of_role = [*names_of_answers(role, _paths(role)), "context"]
            of_role += [LONG] if role.role in self.uncached_roles else [REUSE, LONG]
            found += [f"{role.role}: {name}" for name in of_role]
        return tuple(found)

    def run(
        self, key: DeveloperKey, variables: Mapping[str, str], tell: Callable[[Checked], None]
    ) -> Outcome:
        """Check all of it and tell each result as it comes; stops where the rest would only repeat a cause.

        Raises `InvalidInput` for a key that no header can carry.
        """
        target = Target(
            base_url=self.connection.base_url,
            model=self.connection.main.model,
            timeout_seconds=self.timeout_seconds,
        )
        results = []
        http, wait_seconds = self._client(target)
        with http:
            patient = Patient(
                connection=self.connection, key=key, http=http, timeout_seconds=self.timeout_seconds
            )
            wait_until_served(patient, wait_seconds)
            for result in self._results(patient, variables):
                results.append(result)
                tell(result)
        return Outcome(results=tuple(results), planned=self.planned)

    def _client(self, target: Target) -> tuple[httpx.Client, float]:
        """Return a client, and how long to wait for the gateway; a bad CA file is told by the check of `tls`."""
        try:
            return client(target, ca_file=self._ca_file, address=self._address), self.settings.wait_seconds
        except EnvironmentProblem:
            return client(target, address=self._address), 0.0

    @property
    def _address(self) -> Address | None:
        return None if self.settings.address is None else Address.of(self.settings.address)

    @property
    def _ca_file(self) -> Path | None:
        return None if self.settings.ca_file is None else Path(self.settings.ca_file)

    def _results(self, patient: Patient, variables: Mapping[str, str]) -> Iterator[Checked]:
        for found in _timed(None, self._gateway(patient, variables)):
            yield found
            if found.severity is Severity.UNREACHABLE:
                return
        for name in self.roles:
            for found in _timed(name, self._role(replace(patient, role_name=name))):
                yield found
                if found.cause in _ONE_KEY_FOR_ALL:
                    return

    def _gateway(self, patient: Patient, variables: Mapping[str, str]) -> Iterator[Verdict]:
        hint = self.connection.tls.ca_hint
        yield from reach(
            self.connection.base_url, self._ca_file, variables, ca_hint=hint, address=self._address
        )
        yield from endpoint.keys(patient)
        yield contract(patient)
        yield models(patient)
        yield long_body(patient)

    def _role(self, patient: Patient) -> Iterator[Verdict]:
        sound = yield from answers(patient, _paths(patient.role))
        if not sound:
            return
        yield context(patient)
        if patient.role.role not in self.uncached_roles:
            yield reuse(patient)
        longest = max(patient.timeout_seconds, float(self.connection.timeouts.longest_turn_seconds))
        yield long_prompt(replace(patient, timeout_seconds=longest), self.settings.long_prompt_tokens)


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


def _paths(role: Role) -> tuple[str, ...]:
    """Return the paths of the agents that can work with a role."""
    return tuple(agent.path for agent in AGENTS if agent.name in role.supported_agents)


def _timed(role: str | None, found: Iterable[Verdict]) -> Iterator[Checked]:
    """Yield verdicts as results, each with the time that its own probe took."""
    began = time.monotonic()
    for verdict in found:
        yield Checked.of(_as_platform_engineer(verdict), role, time.monotonic() - began)
        began = time.monotonic()


def _as_platform_engineer(verdict: Verdict) -> Verdict:
    """Return a verdict that tells a developer to set up the machine anew as one about the deployment."""
    fix = verdict.fix
    if verdict.cause == "dns":
        fix = "give the name an address in DNS; until then --address HOST, or check.address in the stack file"
    elif "--ca-file" in fix:
        fix = "give the file of the CA that signed the certificate: --ca-file FILE, or check.caFile in the stack file"
    return replace(verdict, fix=fix)
