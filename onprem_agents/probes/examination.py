"""All probes in their order, and which of them are left out once one has told the cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from onprem_agents.agents import Agent
from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.agents.machine import Machine
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.probes import endpoint, local
from onprem_agents.probes.discovery import base_address
from onprem_agents.probes.limits import limits
from onprem_agents.probes.patient import Patient, verdict
from onprem_agents.probes.reach import reach
from onprem_agents.probes.thinking import probes_of, thinking
from onprem_agents.probes.trust import trust
from onprem_agents.probes.verdict import Verdict
from onprem_agents.setup.installed import Installed

# After one of these every further probe of the platform would only repeat it.
_SAME_FOR_ALL = frozenset(
    {"key-refused", "key-forbidden", "model", "path", "redirect", "upstream", "not-an-api"}
)


_ANSWERS = (
    *("no key", "wrong key", "chat", "tool call", "streaming", "streamed tool call", "parallel tool calls"),
    *("messages", "messages tool call", "count_tokens", "responses", "long body", "context"),
)


def left_out(connection: Connection, found: Sequence[Verdict]) -> tuple[str, ...]:
    """Return the probes of the platform that did not run, `--slow` aside, in their order."""
    expected = ["dns", "connection"]
    if connection.base_url.startswith("https:"):
        expected.append("tls")
    expected += _ANSWERS
    if connection.main.reasoning:
        expected.insert(expected.index("messages"), "reasoning")
    place = expected.index("long body")
    expected[place:place] = probes_of(connection)
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
) -> Iterator[Verdict]:
    """Yield what is found on this machine: the contract of setup, then each agent's configuration.

    Without a `fresh` contract nothing can be said about a drift from it.
    """
    drift = local.drift_of_contract(patient.connection, machine) if fresh else None
    if drift is not None:
        yield drift
    for installed in agents:
        if named is None or installed.agent == named:
            yield from local.examine(
                patient.connection, installed, machine, named=named is not None, fresh=fresh
            )


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
    chat = endpoint.chat(patient)
    yield from chat
    if any(found.severity is Severity.UNREACHABLE or found.cause in _SAME_FOR_ALL for found in chat):
        return
    yield from endpoint.openai_streams(patient)
    yield from endpoint.anthropic(patient)
    yield from endpoint.responses(patient)
    yield from thinking(patient)
    yield from limits(patient, slow=slow)
