"""`onprem-agents doctor`: what keeps an agent from working, and what to change."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

import click
import httpx

from onprem_agents.agents import AGENTS, agent_named
from onprem_agents.agents.diagnosis import Severity
from onprem_agents.agents.machine import Machine
from onprem_agents.cli.contract_source import (
    ca_file_option,
    connection_option,
    host_option,
    read_contract,
    support_of_last_setup,
)
from onprem_agents.cli.options import json_option
from onprem_agents.cli.verdict_view import row, show
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.probes.agent_run import RUN_SECONDS, run_agent
from onprem_agents.probes.agent_session import SCREEN_SECONDS
from onprem_agents.probes.examination import left_out, machine_probes, platform_probes, without_contract
from onprem_agents.probes.exchange import Target as SmokeTarget
from onprem_agents.probes.exchange import client
from onprem_agents.probes.interactive import interactive as in_terminal
from onprem_agents.probes.patient import Patient
from onprem_agents.probes.verdict import Verdict, worst
from onprem_agents.setup import developer_key, installed, key_store, role_choice


@click.command()
@host_option
@connection_option
@click.option("--stack", help="Take the contract from the outputs of this stack: for those who deploy it.")
@click.option(
    "--agent",
    type=click.Choice([agent.name for agent in AGENTS]),
    help="Let that agent write a file in a scratch repository.",
)
@click.option(
    "--interactive", is_flag=True, help="With --agent: also drive it in a terminal, from its first screen on."
)
@ca_file_option
@click.option("--key-file", type=click.Path(path_type=Path), help="File that holds your key.")
@click.option("--slow", is_flag=True, help="Also wait for a prompt of half the context window on each API.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1, max=3600),
    default=120.0,
    show_default=True,
    help="Seconds a probe.",
)
@click.option(
    "--root", type=click.Path(path_type=Path), default=Path("/"), help="Folder to take for / (images)."
)
@json_option
def doctor(  # noqa: PLR0913, PLR0917 - one parameter for each option
    host: str | None,
    connection: str | None,
    stack: str | None,
    agent: str | None,
    interactive: bool,
    ca_file: Path | None,
    key_file: Path | None,
    slow: bool,
    timeout: float,
    root: Path,
    as_json: bool,
) -> None:
    """Examine this machine's configuration and the platform, one probe for each cause.

    Without a source, the gateway that this machine was set up for is asked. Exit code: 0 all well, 1 something
    would keep an agent from working, 3 the platform cannot be reached.
    """
    if interactive and agent is None:
        raise click.UsageError("--interactive needs --agent: which one is to be driven?")
    machine = Machine(home=Path.home(), project=Path.cwd(), root=root, variables=dict(os.environ))
    ca_file = ca_file or _ca_of_setup(machine)
    verdicts: list[Verdict] = []
    stale: list[Connection] = []
    try:
        contract = read_contract(connection, stack, host, ca_file, last=machine, stale=stale)
    except EnvironmentProblem as error:
        if host is None:
            raise
        _tell(without_contract(host, machine, ca_file, error), verdicts, as_json=as_json)
        _end(verdicts, (), support_of_last_setup(machine, host), as_json=as_json)
    key = _key(contract, machine, key_file)
    named = agent_named(agent) if agent is not None else None
    found = installed.find_all(AGENTS, machine.variables)
    meant = [item for item in found if named in (None, item.agent)]
    target = Patient(
        connection=contract, key=key, http=_client(contract, ca_file, timeout), timeout_seconds=timeout
    )
    with target.http:
        roles, _ = role_choice.kept(machine).usable(contract)
        of_machine = machine_probes(target, machine, found, named, fresh=not stale, roles=roles)
        _tell(of_machine, verdicts, as_json=as_json)
        _tell(platform_probes(target, machine, ca_file, slow=slow, agents=meant), verdicts, as_json=as_json)
    skipped = left_out(contract, verdicts)
    if named is not None:
        chosen = next(item for item in found if item.agent == named)
        seconds = max(timeout, RUN_SECONDS)
        secret = key.value if key else None
        seen = roles.seen_by(named, contract)
        done = run_agent(seen, chosen, machine.variables, key=secret, seconds=seconds)
        _tell([done], verdicts, as_json=as_json)
        if interactive:
            stages = in_terminal(
                seen, chosen, machine.variables, key=secret, seconds=max(timeout, SCREEN_SECONDS)
            )
            _tell(stages, verdicts, as_json=as_json)
    _end(verdicts, skipped, contract.support_lines, as_json=as_json)


def _end(
    verdicts: list[Verdict], skipped: Sequence[str], support: Sequence[str], *, as_json: bool
) -> NoReturn:
    """Print the sum of it, with whom to ask where there is a fault, and leave with the worst severity."""
    bad = sum(verdict.severity is not Severity.OK for verdict in verdicts)
    help_with_faults = list(support) if bad else []
    if as_json:
        rows = [row(verdict) for verdict in verdicts]
        told = {"verdicts": rows, "notRun": list(skipped), "exitCode": int(worst(verdicts))}
        click.echo(json.dumps(told | ({"support": help_with_faults} if help_with_faults else {}), indent=2))
    else:
        click.echo(
            f"{len(verdicts)} probes, {bad} with a fault." if bad else f"{len(verdicts)} probes, all well."
        )
        if skipped:
            click.echo(f"Not run, for the fault above stands before them: {', '.join(skipped)}.")
        click.echo("".join(f"{line}\n" for line in help_with_faults), nl=False)
    sys.exit(worst(verdicts))


def _client(contract: Connection, ca_file: Path | None, timeout: float) -> httpx.Client:
    target = SmokeTarget(base_url=contract.base_url, model=contract.main.model, timeout_seconds=timeout)
    try:
        return client(target, ca_file=ca_file)
    except EnvironmentProblem:
        return client(target)  # the probe of the certificate comes first, and tells of the file


def _key(contract: Connection, machine: Machine, key_file: Path | None) -> developer_key.DeveloperKey | None:
    if key_file is not None:
        return developer_key.from_file(key_file)
    if stored := key_store.kept(machine).read(machine):
        return stored
    return developer_key.from_variables(machine.variables, contract.auth.key_env)


def _ca_of_setup(machine: Machine) -> Path | None:
    """Return the CA file of setup, or the one that the agents are told of in this shell, if any."""
    own = [agent.ca_variables[0] for agent in AGENTS]
    names = dict.fromkeys([*own, *(name for agent in AGENTS for name in agent.ca_variables)])
    told = [Path(value) for name in names if (value := machine.variables.get(name))]
    return next((path for path in (machine.ca_file, *told) if path.exists()), next(iter(told), None))


def _tell(found: Iterable[Verdict], verdicts: list[Verdict], *, as_json: bool) -> None:
    for verdict in found:
        verdicts.append(verdict)
        if not as_json:
            show(verdict)
