"""Would each agent trust the gateway's certificate: with the CA file that it is told of, in this very shell."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from onprem_agents.agents import Agent
from onprem_agents.agents.config import Values, at
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.machine import Machine
from onprem_agents.contract.connection import Connection
from onprem_agents.probes.local import settings
from onprem_agents.probes.patient import verdict
from onprem_agents.probes.reach import CONNECT_SECONDS
from onprem_agents.probes.verdict import Verdict, fine
from onprem_agents.setup.installed import Installed
from onprem_agents.setup.shell import SHELL_FILES


def trust(connection: Connection, machine: Machine, agents: Sequence[Installed]) -> Iterator[Verdict]:
    """Yield a verdict for each agent that is installed and set up here; nothing for a platform without TLS."""
    if urlsplit(connection.base_url).scheme != "https":
        return
    for installed in agents:
        values = settings(installed.agent, machine)
        if installed.path is not None and values:
            yield verdict(
                f"{installed.agent.name} certificate", _judged(installed.agent, values, connection, machine)
            )


@dataclass(frozen=True, kw_only=True)
class _Told:
    """The CA file that an agent is told of: by which name, and whether by this shell and not by its own file."""

    name: str
    file: Path
    by_shell: bool


def _judged(agent: Agent, values: Values, connection: Connection, machine: Machine) -> Diagnosis:
    told = _told(agent, values, machine.variables)
    if trouble := _refusal(connection.base_url, told.file if told else None):
        if told is not None and not _refusal(connection.base_url, None):
            return fine("trusted by this machine's certificates")
        return _cause(agent, told, trouble, machine, connection)
    return fine(
        f"trusted by {told.file}, as {told.name} says" if told else "trusted by this machine's certificates"
    )


def _told(agent: Agent, values: Values, variables: Mapping[str, str]) -> _Told | None:
    own = at(values, agent.env_table) if agent.env_table else None
    table = own if isinstance(own, dict) else {}
    for name in agent.ca_variables:
        if value := str((table if name in table else variables).get(name) or ""):
            return _Told(name=name, file=Path(value), by_shell=name not in table)
    return None


def _cause(
    agent: Agent, told: _Told | None, trouble: str, machine: Machine, connection: Connection
) -> Diagnosis:
    """Tell a shell that has not read what setup wrote from a file that would not help in any shell."""
    where = f" ({connection.tls.ca_hint})" if connection.tls.ca_hint else ""
    again = (
        f"give your organisation's CA file{where}: onprem-agents setup --ca-file FILE, then start a new shell"
    )
    ours = machine.ca_file
    if ours.is_file() and (told is None or (told.by_shell and told.file != ours)):
        said = f"{told.name} is {told.file}" if told else f"{agent.ca_variables[0]} is not set"
        if wrong := _refusal(connection.base_url, ours):
            evidence = f"setup's {ours} did not sign the gateway's certificate: {wrong}"
            return Diagnosis(cause="ca-wrong", evidence=evidence, fix=again)
        lines = machine.own_folder / SHELL_FILES["bash"]
        fix = f"start a new shell, which reads what setup wrote; or, in bash and zsh: . {lines}"
        evidence = f"in this shell {said}, and with that: {trouble}; setup's {ours} is the right file"
        return Diagnosis(cause="old-shell", evidence=evidence, fix=fix)
    if told is None:
        return Diagnosis(cause="ca-not-told", evidence=f"it is told of no CA file: {trouble}", fix=again)
    if not told.file.is_file():
        evidence = f"{told.name} is {told.file}, which is not there"
        return Diagnosis(cause="ca-missing", evidence=evidence, fix=again)
    evidence = f"{told.name} is {told.file}, and with it: {trouble}"
    return Diagnosis(cause="ca-wrong", evidence=evidence, fix=again)


def _refusal(base_url: str, ca_file: Path | None) -> str:
    """Return why a connection checked with these certificates is refused; nothing when it is trusted."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    try:
        context = ssl.create_default_context(cafile=ca_file)
        with (
            socket.create_connection((host, parts.port or 443), timeout=CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError as error:
        return error.strerror or str(error)
