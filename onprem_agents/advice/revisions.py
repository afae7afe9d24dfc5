"""A folder of stack files as it was at a commit, and the two states that a change lies between."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from onprem_agents.advice.committed import commit_before, git, named_commit
from onprem_agents.errors import EnvironmentProblem

_LIMIT_SECONDS = 60
_SHORT = 12


@dataclass(frozen=True, kw_only=True)
class Range:
    """The commits of a change: `base` is where it began, `head` what it ends in, None for the files as they lie."""

    base: str
    head: str | None

    @property
    def said(self) -> str:
        """The range in words, with short commits."""
        return f"{self.base[:_SHORT]} → {'files as they lie' if self.head is None else self.head[:_SHORT]}"


def range_of(folder: Path, text: str) -> Range:
    """Return what `BASE..HEAD`, or `BASE` alone, names: from the commit where both parted, as a pull request shows it.

    Raises `InvalidInput` for a name that means no commit, `EnvironmentProblem` outside of a repository.
    """
    first, dots, last = text.replace("...", "..").partition("..")
    head = named_commit(folder, last or "HEAD") if dots else None
    return Range(base=commit_before(folder, first or "HEAD", head or "HEAD"), head=head)


def unpack(folder: Path, commit: str, into: Path) -> None:
    """Write a folder as it was at a commit into another, which stays empty where there was none yet."""
    tree, top = (
        git(folder, "rev-parse", "--verify", "--quiet", f"{commit}:./"),
        git(folder, "rev-parse", "--show-toplevel"),
    )
    if tree is None or top is None:
        return
    done = subprocess.run(
        ["git", "archive", "--format=tar", tree],
        cwd=top,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_LIMIT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise EnvironmentProblem(
            f"git cannot show {folder} at {commit}: {done.stderr.decode(errors='replace').strip()}"
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(into, filter="data")
