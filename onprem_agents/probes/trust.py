"""Would each agent trust the gateway's certificate: with the CA file that it is told of, in this very shell."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
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


def _judged(agent: Agent, values: Values, connection: Connection, machine: Machine) -> Diagnosis:
    told = _told(agent, values, machine.variables)
    if trouble := _refusal(connection.base_url, told[1] if told else None):
        if told is not None and not _refusal(connection.base_url, None):
            return fine("trusted by this machine's certificates")
        return _cause(agent, told, trouble, machine)
    return fine(
        f"trusted by {told[1]}, as {told[0]} says" if told else "trusted by this machine's certificates"
    )


def _told(agent: Agent, values: Values, variables: Mapping[str, str]) -> tuple[str, Path] | None:
    own = at(values, agent.env_table) if agent.env_table else None
    told = {**variables, **own} if isinstance(own, dict) else variables
    return next(((name, Path(str(told[name]))) for name in agent.ca_variables if told.get(name)), None)


def _cause(agent: Agent, told: tuple[str, Path] | None, trouble: str, machine: Machine) -> Diagnosis:
    again = "give your organisation's CA file: onprem-agents setup --ca-file FILE, then start a new shell"
    if told is None and machine.ca_file.exists():
        lines = machine.own_folder / SHELL_FILES["bash"]
        fix = f"start a new shell, which reads what setup wrote; or, in bash and zsh: . {lines}"
        evidence = f"{agent.ca_variables[0]} is not set in this shell, and without it: {trouble}"
        return Diagnosis(cause="ca-not-told", evidence=evidence, fix=fix)
    if told is None:
        return Diagnosis(cause="ca-not-told", evidence=f"it is told of no CA file: {trouble}", fix=again)
    name, file = told
    if not file.is_file():
        return Diagnosis(cause="ca-missing", evidence=f"{name} is {file}, which is not there", fix=again)
    return Diagnosis(cause="ca-wrong", evidence=f"{name} is {file}, and with it: {trouble}", fix=again)


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
