"""All probes in their order, and which of them are left out once one has told the cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from onprem_agents.agents import Agent
from onprem_agents.agents.chosen import NONE_CHOSEN, ChosenRoles
from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.agents.machine import Machine
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.probes import endpoint, local
from onprem_agents.probes.answers import answers, names_of_answers
from onprem_agents.probes.discovery import base_address
from onprem_agents.probes.limits import limits
from onprem_agents.probes.patient import Patient, verdict
from onprem_agents.probes.reach import names_of_reach, reach
from onprem_agents.probes.thinking import names_of_thinking, thinking
from onprem_agents.probes.trust import trust
from onprem_agents.probes.verdict import Verdict
from onprem_agents.setup.installed import Installed


def left_out(connection: Connection, found: Sequence[Verdict]) -> tuple[str, ...]:
    """Return the probes of the platform that did not run, `--slow` aside, in their order."""
    expected = [
        *names_of_reach(connection.base_url),
        *("no key", "wrong key", *names_of_answers(connection.main)),
        *(*names_of_thinking(connection.main), "long body", "context"),
    ]
    done = {verdict.probe for verdict in found}
    return tuple(probe for probe in expected if probe not in done)


def without_contract(
    host: str, machine: Machine, ca_file: Path | None, error: EnvironmentProblem
) -> Iterator[Verdict]:
    """Yield why the gateway gave no contract, which is the same for everything else: it cannot be examined."""
    for found in reach(base_address(host), ca_file, machine.variables):
        yield found
        if found.severity is Severity.UNREACHABLE:
            return
    fix = "check --host; or take the contract from the stack with --stack or --connection"
    yield verdict(
        "contract", Diagnosis(cause="contract", severity=Severity.UNREACHABLE, evidence=str(error), fix=fix)
    )


def machine_probes(
    patient: Patient,
    machine: Machine,
    agents: Sequence[Installed],
    named: Agent | None,
    *,
    fresh: bool = True,
    roles: ChosenRoles = NONE_CHOSEN,
) -> Iterator[Verdict]:
    """Yield what is found on this machine: the contract of setup, then each agent's configuration.

    Without a `fresh` contract nothing can be said about a drift from it; `roles` are those that the developer chose.
    """
    drift = local.drift_of_contract(patient.connection, machine) if fresh else None
    if drift is not None:
        yield drift
    for installed in agents:
        if named is None or installed.agent == named:
            seen = roles.seen_by(installed.agent, patient.connection)
            yield from local.examine(seen, installed, machine, named=named is not None, fresh=fresh)


def platform_probes(
    patient: Patient,
    machine: Machine,
    ca_file: Path | None,
    *,
    slow: bool,
    agents: Sequence[Installed] = (),
) -> Iterator[Verdict]:
    """Yield what the platform answers; stops where a cause has been found that all further probes share.

    Of the `agents` it is told whether they trust the certificate, and whether a key of their own is good.
    """
    for found in reach(
        patient.connection.base_url, ca_file, machine.variables, ca_hint=patient.connection.tls.ca_hint
    ):
        yield found
        if found.severity is Severity.UNREACHABLE:
            return
    yield from trust(patient.connection, machine, agents)
    yield from endpoint.keys(patient)
    for installed in agents:
        own = installed.agent.own_key(local.settings(installed.agent, machine), machine.variables)
        if own is not None and (patient.key is None or own[0] != patient.key.value):
            yield from endpoint.key_of_agent(patient, installed.agent, *own)
    if patient.key is None:
        hint = patient.connection.auth.key_hint
        yield verdict(
            "key",
            Diagnosis(
                cause="key-missing",
                evidence=f"no key in {patient.connection.auth.key_env}, {machine.key_file} or --key-file",
                fix=f"{hint}; then: onprem-agents setup --key-file FILE",
            ),
        )
        return
    sound = yield from answers(patient)
    if sound:
        yield from thinking(patient)
        yield from limits(patient, slow=slow)
