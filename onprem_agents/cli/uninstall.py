"""`onprem-agents uninstall`: everything that setup ever wrote on this machine, taken back."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from onprem_agents.agents.machine import Machine
from onprem_agents.cli.options import json_option
from onprem_agents.setup.uninstall import installed_paths
from onprem_agents.setup.uninstall import uninstall as take_all_back


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would be changed or removed; nothing is.")
@click.option("--force", is_flag=True, help="Put back what was there before, and lose what came later.")
@click.option("--yes", is_flag=True, help="Do not ask before.")
@json_option
def uninstall(dry_run: bool, force: bool, yes: bool, as_json: bool) -> None:
    """Take back every run of setup: the agents' settings, the shell's lines, the key, the history.

    What you or the agents wrote into the same files since stays. The agents themselves stay installed.
    """
    machine = Machine(home=Path.home(), project=Path.cwd(), variables=dict(os.environ))
    paths = installed_paths(machine)
    if not paths or dry_run:
        _tell(paths, (), dry_run=dry_run, as_json=as_json)
        return
    asking = sys.stdin is not None and sys.stdin.isatty() and not as_json and not yes
    if asking:
        click.echo("".join(f"{path}\n" for path in paths), nl=False)
        if not click.confirm("Take out of these files what setup wrote?", default=True):
            click.echo("Nothing was changed.")
            return
    done = take_all_back(machine, force=force)
    _tell(done.paths, done.kept, dry_run=False, as_json=as_json)


def _tell(paths: tuple[Path, ...], kept: tuple[Path, ...], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        told = {"paths": [str(path) for path in paths], "kept": [str(path) for path in kept]}
        click.echo(json.dumps({**told, "written": bool(paths) and not dry_run}, indent=2))
        return
    if not paths:
        click.echo("There is nothing to uninstall.")
        return
    for path in paths:
        click.echo(f"{'would take ours out of' if dry_run else 'took ours out of'} {path}")
    for path in kept:
        click.echo(f"left {path}: setup did not write it")
