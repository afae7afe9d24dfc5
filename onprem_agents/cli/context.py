"""`onprem-agents context STACK`: what agents must know that work on a stack's repository, as their own files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from onprem_agents.advice.context_files import Context, context_of
from onprem_agents.cli.key_source import interactive
from onprem_agents.cli.options import json_option, root_option, stack_argument, stacks_option
from onprem_agents.manifests import Allowed, can_i, render
from onprem_agents.plan import PlatformPlan, plan_stack_file
from onprem_agents.setup.changes import diff
from onprem_agents.stack.stack_file import stack_path

_NO_ACCOUNT = (
    "the stack has no account for an agent: platform.operator, which a person sets, makes one that looks"
)


@click.command()
@stack_argument
@stacks_option
@root_option("Root of the repository that agents work in.")
@click.option("--dry-run", is_flag=True, help="Show what would be written; no file is.")
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
@json_option
def context(stack: str, folder: Path, root: Path, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Write AGENTS.md, CLAUDE.md and skills for agents that work on a stack's repository.

    They say what the stack has, which settings an agent may change and which a person decides, the way of a change
    (plan, check, preview, never apply), and that each figure has its evidence. All of it comes from the plan and from
    the settings' schema: run it again after a change of the stack.

    Your own files stay: ours is a marked block in them; a skill of somebody else's under the same name is refused.
    The difference is shown first.
    """
    plan = plan_stack_file(folder, stack)
    file = Path(os.path.relpath(stack_path(folder, stack).resolve(), root.resolve())).as_posix()
    found = context_of(plan, root, file)
    written = _agreed(found, dry_run=dry_run, yes=yes, as_json=as_json)
    if written:
        found.write()
    _tell(plan, found, written=written, dry_run=dry_run, as_json=as_json)


def _agreed(found: Context, *, dry_run: bool, yes: bool, as_json: bool) -> bool:
    """Show what would be written, and ask on a terminal; JSON alone goes to standard output."""
    ask = not yes and not dry_run and bool(found.needed) and interactive()
    if not as_json or ask:
        for change in found.needed:
            click.echo(diff(change), nl=False, err=as_json)
    if dry_run:
        return False
    return not ask or click.confirm("Write these files?", default=True, err=as_json)


def _tell(plan: PlatformPlan, found: Context, *, written: bool, dry_run: bool, as_json: bool) -> None:
    notes = [_NO_ACCOUNT] if plan.settings.operator is None else []
    if as_json:
        told = {
            "changes": [{"path": str(each.found.path), "action": each.verb} for each in found.needed],
            "written": written,
            "canI": [_wire(line) for line in can_i(render(plan))],
            "notes": notes,
        }
        click.echo(json.dumps(told, indent=2))
        return
    for note in notes:
        click.echo(f"note: {note}", err=True)
    count = len(found.needed)
    files = "1 file" if count == 1 else f"{count} files"
    if not count:
        click.echo("Everything is written already.")
    elif dry_run:
        click.echo(f"{files} would be written; nothing was.")
    elif written:
        click.echo(f"{files} written. Commit them; Git takes them back.")
    else:
        click.echo("Nothing was written.")


def _wire(line: Allowed) -> dict[str, object]:
    return {"resource": line.full_name, "name": line.name, "may": list(line.verbs)}
