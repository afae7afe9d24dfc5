"""All probes in their order, and which of them are left out once one has told the cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from onprem.client_limits import Agent
from onprem.doctor import endpoint, local
from onprem.doctor.limits import limits
from onprem.doctor.patient import Patient, verdict
from onprem.doctor.reach import reach
from onprem.setup.installed import Installed
from onprem.setup.places import Machine
from onprem.smoke_causes import Cause
from onprem.verdict import Severity, Verdict

# After one of these every further probe of the platform would only repeat it.
_SAME_FOR_ALL = frozenset(
    {"key-refused", "key-forbidden", "model", "path", "redirect", "upstream", "not-an-api"}
)


def machine_probes(
    patient: Patient, machine: Machine, agents: Sequence[Installed], named: Agent | None
) -> Iterator[Verdict]:
    """Yield what is found on this machine: the contract of setup, then each agent's configuration."""
    drift = local.drift_of_contract(patient.connection, machine)
    if drift is not None:
        yield drift
    for installed in agents:
        if named is None or installed.agent == named:
            yield from local.examine(patient.connection, installed, machine, named=named is not None)


def platform_probes(
    patient: Patient, machine: Machine, ca_file: Path | None, *, slow: bool
) -> Iterator[Verdict]:
    """Yield what the platform answers; stops where a cause has been found that all further probes share."""
    for found in reach(patient.connection.base_url, ca_file, machine.variables):
        yield found
        if found.severity is Severity.UNREACHABLE:
            return
    yield from endpoint.keys(patient)
    if patient.key is None:
        hint = patient.connection.auth.key_hint
        yield verdict(
            "key",
            Cause(
                name="key-missing",
                evidence=f"no key in {patient.connection.auth.key_env}, {machine.key_file} or --key-file",
                fix=f"{hint}; then: onprem setup --key-file FILE",
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
    yield from limits(patient, slow=slow)
