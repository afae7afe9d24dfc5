"""`onprem-agents ci`: workflows for the repository of stack files, and the comment that they write."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import click

from onprem_agents.advice.workflows import FORGES, Forge, workflow
from onprem_agents.cli.options import root_option, stacks_option
from onprem_agents.cli.review_text import MARK
from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem
from onprem_agents.files import read_text, write_file
from onprem_agents.probes.comment import Change

_MODE = 0o644
_PLAIN = re.compile(r"[A-Za-z0-9._/][A-Za-z0-9._/-]*")
_Host = Literal["github", "gitlab"]
# What a job of the forge is told of itself: where the API is, which repository, which change, and the token.
_VARIABLES: Mapping[_Host, tuple[str, str, str, str]] = {
    "github": ("GITHUB_API_URL", "GITHUB_REPOSITORY", "PULL_REQUEST", "GITHUB_TOKEN"),
    "gitlab": ("CI_API_V4_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID", "GITLAB_TOKEN"),
}
_APIS: Mapping[_Host, str] = {"github": "https://api.github.com", "gitlab": "https://gitlab.com/api/v4"}


@click.group()
def ci() -> None:
    """Check and review each change of stack files in the pull request."""


@ci.command()
@click.argument("forge", type=click.Choice(FORGES))
@stacks_option
@root_option("Root of the repository.")
@click.option("--print", "only_print", is_flag=True, help="Print the workflow; no file is written.")
def init(forge: Forge, folder: Path, root: Path, only_print: bool) -> None:
    """Write the workflow that checks and reviews each change of stack files.

    It needs neither cluster nor GPU nor cloud account. A file of that name that is not the same stays as it is, and
    the command says so.
    """
    made = workflow(forge, _from_root(folder, root))
    if only_print:
        click.echo(made.text, nl=False)
        return
    path = root / made.path
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") != made.text:
        problem = Problem(
            where=str(path),
            cause="unusual-layout",
            found="a file that says something else",
            why="it may hold changes of yours",
            fix=f"compare it with what 'onprem-agents ci init {forge} --print' shows, or move it away and try again",
        )
        raise InvalidInput("ci init", [problem])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, made.text.encode(), _MODE)
    except OSError as error:
        raise EnvironmentProblem(
            f"{path} cannot be written: {error.strerror or error}; mend its folder"
        ) from None
    click.echo(f"{path}: written")
    for step in made.next_steps:
        click.echo(f"next: {step}")


@ci.command()
@click.argument("forge", type=click.Choice(("github", "gitlab")))
@click.argument("file", type=click.Path(path_type=Path))
def comment(forge: _Host, file: Path) -> None:
    """Write a review as a comment on the change that a job of the forge runs for, over the one of its last run.

    \b
    github: GITHUB_API_URL, GITHUB_REPOSITORY, PULL_REQUEST, GITHUB_TOKEN
    gitlab: CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID, GITLAB_TOKEN

    The variables tell where and with which token. Without a token, as in a job for a fork, it says so and is no error.
    """
    text = read_text(
        file, "a review", fix="name the file that 'onprem-agents review BASE..HEAD > FILE' wrote"
    )
    api, repository, number, token = (os.environ.get(name, "").strip() for name in _VARIABLES[forge])
    if not token:
        click.echo(f"no comment: {_VARIABLES[forge][3]} is empty, as it is in jobs for forks", err=True)
        return
    named = dict(zip(_VARIABLES[forge][1:3], (repository, number), strict=True))
    missing = [name for name, value in named.items() if not value]
    if missing:
        raise EnvironmentProblem(
            f"{' and '.join(missing)} must say which change to comment on; a job for a pull request has them"
        )
    change = Change(
        forge=forge, api=(api or _APIS[forge]).rstrip("/"), repository=repository, number=number, token=token
    )
    body = text if text.startswith(MARK) else f"{MARK}\n{text}"
    click.echo(f"comment {change.tell(body, MARK)}")


def _from_root(folder: Path, root: Path) -> str:
    """Return the folder of stacks as seen from the root. Raises `InvalidInput` for one that no workflow can name."""
    found = Path(os.path.relpath(folder.resolve(), root.resolve())).as_posix()
    if _PLAIN.fullmatch(found) and not found.startswith(".."):
        return found
    problem = Problem(
        where="--stacks",
        cause="bad-value",
        found=ascii(found),
        why="a workflow names the folder in patterns and commands: it lies in the repository, and its path has "
        "letters, digits and ._-/ alone",
        fix="give the folder of stack files below --into",
    )
    raise InvalidInput("ci init", [problem])
