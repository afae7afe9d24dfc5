"""`onprem-agents check`: the rules of the policy pack on stacks, manifests and Pulumi's own documents."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from onprem_agents.advice.committed import commit_before, content_at
from onprem_agents.cli.check_findings import NOT_READ
from onprem_agents.cli.check_formats import FORMATS
from onprem_agents.cli.check_run import run_check, text_of
from onprem_agents.cli.check_sources import Source, sources_of
from onprem_agents.cli.options import note_json, stacks_option, wants_json
from onprem_agents.cli.policy_config import configs_beside, policy_config_option
from onprem_agents.errors import OnpremError, Problem
from onprem_agents.stack.decided import FIX, people_decide
from onprem_agents.stack.settings import Platform
from onprem_agents.stack.stack_file import content_of


def _outputs(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, Path], ...]:
    """Return each format with the file that is written in it."""
    found = []
    for value in values:
        form, _equals, file = value.partition("=")
        if form not in FORMATS or not file:
            raise click.BadParameter(
                f"{value!r} names no format and file: write one of {', '.join(FORMATS)}, = and a file"
            )
        found.append((form, Path(file)))
    return tuple(found)


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@stacks_option
@policy_config_option
@click.option(
    "--format",
    "form",
    type=click.Choice(tuple(FORMATS)),
    default="text",
    show_default=True,
    help="What to print: sarif for code scanning, junit for test reports, markdown for a comment.",
)
@click.option(
    "--json", is_flag=True, expose_value=False, callback=note_json, help="The same as --format json."
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="FORMAT=FILE",
    callback=_outputs,
    help="Write the result to a file as well, in that format, e.g. sarif=check.sarif; as often as needed.",
)
@click.option(
    "--agent",
    is_flag=True,
    help="Refuse also what an agent may not change in a stack, since the work began.",
)
@click.option(
    "--since",
    metavar="COMMIT",
    help="With --agent: what the work began from.  [default: the remote's main branch, else the last commit]",
)
@click.pass_context
def check(
    context: click.Context,
    sources: tuple[str, ...],
    folder: Path,
    policy_config: Path | None,
    form: str,
    outputs: tuple[tuple[str, Path], ...],
    agent: bool,
    since: str | None,
) -> None:
    """Check stacks and manifests by the rules of the policy pack; no engine and no cluster is needed.

    SOURCE is the name of a stack, a file or folder of manifests, what 'pulumi preview --json', 'pulumi preview
    --save-plan' or 'pulumi stack export' wrote, or '-' for any of these on standard input. Without one, every stack
    is checked.

    Exit code: 0 nothing is refused (there may be advice), 1 something is refused, 2 something could not be read.
    """
    if since is not None and not agent:
        raise click.UsageError(
            "--since says when an agent's work began: give --agent too, or leave --since out."
        )
    named, nothing = sources_of(sources, folder)
    text = ""
    if any(each.kind == "input" for each in named):
        with click.open_file("-", "rb") as given:
            text = given.read().decode("utf-8-sig", "replace")
    as_json = wants_json(context)
    try:
        changed = _by_people(named, since) if agent else None
        result = run_check(named, text, after=changed, config=policy_config)
    except OnpremError as error:
        click.echo(json.dumps(error.as_json(), indent=2) if as_json else str(error), err=not as_json)
        context.exit(NOT_READ)
    result = dataclasses.replace(result, not_read=(*nothing, *result.not_read))
    for written, path in outputs:
        try:
            path.write_text(f"{FORMATS[written](result)}\n", encoding="utf-8")
        except OSError as error:
            raise click.UsageError(f"--output: {path} cannot be written: {error.strerror or error}") from None
    click.echo(FORMATS["json" if as_json else form](result))
    context.exit(result.exit_code)


def _by_people(sources: Sequence[Source], since: str | None) -> dict[Path, Sequence[Problem]]:
    """Return what changed in each stack file, since the work began, that a person decides."""
    found: dict[Path, Sequence[Problem]] = {}
    for source in sources:
        if source.kind == "stack":
            commit = commit_before(source.path.parent, since)
            now = content_of(text_of(source.path))
            if now is not None:  # else it is no YAML, which is among the plan's problems
                told = [*people_decide(Platform, content_at(commit, source.path), now)]
                found[source.path] = [*told, *_configured_anew(commit, source.path)]
    return found


def _configured_anew(commit: str, stack_file: Path) -> Iterator[Problem]:
    """Yield each file that configures the policies for a stack and changed since a commit."""
    for path in configs_beside(stack_file):
        if content_at(commit, path) != content_of(text_of(path)):
            yield Problem(
                where=path.name,
                cause="for-a-person",
                found="other levels, settings or exemptions of the policies than before",
                why="a person decides what the policies let pass",
                fix=FIX,
            )
