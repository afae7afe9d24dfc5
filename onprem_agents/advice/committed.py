"""A stack file as it was before the work on it: what its repository holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem
from onprem_agents.stack.stack_file import content_of

_LIMIT_SECONDS = 60
# The remote's main branch, as `git clone` writes it down.
_MAIN = "origin/HEAD"


def commit_before(folder: Path, since: str | None, head: str = "HEAD") -> str:
    """Return the commit at which the work began: where `since` and `head` part, by default the remote's main branch.

    Without a remote it is HEAD. Raises `EnvironmentProblem` outside of a repository, `InvalidInput` for a name that
    means no commit.
    """
    if git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") is None:
        raise EnvironmentProblem(
            f"{folder} is in no Git repository with a commit: what an agent changed can only be told from what was "
            "committed. Commit the stack file first: git init, git add, git commit"
        )
    start = since or (_MAIN if _commit(folder, _MAIN) is not None else "HEAD")
    commit = named_commit(folder, start)
    return git(folder, "merge-base", commit, head) or commit


def named_commit(folder: Path, name: str) -> str:
    """Return the commit of that name; raises `InvalidInput` where there is none."""
    commit = _commit(folder, name)
    if commit is None:
        problem = Problem(
            where=name.encode("ascii", "backslashreplace").decode(),
            cause="unknown-name",
            found="no commit",
            why="the repository knows no commit of that name",
            fix="name a branch, tag or commit, such as origin/main; in CI fetch it before: git fetch origin main",
        )
        raise InvalidInput("commit", [problem])
    return commit


def content_at(commit: str, file: Path) -> object:
    """Return what a stack file held at a commit, nothing where it was not there yet."""
    text = git(file.parent, "show", f"{commit}:./{file.name}")
    return None if text is None else content_of(text)


def _commit(folder: Path, name: str) -> str | None:
    return git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")


def git(folder: Path, *words: str) -> str | None:
    """Return what git prints in a folder, None where it refuses; raises `EnvironmentProblem` without git or folder."""
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
    except (FileNotFoundError, NotADirectoryError):
        raise EnvironmentProblem(f"git is missing, or there is no folder {folder}; install git") from None
    return done.stdout.strip() if done.returncode == 0 else None
