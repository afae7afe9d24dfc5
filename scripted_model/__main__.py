"""`python -m scripted_model`: serve until SIGTERM or Ctrl-C, on loopback alone."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

import click

from scripted_model import NAME, OWNER
from scripted_model.faults import FAULTS, Fault
from scripted_model.http import serve
from scripted_model.record import Record
from scripted_model.server import ScriptedModel

_LOOPBACK = "127.0.0.1"


def _served(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    served = {}
    for value in values:
        name, _, window = value.partition("=")
        if not name or not window.isdecimal() or int(window) < 1:
            raise click.BadParameter(f"{value!r} is not NAME=TOKENS, such as coder=65536")
        served[name] = int(window)
    return served


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--port", type=click.IntRange(1, 65535), required=True)
@click.option("--model", "served", multiple=True, required=True, callback=_served, metavar="NAME=TOKENS")
@click.option("--unthinking", multiple=True, metavar="NAME", help="Thinks only where a request asks for it.")
@click.option(
    "--keep-alive-seconds", type=click.FloatRange(min=0, min_open=True), help="Longest silence of a stream."
)
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False), help="File of JSON lines.")
@click.option("--fault", "faults", multiple=True, type=click.Choice(FAULTS), help="What is wrong with it.")
def main(
    port: int,
    served: dict[str, int],
    unthinking: tuple[str, ...],
    keep_alive_seconds: float | None,
    record: Path | None,
    faults: tuple[Fault, ...],
) -> None:
    """Serve the scripted model: a stand-in, no model answers."""
    try:
        model = ScriptedModel(
            served, Record(record), faults, unthinking=unthinking, keep_alive_seconds=keep_alive_seconds
        )
        asyncio.run(_run(port, model, ", ".join(served)))
    except OSError as error:
        raise click.ClickException(f"{NAME} cannot serve on {_LOOPBACK}:{port}: {error}") from None


async def _run(port: int, model: ScriptedModel, names: str) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    server = await serve(_LOOPBACK, port, model)
    click.echo(f"{OWNER} serves {names} on http://{_LOOPBACK}:{port}")
    await ended.wait()
    server.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(server.wait_closed(), timeout=1)


if __name__ == "__main__":
    main(prog_name="python -m scripted_model")
