"""What a check is to look at: stacks by name, files, folders and standard input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from onprem_agents.cli.check_findings import NotRead
from onprem_agents.errors import nearest_hint
from onprem_agents.files import files_within
from onprem_agents.stack.settings import PROJECT
from onprem_agents.stack.stack_file import content_of, stack_names, stack_path

STANDARD_INPUT = "-"


@dataclass(frozen=True, kw_only=True)
class Source:
    """One thing to look at: a stack by the path of its file, or documents in a file, a folder, standard input."""

    kind: Literal["stack", "file", "folder", "input"]
    path: Path


def sources_of(words: Sequence[str], stacks: Path) -> tuple[tuple[Source, ...], tuple[NotRead, ...]]:
    """Return what the words name, and which of them name nothing; without any word, every stack.

    A name is a stack's before it is a path.
    """
    if not words:
        all_of_them = tuple(
            Source(kind="stack", path=stack_path(stacks, name)) for name in stack_names(stacks)
        )
        return all_of_them, () if all_of_them else (_nothing(str(stacks), stacks),)
    found = {word: tuple(_named(word, stacks)) for word in words}
    sources = dict.fromkeys(source for named in found.values() for source in named)
    return tuple(sources), tuple(_nothing(word, stacks) for word, named in found.items() if not named)


def stacks_within(folder: Path) -> tuple[Source, ...]:
    """Return the stacks of this product whose files lie somewhere below a folder, in no hidden one of it."""
    return tuple(Source(kind="stack", path=path) for path in files_within(folder) if is_stack_file(path))


def is_stack_file(path: Path) -> bool:
    """Whether a file is a stack file with settings of this product."""
    if not (path.name.startswith("Pulumi.") and path.suffix == ".yaml" and path.name.count(".") > 1):
        return False
    try:
        content = content_of(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False
    config = content.get("config") if isinstance(content, dict) else None
    return isinstance(config, dict) and f"{PROJECT}:platform" in config


def _named(word: str, stacks: Path) -> Iterator[Source]:
    path = Path(word)
    if word == STANDARD_INPUT:
        yield Source(kind="input", path=path)
    elif stack_path(stacks, word).is_file():
        yield Source(kind="stack", path=stack_path(stacks, word))
    elif path.is_dir():
        yield Source(kind="folder", path=path)
        yield from stacks_within(path)
    elif path.is_file():
        yield Source(kind="stack" if is_stack_file(path) else "file", path=path)


def _nothing(word: str, stacks: Path) -> NotRead:
    known = stack_names(stacks)
    hint = nearest_hint(word, known) if known else f"there is no stack file in {stacks}."
    return NotRead(
        resource=word,
        why=f"no stack, file or folder is called so; {hint} Name a stack (--stacks says where their files lie), "
        "a file or folder of manifests, or '-' for standard input",
    )
