"""Where a command gets the connection contract from: a file, standard input, or the stack's output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import click

from onprem_agents.agents.machine import Machine
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.connection_file import AFRESH, MAX_CONTRACT_BYTES, ReadContract, read
from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem, cleaned
from onprem_agents.probes.discovery import base_address, checked_proxy, published
from onprem_agents.setup.changes import find

STANDARD_INPUT = "-"
PULUMI_SECONDS = 120
connection_option = click.option(
    "--connection",
    metavar="FILE|-",
    help="The connection contract as JSON, as your platform team gives it; - reads standard input.",
)


host_option = click.option(
    "--host", metavar="NAME[:PORT]", help="Take the contract from the gateway itself; the name is enough."
)
ca_file_option = click.option(
    "--ca-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="CA file (PEM) of a private issuer, on this machine.",
)


proxy_option = click.option(
    "--proxy", metavar="URL", help="Proxy that the gateway is reached by, if not directly."
)


def contract_of_last_setup(
    machine: Machine, ca_file: Path | None, *, stale: list[Connection] | None = None, proxy: str | None = None
) -> Connection:
    """Return the contract of the last setup, as `read_contract` does without a source; reads no standard input."""
    checked = checked_proxy(proxy) if proxy is not None else None
    found = _of_last_setup(machine, ca_file, stale, checked)
    if found is None:
        problem = Problem(
            where=str(machine.contract_file),
            cause="nothing-to-do",
            found="nothing",
            why="onprem-agents setup never ran here, so no platform is known",
            fix="run: onprem-agents setup --host NAME",
        )
        raise InvalidInput("this machine", [problem])
    if found.note is not None:
        click.echo(f"note: {found.note}", err=True)
    return found.connection


def read_contract(
    connection: str | None,
    stack: str | None,
    host: str | None = None,
    ca_file: Path | None = None,
    *,
    last: Machine | None = None,
    stale: list[Connection] | None = None,
    proxy: str | None = None,
) -> Connection:
    """Return the contract from the one source that was given; standard input when it is a pipe and none was.

    Without any, that of the last setup on the machine `last`, as its gateway publishes it now; as it was then,
    and put into `stale`, when that gateway does not answer.
    Raises `click.UsageError` for no source or two, `InvalidInput` or `EnvironmentProblem` for a bad one. Says on
    standard error when the platform is newer than this command.
    """
    found = _read(connection, stack, host, ca_file, last=last, stale=stale, proxy=proxy)
    if found.note is not None:
        click.echo(f"note: {found.note}", err=True)
    return found.connection


def _read(
    connection: str | None,
    stack: str | None,
    host: str | None,
    ca_file: Path | None,
    *,
    last: Machine | None,
    stale: list[Connection] | None,
    proxy: str | None,
) -> ReadContract:
    if len([source for source in (connection, stack, host) if source is not None]) > 1:
        raise click.UsageError("give one of --host, --connection and --stack")
    if host is not None:
        return _fetched(host, ca_file, proxy)
    if stack is not None:
        return read(_stack_output(stack), f"the output of stack {stack}")
    if connection is None:
        piped = b"" if sys.stdin is None or sys.stdin.isatty() else _limited(sys.stdin.buffer)
        if piped.strip() or (last is None and sys.stdin is not None and not sys.stdin.isatty()):
            return read(_text(piped, "standard input"), "standard input")
        again = _of_last_setup(last, ca_file, stale, proxy) if last is not None else None
        if again is None:
            raise click.UsageError(
                "no connection contract given; use --host NAME with the name that your platform team told you, or"
                " --connection FILE with the contract itself, also from a pipe; with the stack at hand, --stack STACK"
            )
        return again
    if connection == STANDARD_INPUT:
        return read(_text(_limited(sys.stdin.buffer), "standard input"), "standard input")
    return read(_file_text(connection), connection)


def support_of_last_setup(machine: Machine, host: str) -> tuple[str, ...]:
    """Return whom to ask about a host that does not answer, as it said when this machine was set up for it."""
    kept = find(machine.contract_file)
    if kept.content is None:
        return ()
    try:
        connection = read(kept.text, str(machine.contract_file)).connection
    except InvalidInput:
        return ()
    return connection.support_lines if base_address(host) == connection.anthropic_base_url else ()


def _fetched(host: str, ca_file: Path | None, proxy: str | None) -> ReadContract:
    """Ask the gateway and say so at once: a host behind a dead VPN takes half a minute to fail."""
    click.echo(f"Asking {host.removeprefix('https://')} what it serves …", err=True)
    return published(host, ca_file=ca_file, proxy=proxy, variables=os.environ)


def _of_last_setup(
    machine: Machine, ca_file: Path | None, stale: list[Connection] | None, proxy: str | None
) -> ReadContract | None:
    kept = find(machine.contract_file)
    if kept.content is None:
        return None
    contract = read(kept.text, str(machine.contract_file))
    try:
        return _fetched(contract.connection.anthropic_base_url, ca_file, proxy)
    except EnvironmentProblem as error:
        click.echo(f"{error}\nGoing on with the contract of the last setup.", err=True)
        if stale is not None:
            stale.append(contract.connection)
        return contract


def _file_text(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            return _text(_limited(file), name)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message = f"the connection file {name!a} cannot be read: {reason}; check the path after --connection"
        raise EnvironmentProblem(message) from error


def _limited(file: BinaryIO) -> bytes:
    return file.read(MAX_CONTRACT_BYTES + 1)


def _text(data: bytes, source: str) -> str:
    # PowerShell before version 6 writes UTF-16 when output is redirected into a file.
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if len(data) > MAX_CONTRACT_BYTES:  # cut within a character: let the size be the complaint
            return data.decode(encoding, "replace")
        problem = Problem(
            where=f"byte {error.start}",
            cause="unreadable",
            found="bytes that are no text",
            why=f"a contract is {encoding.removesuffix('-sig').upper()} text",
            fix=AFRESH,
        )
        raise InvalidInput(source, [problem]) from error


def _stack_output(stack: str) -> str:
    argv = ["pulumi", "stack", "output", "connection", "--json", "--non-interactive", f"--stack={stack}"]
    by_hand = "give the contract with --connection FILE instead"
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=PULUMI_SECONDS, check=False
        )
    except FileNotFoundError as error:
        message = (
            f"--stack {stack!a} needs the pulumi command, which is not on PATH; install it, or {by_hand}"
        )
        raise EnvironmentProblem(message) from error
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(f"pulumi did not answer for stack {stack!a} ({error}); {by_hand}") from error
    if done.returncode != 0:
        reason = cleaned(done.stderr.decode("utf-8", "replace"), secret=None) or "it gave no reason"
        message = (
            f"pulumi has no connection output for stack {stack!a} ({reason}); run this in the project"
            f" with its backend and passphrase set, after pulumi up, or {by_hand}"
        )
        raise EnvironmentProblem(message)
    return _text(done.stdout[: MAX_CONTRACT_BYTES + 1], f"the output of stack {stack}")
