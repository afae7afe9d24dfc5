"""The files that tell agents of a stack's repository: ours are made anew, the user's get a block, others' are left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from onprem_agents.advice.context_text import context_text
from onprem_agents.advice.marked_block import with_block
from onprem_agents.advice.skills import FOLDERS, skills
from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem
from onprem_agents.files import write_file
from onprem_agents.manifests import can_i, render
from onprem_agents.plan import PlatformPlan
from onprem_agents.setup.changes import Change, Found, find

AGENTS, CLAUDE = "AGENTS.md", "CLAUDE.md"
# Claude Code 2.1.330 reads CLAUDE.md alone, and what it names behind an @ (2026-11).
_SEE = f"@{AGENTS}"
_MODE = 0o644


@dataclass(frozen=True, kw_only=True)
class Context:
    """The files of one repository with what they will hold."""

    root: Path
    changes: tuple[Change, ...]

    @property
    def needed(self) -> tuple[Change, ...]:
        """The files that are not so yet."""
        return tuple(change for change in self.changes if change.needed)

    def write(self) -> None:
        """Write what is needed, each file whole or not at all. Raises `EnvironmentProblem`."""
        for change in self.needed:
            path = change.found.path
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_file(path, change.content, change.found.mode or _MODE)
            except OSError as error:
                raise EnvironmentProblem(
                    f"{path} cannot be written: {error.strerror or error}; mend its folder and run it again"
                ) from error


def context_of(plan: PlatformPlan, root: Path, file: str) -> Context:
    """Return the files for a stack below `root`; `file` is its stack file as seen from there.

    Raises `InvalidInput` with every file that is in the way: somebody else's skill, broken marks, a link out of it.
    """
    name = f"onprem-agents context {plan.stack}"
    text = context_text(plan, file, can_i(render(plan)))
    changes: dict[Path, Change] = {}
    problems: list[Problem] = []
    for wanted in _wanted(plan, file, name, text):
        try:
            change = wanted.change(root)
        except InvalidInput as error:
            problems += error.problems
            continue
        changes.setdefault(
            change.found.path, change
        )  # CLAUDE.md may be a link to AGENTS.md, which says it all
    if problems:
        raise InvalidInput("context", problems)
    return Context(root=root, changes=tuple(changes.values()))


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    path: str
    name: str
    block: str | None
    """What stands between marks in a file that others write too; None for a file that is ours alone."""
    whole: str = ""
    mark: str = ""

    def change(self, root: Path) -> Change:
        path = root / self.path
        _stay_inside(root, path, self.path)
        found = find(path)
        before = _text(found, self.path)
        if self.block is not None:
            after = with_block(before, self.block, name=self.name, source=self.path)
        elif found.content is None or self.mark in before.splitlines():
            after = self.whole
        else:
            raise InvalidInput("context", [_foreign(self.path, self.mark)])
        return Change(found=found, content=found.with_text(after))


def _wanted(plan: PlatformPlan, file: str, name: str, text: str) -> Iterator[_Wanted]:
    yield _Wanted(path=AGENTS, name=name, block=text)
    yield _Wanted(path=CLAUDE, name="onprem-agents context", block=_SEE)
    mark = f"<!-- made by {name}: changes in here are lost -->"
    for skill in skills(plan, file):
        for folder in FOLDERS:
            path = f"{folder}/{skill.name}/SKILL.md"
            yield _Wanted(path=path, name=name, block=None, whole=skill.text(mark), mark=mark)


def _stay_inside(root: Path, path: Path, shown: str) -> None:
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:
        raise EnvironmentProblem(f"{path} cannot be read: {error}; mend its links") from error
    if not real.is_relative_to(root.resolve()):
        raise InvalidInput(
            "context",
            [
                Problem(
                    where=shown,
                    cause="foreign-setting",
                    found=f"a link to {real}",
                    why="what is written there would be another repository's or a person's own",
                    fix="replace the link by a file of this repository",
                )
            ],
        )


def _text(found: Found, shown: str) -> str:
    try:
        return found.text
    except InvalidInput:
        problem = Problem(
            where=shown,
            cause="unreadable",
            found="bytes that are no UTF-8",
            why="agents read it as text, and what is there could not be kept as it is; nothing was changed",
            fix="save the file as UTF-8",
        )
        raise InvalidInput("context", [problem]) from None


def _foreign(path: str, mark: str) -> Problem:
    return Problem(
        where=path,
        cause="foreign-setting",
        found=f"a file without the line {mark}",
        why="somebody else wrote it, and a skill is one file: nothing of ours could stand beside theirs",
        fix="give theirs another name, or remove it; nothing was changed",
    )
