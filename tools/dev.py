"""`./dev`: everything about the local default in one command."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import click

from embedded import children
from embedded.layout import Layout
from embedded.lock import hold
from embedded.progress import Progress
from onprem_agents.errors import OnpremError

INTERRUPTED = 130
TERMINATED = 143
_PASS_ON: dict[str, Any] = {"ignore_unknown_options": True, "allow_interspersed_args": False}

Rows = list[tuple[str, str]]


class _Listing(click.Command):
    """A command whose help ends with a list, which is imported only then: it would slow down every start."""

    def __init__(self, *arguments: Any, title: str, rows: Callable[[], Rows], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._title = title
        self._rows = rows

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(self._title):
            formatter.write_dl(self._rows())
        super().format_epilog(ctx, formatter)


def _tiers() -> Rows:
    from embedded.commands.test import TIERS

    return [(tier.name, tier.shows) for tier in TIERS]


def _checks() -> Rows:
    from embedded.commands.check import CHECKS

    return [(title, "") for title, _ in CHECKS]


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="State lies in .onprem (or $ONPREM_STATE), what was built in ~/.cache (or $ONPREM_CACHE).",
)
def main() -> None:
    """Try the product on this machine: a real control plane on loopback, simulated GPU nodes."""


@main.command()
@click.argument("stack", default="local")
def up(stack: str) -> None:
    """Show the plan of STACK (default: local), start the cluster and apply the stack."""
    from embedded.gateway import leave
    from embedded.up import up as command

    layout = Layout.default()
    with hold(layout.lock_file, command=f"./dev up {stack}"):
        command(layout, stack, Progress())
        leave(layout, Progress())


@main.command()
@click.option("--forget", is_flag=True, help="Also delete the state and the keys it put into stack files.")
def down(forget: bool) -> None:
    """End every process that `up` started; the state stays."""
    from embedded.commands.down import down as command

    layout = Layout.default()
    with hold(layout.lock_file, command="./dev down"):
        command(layout, Progress(), forget=forget)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def status(as_json: bool) -> None:
    """Show the stack, its models, pods and gateway, and the running parts."""
    from embedded.commands.status import status as command

    command(Layout.default(), as_json=as_json)


@main.command()
@click.argument("stack", default="local")
@click.option(
    "--upstream",
    metavar="URL|vllm",
    help="A model server on this machine, http://127.0.0.1:PORT, or vllm: a real vLLM for the CPU.",
)
@click.option("--detach", is_flag=True, help="Leave it running and return.")
@click.option("--stop", "stopping", is_flag=True, help="End a gateway that was left running.")
@click.option("--key", "developer", metavar="NAME", help="Only print the key of that developer.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def gateway(
    stack: str, upstream: str | None, detach: bool, stopping: bool, developer: str | None, as_json: bool
) -> None:
    """Run STACK's real gateway (default: local) in front of a scripted model, the server at URL or a real vLLM.

    A vLLM that is started here serves a tiny model with random weights.

    The stack is applied to the embedded cluster as ever; only what leads to its models is redirected to loopback
    until the end, or until the next './dev up'.
    """
    from embedded.commands import gateway as command

    layout = Layout.default()
    if developer is not None:
        command.show_key(layout, stack, developer)
    elif stopping:
        command.stop(layout, Progress())
    else:
        command.gateway(layout, stack, Progress(), upstream=upstream, detach=detach, as_json=as_json)


@main.command(cls=_Listing, title="Tiers", rows=_tiers, context_settings=_PASS_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[TIER]... [PYTEST OPTION]...")
def test(arguments: tuple[str, ...]) -> None:
    """Run the tests, or only those of the named tiers.

    'agents --newest [AGENT]...' installs the newest and the previous release of each agent instead, tries them and
    writes what was seen into the catalogue (about half an hour); it fails where something does not work.
    """
    from embedded.commands.test import test as command

    command(Layout.default(), arguments, progress=Progress())


@main.command(cls=_Listing, title="Checks", rows=_checks)
def check() -> None:
    """Lint, types, house rules and more: the code looked at, not run."""
    from embedded.commands.check import check as command

    command(Layout.default(), Progress())


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON where the measurement has it.")
@click.option(
    "--cases",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="CSV file of runs that 'sizing' is measured on.",
)
def bench(names: tuple[str, ...], as_json: bool, cases: Path | None) -> None:
    """Measure the product; without a NAME everything. NAMES: advise, gateway, program, sizing.

    Runs on a cluster and on stacks of its own, whatever is up in this checkout.
    """
    from tools.bench.command import bench as command

    layout = Layout.default()
    with hold(layout.lock_file, command="./dev bench"):
        command(layout, names, Progress(), as_json=as_json, cases=cases)


@main.command(context_settings=_PASS_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND]...")
def shell(words: tuple[str, ...]) -> None:
    """Run COMMAND, or a shell, with PATH, KUBECONFIG and PULUMI_* set."""
    from embedded.commands.shell import shell as command

    command(Layout.default(), words, Progress())


def run(command: Callable[[], Any]) -> int:
    """Run `command` and turn every expected end into an exit code and one message on standard error."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        command()
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except (OnpremError, OSError) as problem:
        click.echo(f"error: {problem}", err=True)
        return 1
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        return INTERRUPTED
    finally:
        children.end_all()
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    # Here, not where the exception arrives: on its way a `with` block may wait for a thread that waits for a
    # child.
    children.end_all()
    raise KeyboardInterrupt


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    children.end_all()
    sys.exit(TERMINATED)


if __name__ == "__main__":
    words = sys.argv[1:] or ["--help"]
    code = run(lambda: main(args=words, prog_name="./dev", standalone_mode=False))
    sys.stdout.flush()
    sys.stderr.flush()
    if code == INTERRUPTED:
        # A thread that waited for a child which was just ended must not keep the program alive.
        os._exit(code)
    sys.exit(code)
