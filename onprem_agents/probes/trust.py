"""Would each agent trust the gateway's certificate: with the CA file that it is told of, in this very shell."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from onprem_agents.agents import AGENTS, Agent
from onprem_agents.agents.config import Values, at
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.machine import Machine
from onprem_agents.contract.connection import Connection
from onprem_agents.probes.local import settings
from onprem_agents.probes.patient import verdict
from onprem_agents.probes.reach import CONNECT_SECONDS
from onprem_agents.probes.verdict import Verdict, fine
from onprem_agents.setup.certificates import roots
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
    """Judge by every file that the agent is told of: what one of them lacks, another adds.

    With the right SSL_CERT_FILE, Claude Code 2.1.330, Codex CLI 0.169.0 and opencode 1.18.33 worked beside another
    variable that named a file of another CA, or none at all (run 2026-11-28).
    """
    told = tuple(_told(agent, values, machine.variables))
    refusals = [_refusal(connection.base_url, _context(each.file)) for each in told]
    for each, refusal in zip(told, refusals, strict=True):
        if not refusal:
            return fine(f"trusted by {each.file}, as {each.name} says")
    if not (refusal := _refusal(connection.base_url, _of_everybody(machine))):
        return fine("trusted by this machine's certificates")
    if not told:
        return _cause(agent, None, refusal, machine, connection)
    return _cause(agent, told[0], refusals[0], machine, connection)


def _told(agent: Agent, values: Values, variables: Mapping[str, str]) -> Iterator[_Told]:
    own = at(values, agent.env_table) if agent.env_table else None
    table = own if isinstance(own, dict) else {}
    for name in agent.ca_variables:
        if value := str((table if name in table else variables).get(name) or ""):
            yield _Told(name=name, file=Path(value), by_shell=name not in table)


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
        if wrong := _refusal(connection.base_url, _context(ours)):
            evidence = f"setup's {ours} did not sign the gateway's certificate: {wrong}"
            return Diagnosis(cause="ca-wrong", evidence=evidence, fix=again)
        if told and _has_read(machine):
            fix = (
                f"take out what sets {told.name} after setup's line in the start file, then start a new shell"
            )
            evidence = (
                f"{said}, and with that: {trouble}; setup's {ours} is the right file, which this shell knows"
            )
            return Diagnosis(cause="ca-wrong", evidence=evidence, fix=fix)
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


def _has_read(machine: Machine) -> bool:
    """Tell whether this shell has read what setup wrote: some variable names a file of its folder."""
    told = (machine.variables.get(name) for agent in AGENTS for name in agent.told_ca)
    return any(Path(file).parent == machine.own_folder for file in told if file)


def _context(ca_file: Path) -> Callable[[], ssl.SSLContext]:
    return partial(ssl.create_default_context, cafile=ca_file)


def _of_everybody(machine: Machine) -> Callable[[], ssl.SSLContext]:
    """Return what trusts the public certificates alone; Python's own would heed SSL_CERT_FILE, as few agents do."""

    def made() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for certificates in roots(machine.root).values():
            context.load_verify_locations(cadata=b"\n".join(certificates).decode("ascii"))
        return context

    return made


def _refusal(base_url: str, context: Callable[[], ssl.SSLContext]) -> str:
    """Return why a connection checked with these certificates is refused; nothing when it is trusted."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    try:
        trusting = context()
        with (
            socket.create_connection((host, parts.port or 443), timeout=CONNECT_SECONDS) as plain,
            trusting.wrap_socket(plain, server_hostname=host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError as error:
        return error.strerror or str(error)
