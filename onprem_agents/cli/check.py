"""`onprem-agents check STACK`: may this change of a stack go to review? The gate of agents that work on it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from onprem_agents.advice.committed import commit_before, content_at
from onprem_agents.cli.options import json_option, stack_argument, stacks_option
from onprem_agents.errors import InvalidInput
from onprem_agents.plan import plan_stack_file
from onprem_agents.stack.decided import people_decide
from onprem_agents.stack.settings import Platform
from onprem_agents.stack.stack_file import content_of, stack_path


@click.command()
@stack_argument
@stacks_option
@click.option(
    "--since",
    metavar="COMMIT",
    help="What the work began from.  [default: the remote's main branch, else the last commit]",
)
@json_option
def check(stack: str, folder: Path, since: str | None, as_json: bool) -> None:
    """Check a stack that an agent changed: it must plan, and hold no change that a person decides.

    Which settings those are, each setting says itself; 'onprem-agents context STACK' lists them. Exit code: 0 may go to
    review, 1 must not, with file and key of each change.
    """
    path = stack_path(folder, stack)
    problems, commit = [], ""
    try:
        notes = plan_stack_file(folder, stack).notes
    except InvalidInput as error:
        problems, notes = list(error.problems), ()
    if path.is_file():
        commit = commit_before(folder, since)
        now = _content(path)
        if now is not None:
            problems += people_decide(Platform, content_at(commit, path), now)
    if problems:
        raise InvalidInput(str(path), problems)
    if as_json:
        told = {"stack": stack, "file": str(path), "since": commit, "passed": True, "notes": list(notes)}
        click.echo(json.dumps(told, indent=2))
        return
    for note in notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{path}: it plans, and holds no change since {commit[:12]} that a person decides.")


def _content(path: Path) -> object:
    """Return what the file holds; None for one that cannot be read, which is among the plan's problems."""
    try:
        return content_of(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
