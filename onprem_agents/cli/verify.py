"""`onprem-agents verify STACK`: after the update, is the platform of use to an agent?"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import click

from onprem_agents.cli.contract_source import STANDARD_INPUT
from onprem_agents.cli.options import json_option, stack_argument, stacks_option
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import InvalidInput, Problem, nearest_hint
from onprem_agents.plan import PlatformPlan, plan_stack_file
from onprem_agents.probes.checked import Checked, Outcome
from onprem_agents.probes.discovery import base_address, trusting
from onprem_agents.probes.verification import Verification
from onprem_agents.setup import developer_key
from onprem_agents.setup.developer_key import DeveloperKey
from onprem_agents.stack import keys as stack_keys
from onprem_agents.stack.check import Check
from onprem_agents.stack.section_reader import Wording, read_section

_OPTIONS = {"address": "--address", "caFile": "--ca-file", "longPromptTokens": "--long-prompt-tokens"}
_OPTIONS |= {"waitSeconds": "--wait"}


@click.command()
@stack_argument
@stacks_option
@click.option(
    "--role", "roles", multiple=True, metavar="NAME", help="Check this role alone; may be given again."
)
@click.option(
    "--url", metavar="URL", help="Another address of the gateway than the stack's, such as https://NAME."
)
@click.option(
    "--address",
    metavar="HOST[:PORT]",
    help="Connect there instead of where the gateway's name leads; the certificate is still checked for the name.",
)
@click.option("--ca-file", metavar="FILE", help="CA file (PEM) of a private issuer.")
@click.option("--key-file", metavar="FILE|-", help="File with a developer's key; - reads standard input.")
@click.option("--developer", metavar="NAME", help="Whose key of the stack file to use, when none is given.")
@click.option("--long-prompt-tokens", type=int, help="Length of the long prompt.  [default: 60000]")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1, max=3600),
    default=120.0,
    show_default=True,
    help="Seconds a check; the long prompt may take the stack's longest turn.",
)
@click.option(
    "--wait",
    type=int,
    default=0,
    show_default=True,
    help="Seconds to wait for a gateway that does not know its routes yet.",
)
@json_option
def verify(  # noqa: PLR0913, PLR0917 - one parameter for each option
    stack: str,
    folder: Path,
    roles: tuple[str, ...],
    url: str | None,
    address: str | None,
    ca_file: str | None,
    key_file: str | None,
    developer: str | None,
    long_prompt_tokens: int | None,
    timeout: float,
    wait: int,
    as_json: bool,
) -> None:
    """Check the deployed platform of a stack with a developer's key: every role, every API, context and cache.

    The key is that of --key-file, of the variable ONPREM_API_KEY, or of a developer in the stack file, which
    pulumi decrypts. Exit code: 0 all well, 1 something would keep an agent from working, 3 the platform cannot
    be reached.
    """
    plan = plan_stack_file(folder, stack)
    given = {"address": address, "caFile": ca_file, "longPromptTokens": long_prompt_tokens}
    given |= {"waitSeconds": wait}
    settings = _settings(plan, given)
    contract = plan.connection if url is None else _at(plan.connection, url)
    meant = _roles(contract, roles)
    key = _key(contract, key_file, developer, folder, stack)
    trusting(
        None if settings.ca_file is None else Path(settings.ca_file)
    )  # a bad file is told before all else
    verification = Verification(connection=contract, roles=meant, settings=settings, timeout_seconds=timeout)
    outcome = verification.run(key, os.environ, lambda result: _show(result, to_stderr=as_json))
    _end(contract, outcome, as_json=as_json)


def _end(contract: Connection, outcome: Outcome, *, as_json: bool) -> NoReturn:
    """Print the sum of it and leave with the worst severity."""
    told = {
        "stack": contract.stack,
        "url": contract.base_url,
        "passed": outcome.passed,
        "checks": [result.to_wire() for result in outcome.results],
        "notRun": list(outcome.missing),
        "exitCode": int(outcome.severity),
    }
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo(f"{outcome.summary}.")
        if outcome.missing:
            click.echo(f"Not run, for the fault above stands before them: {', '.join(outcome.missing)}.")
    sys.exit(outcome.severity)


def _show(result: Checked, *, to_stderr: bool) -> None:
    """Print a result as soon as it is there; beside JSON on standard error, where it is the progress."""
    mark = "ok  " if result.sound else "FAIL"
    click.echo(f"{mark} {result.place}: {result.found}", err=to_stderr)
    if not result.sound:
        click.echo(f"     why:    {result.why}\n     change: {result.change}", err=to_stderr)


def _settings(plan: PlatformPlan, given: dict[str, Any]) -> Check:
    """Return how to check: what the options say, else what the stack says. Raises `InvalidInput`."""
    said = {key: value for key, value in given.items() if value is not None}
    own = plan.settings.check.model_dump(by_alias=True) if plan.settings.check is not None else {}
    settings, problems = read_section(Check, own | said, Wording())
    if settings is None:
        told = [replace(problem, where=_OPTIONS.get(problem.where, problem.where)) for problem in problems]
        raise InvalidInput("verify", told)
    return settings


def _at(contract: Connection, url: str) -> Connection:
    """Return the contract of the same platform at another address. Raises `InvalidInput`."""
    try:
        base = base_address(url.strip().rstrip("/").removesuffix("/v1"))
    except InvalidInput as error:
        problems = [
            replace(problem, where="--url", fix=problem.fix.replace("give the bare name", "give its address"))
            for problem in error.problems
        ]
        raise InvalidInput("verify", problems) from None
    host = urlsplit(base).hostname or ""
    return contract.model_copy(update={"host": host, "base_url": f"{base}/v1", "anthropic_base_url": base})


def _roles(contract: Connection, names: tuple[str, ...]) -> tuple[str, ...]:
    known = [role.role for role in contract.roles]
    problems = [
        Problem(
            where="--role",
            cause="unknown-name",
            found=ascii(name),
            why="the stack serves no role of that name",
            fix=nearest_hint(name, known),
        )
        for name in names
        if name not in known
    ]
    if problems:
        raise InvalidInput("verify", problems)
    return tuple(role for role in known if role in names or not names)


def _key(
    contract: Connection, key_file: str | None, developer: str | None, folder: Path, stack: str
) -> DeveloperKey:
    """Return the developer's key of the one source that was given, else of the stack file."""
    if key_file is not None and developer is not None:
        raise click.UsageError("give --key-file or --developer, not both")
    if key_file == STANDARD_INPUT:
        text = sys.stdin.buffer.read(developer_key.MAX_KEY_BYTES).decode("utf-8", "replace")
        return developer_key.checked(text, "standard input")
    if key_file is not None:
        return developer_key.from_file(Path(key_file))
    variable = developer_key.from_variables(os.environ, contract.auth.key_env) if developer is None else None
    if variable is not None:
        return variable
    name, key = stack_keys.newest(folder, stack, developer)
    return developer_key.checked(key, f"{name} in the stack file")
