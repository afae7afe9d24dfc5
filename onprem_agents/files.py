"""Files that people name: read as text with a plain word on what stands in the way, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from onprem_agents.errors import InvalidInput, Problem

# Folders that hold what others wrote, or nothing that anybody did; hidden ones are left out too.
_OTHERS = frozenset({"node_modules", "__pycache__", "vendor"})


def files_within(folder: Path) -> Iterator[Path]:
    """Yield the files of one's own below a folder, in order; links to folders are not followed."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in _OTHERS:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from files_within(path)
        elif path.is_file():
            yield path


def read_text(path: Path, what: str, *, fix: str, most_bytes: int | None = None) -> str:
    """Return the text of a file that somebody named, in UTF-8, without the mark that some editors begin it with.

    `what` calls the file, "a stack file"; `fix` says what to give in its place. Raises `InvalidInput`.
    """
    try:
        with path.open("rb") as file:
            data = file.read() if most_bytes is None else file.read(most_bytes + 1)
    except (OSError, ValueError) as error:  # the ValueError of a null character in a path
        raise InvalidInput(str(path), [_unreadable(path, what, error, fix)]) from None
    if most_bytes is not None and len(data) > most_bytes:
        found, why = f"more than {most_bytes // 1024:,} KiB", f"{what} is shorter than that"
        raise InvalidInput(str(path), [_problem(path, found, why, fix)])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte {data[error.start]:#04x} at position {error.start}, which is no text"
        why = f"{what} is text in UTF-8"
        raise InvalidInput(str(path), [_problem(path, found, why, f"{fix}, saved as UTF-8")]) from None


def _unreadable(path: Path, what: str, error: OSError | ValueError, fix: str) -> Problem:
    if isinstance(error, FileNotFoundError):
        missing = "no such file" if path.parent.is_dir() else f"no such folder as {path.parent}"
        return _problem(path, missing, f"{what} is read from there", fix)
    if isinstance(error, IsADirectoryError):
        return _problem(path, "a folder", f"only a file can be {what}", fix)
    if isinstance(error, NotADirectoryError):
        return _problem(path, "a path that leads through a file", f"{what} is read from there", fix)
    if isinstance(error, PermissionError):
        return _problem(
            path, "a file that you may not read", f"{what} is read as the user who gives the command", fix
        )
    reason = error.strerror if isinstance(error, OSError) else None
    return _problem(path, reason or str(error), f"{what} cannot be read from there", fix)


def _problem(path: Path, found: str, why: str, fix: str) -> Problem:
    return Problem(where=str(path), cause="unreadable", found=found, why=why, fix=fix)


def write_file(path: Path, content: bytes, mode: int) -> None:
    """Replace the file in one step: a reader sees the old or the new content, never a part. Raises `OSError`."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
