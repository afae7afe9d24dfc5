"""Which endpoint `bench` loads, with which key and limits, and who promises what of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

from onprem_agents.agents.machine import Machine
from onprem_agents.cli.contract_source import read_contract
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.limits import compact_at_tokens, output_cap_tokens
from onprem_agents.errors import InvalidInput, Problem, nearest_hint
from onprem_agents.plan import plan_stack_file
from onprem_agents.probes.bench.bounds import Promised
from onprem_agents.probes.bench.session import Limits
from onprem_agents.probes.exchange import Target
from onprem_agents.probes.smoke import check_target
from onprem_agents.setup import developer_key, key_store
from onprem_agents.setup.developer_key import DeveloperKey

_KEY_VARIABLE = "ONPREM_API_KEY"
# Of an endpoint without a contract: the longest turn of a stack by default, and room for it to be missed.
_ROUND_SECONDS = 900.0


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """What is loaded."""

    target: Target
    limits: Limits
    promised: Promised
    ca_file: Path | None


def endpoint(  # noqa: PLR0913 - the options that say where
    machine: Machine,
    *,
    host: str | None,
    connection: str | None,
    stack: str | None,
    folder: Path,
    base_url: str | None,
    model: str | None,
    role: str | None,
    context: int | None,
    ca_file: Path | None,
    key_file: Path | None,
    timeout: float | None,
) -> Endpoint:
    """Return the endpoint that the options mean. Raises `click.UsageError` or what is wrong with an input."""
    named = [
        name for name, value in (("--host", host), ("--connection", connection), ("--stack", stack)) if value
    ]
    if len(named) > 1:
        raise click.UsageError(f"give one of {' and '.join(named)}, not both")
    ca_file = ca_file or (machine.ca_file if machine.ca_file.exists() else None)
    if not named and base_url is not None:
        return _bare(machine, base_url, model, role, context, ca_file, key_file, timeout)
    if model is not None:
        raise click.UsageError("--model goes with --base-url alone; a contract names its models: --role")
    promised, contract = Promised(), None
    if stack is not None:
        plan = plan_stack_file(folder, stack)
        contract = plan.connection
        chosen = _role_name(contract, role)
        serving = next((one for one in plan.serving if one.role == chosen), None)
        promised = Promised(serving=serving, timeouts=contract.timeouts)
    else:
        contract = read_contract(connection, None, host, ca_file, last=machine)
        promised = Promised(timeouts=contract.timeouts)
    part = contract.role(_role_name(contract, role))
    window = min(context or part.context_tokens, part.context_tokens)
    key = _key(machine, key_file, contract.auth.key_env)
    target = Target(
        base_url=base_url or contract.base_url,
        model=part.model,
        key=key.value if key else None,
        key_source=key.source if key else None,
        timeout_seconds=timeout or float(contract.timeouts.client_timeout_seconds),
    )
    check_target(target)
    limits = Limits(
        context_tokens=window,
        compact_at_tokens=min(part.compact_at_tokens, compact_at_tokens(window)),
        max_output_tokens=min(part.max_output_tokens, output_cap_tokens(window)),
    )
    return Endpoint(target=target, limits=limits, promised=promised, ca_file=ca_file)


def _bare(
    machine: Machine,
    base_url: str,
    model: str | None,
    role: str | None,
    context: int | None,
    ca_file: Path | None,
    key_file: Path | None,
    timeout: float | None,
) -> Endpoint:
    """Return an endpoint without a contract, such as a model server behind `kubectl port-forward`."""
    if role is not None:
        raise click.UsageError("--role needs a contract: --host, --connection or --stack; here it is --model")
    if model is None or context is None:
        raise click.UsageError(
            "--base-url alone needs --model NAME and --context TOKENS (vLLM's --max-model-len)"
        )
    key = _key(machine, key_file, _KEY_VARIABLE)
    target = Target(
        base_url=base_url,
        model=model,
        key=key.value if key else None,
        key_source=key.source if key else None,
        timeout_seconds=timeout or _ROUND_SECONDS,
    )
    check_target(target)
    limits = Limits(
        context_tokens=context,
        compact_at_tokens=compact_at_tokens(context),
        max_output_tokens=output_cap_tokens(context),
    )
    return Endpoint(target=target, limits=limits, promised=Promised(), ca_file=ca_file)


def _role_name(contract: Connection, name: str | None) -> str:
    known = [role.role for role in contract.roles]
    if name is None or name in known:
        return name or contract.main_role
    problem = Problem(
        where="--role",
        cause="unknown-name",
        found=ascii(name),
        why="the platform serves no role of that name",
        fix=nearest_hint(name, known),
    )
    raise InvalidInput("bench", [problem])


def _key(machine: Machine, key_file: Path | None, variable: str) -> DeveloperKey | None:
    if key_file is not None:
        return developer_key.from_file(key_file)
    return key_store.kept(machine).read(machine) or developer_key.from_variables(os.environ, variable)
