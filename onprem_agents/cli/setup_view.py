"""How `setup` and `use` show what they would write, ask for it, and tell what was done."""

from __future__ import annotations

import json

import click

from onprem_agents.cli.key_source import interactive
from onprem_agents.setup.changes import Change, diff
from onprem_agents.setup.prepare import Setup


def agreed(prepared: Setup, left_out: dict[str, str], *, dry_run: bool, yes: bool, as_json: bool) -> bool:
    """Show what would be written, then what is to be said of it, and ask on a terminal; JSON alone goes to stdout."""
    needed = [change for change in prepared.changes if change.needed]
    ask = not yes and not dry_run and bool(needed) and interactive()
    if not as_json or ask:
        for change in needed:
            click.echo(diff(change), nl=False, err=as_json)
        tell_left_out(left_out)
        for note in prepared.notes:
            click.echo(f"note: {note}", err=True)
    if dry_run:
        return False
    return not ask or click.confirm("Write these files?", default=True, err=as_json)


def tell_left_out(left_out: dict[str, str]) -> None:
    """Say who is left out, in one line for each reason."""
    for reason in dict.fromkeys(left_out.values()):
        names = ", ".join(name for name, its_own in left_out.items() if its_own == reason)
        click.echo(f"left out {names}: {reason}", err=True)


def tell(prepared: Setup, left_out: dict[str, str], *, written: bool, dry_run: bool, as_json: bool) -> None:
    """Print what was done, or what would be."""
    needed = [change for change in prepared.changes if change.needed]
    if as_json:
        rows = [{"path": str(change.found.path), "action": change.verb} for change in needed]
        result = {
            "changes": rows,
            "written": written and bool(rows),
            "leftOut": left_out,
            "notes": list(prepared.notes),
        }
        click.echo(json.dumps(result, indent=2))
    elif not needed:
        click.echo("Everything is set up already; nothing was written.")
    elif dry_run:
        click.echo(f"{_count(needed)} would be written; nothing was.")
    elif not written:
        click.echo("Nothing was written.")
    else:
        click.echo(
            f"{_count(needed)} written. Take it back: onprem-agents setup --undo. "
            "Check it, in a new shell: onprem-agents doctor"
        )


def _count(changes: list[Change]) -> str:
    return "1 file" if len(changes) == 1 else f"{len(changes)} files"
