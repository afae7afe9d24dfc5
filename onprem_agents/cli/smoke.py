"""`onprem-agents smoke`: is this endpoint fit for an agent? One chat request, one tool call."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from onprem_agents.cli.contract_source import connection_option, read_contract
from onprem_agents.cli.options import json_option
from onprem_agents.cli.verdict_view import row, show
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.probes.exchange import Target, client
from onprem_agents.probes.smoke import check_target, run
from onprem_agents.probes.verdict import Verdict, worst

MAX_KEY_BYTES = 16 * 1024
_DEFAULT_KEY_ENV = "ONPREM_API_KEY"


@click.command()
@click.option("--base-url", metavar="URL", help="Address of the API, ending at /v1.")
@click.option("--model", metavar="NAME", help="Model name as served.")
@click.option(
    "--key-env", metavar="VARIABLE", help=f"Variable that holds the key.  [default: {_DEFAULT_KEY_ENV}]"
)
@click.option("--key-file", type=click.Path(path_type=Path), help="File that holds the key.")
@connection_option
@click.option("--ca-file", type=click.Path(path_type=Path), help="CA file (PEM) of a private issuer.")
@click.option(
    "--timeout", type=click.FloatRange(min=1, max=3600), default=120.0, show_default=True, help="Seconds."
)
@json_option
def smoke(
    base_url: str | None,
    model: str | None,
    key_env: str | None,
    key_file: Path | None,
    connection: str | None,
    ca_file: Path | None,
    timeout: float,
    as_json: bool,
) -> None:
    """Test an endpoint with one chat request, one tool call and one stream.

    Exit code: 0 all well, 1 an agent would not work with it, 3 nothing answers.
    """
    if connection is not None:
        contract = read_contract(connection, None)
        base_url = base_url or contract.base_url
        model = model or contract.main.model
        key_env = key_env or contract.auth.key_env
    if not base_url or not model:
        raise click.UsageError("give --base-url and --model, or --connection FILE that holds both")
    if key_env and key_file and connection is None:
        raise click.UsageError("give --key-env or --key-file, not both")
    key, source = _key(key_env, key_file)
    target = Target(base_url=base_url, model=model, key=key, key_source=source, timeout_seconds=timeout)
    check_target(target)
    with client(target, ca_file=ca_file) as http:
        verdicts = run(target, http)
    _show(verdicts, as_json=as_json)
    sys.exit(worst(verdicts))


def _key(key_env: str | None, key_file: Path | None) -> tuple[str | None, str | None]:
    """Return the key and the name of its source; neither when the variable is not set."""
    if key_file is not None:
        try:
            with key_file.open("rb") as file:
                return file.read(MAX_KEY_BYTES).decode("utf-8", "replace").strip(), f"the file {key_file}"
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            message = (
                f"the key file {str(key_file)!a} cannot be read: {reason}; check the path after --key-file"
            )
            raise EnvironmentProblem(message) from error
    name = key_env or _DEFAULT_KEY_ENV
    value = os.environ.get(name, "").strip()
    if value:
        return value, f"the variable {name}"
    if key_env and not os.environ.get(name):
        click.echo(f"the variable {name} is not set: asking without a key", err=True)
    return None, None


def _show(verdicts: tuple[Verdict, ...], *, as_json: bool) -> None:
    if as_json:
        rows = [row(verdict) for verdict in verdicts]
        click.echo(json.dumps({"verdicts": rows, "exitCode": int(worst(verdicts))}, indent=2))
        return
    for verdict in verdicts:
        show(verdict)
