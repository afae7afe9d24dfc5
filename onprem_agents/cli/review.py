"""`onprem-agents review BASE..HEAD`: what a change of stack files does, as one Markdown comment."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from onprem_agents.advice.revisions import range_of, unpack
from onprem_agents.cli.options import json_option, stacks_option
from onprem_agents.cli.policy_config import policy_config_option
from onprem_agents.cli.review_text import markdown
from onprem_agents.cli.review_values import StackReview, State, reviews


@click.command()
@click.argument("commits", metavar="BASE[..HEAD]")
@stacks_option
@policy_config_option
@json_option
def review(commits: str, folder: Path, policy_config: Path | None, as_json: bool) -> None:
    """Tell what a change of stack files does, as Markdown for a comment on it.

    For each stack that differs: GPUs, memory, context, sessions, speed and agents of each role before and after,
    whether an update has downtime, what developers must do, which objects change, and which findings of the policies
    are new or mended. It compares the commit where BASE and HEAD parted with HEAD; without HEAD, with the files as
    they lie.
    """
    between = range_of(folder, commits)
    with tempfile.TemporaryDirectory() as scratch:
        before, after = Path(scratch) / "before", Path(scratch) / "after"
        before.mkdir()
        unpack(folder, between.base, before)
        if between.head is None:
            after = folder
        else:
            after.mkdir()
            unpack(folder, between.head, after)
        found = reviews(before, after, policy_config)
    click.echo(json.dumps(_wire(found), indent=2) if as_json else markdown(found, between.said))


def _wire(found: tuple[StackReview, ...]) -> dict[str, Any]:
    return {
        "stacks": [
            {
                "stack": each.stack,
                "changed": each.changed,
                "before": _report(each.before),
                "after": _report(each.after),
                "objects": asdict(each.objects),
                "restarts": [role for role in each.roles if each.restarts(role)],
                "setUpAgain": list(each.agents_to_set_up),
                "newFindings": [asdict(finding) for finding in each.new_findings],
                "mendedFindings": [asdict(finding) for finding in each.mended_findings],
            }
            for each in found
        ]
    }


def _report(state: State | None) -> Any:
    return None if state is None else state.report
