"""Writing all files or none, and taking it back: byte for byte, or of a file that changed since, our part alone.

A record holds what was there before and what was written (backups, modes, folders that were made; of setup's own
files, such as the key, the backup alone) and is on disk before the first file changes, so that an interrupted run
can be undone as well.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem
from onprem_agents.files import write_file
from onprem_agents.setup.changes import Change, find
from onprem_agents.setup.kind import Kind
from onprem_agents.setup.unmerge import without_ours

MANIFEST = "manifest.json"
_NEW_FILE_MODE = 0o644
_WRITTEN = ".written"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file of a record: how it was (`backup` None: it was not there), and what was written, at least its hash."""

    path: Path
    backup: Path | None
    mode: int | None
    written_sha256: str
    kind: Kind | None
    written: Path | None


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run of setup, newest last."""

    folder: Path
    entries: tuple[Entry, ...]
    made_folders: tuple[Path, ...]


def apply(changes: Sequence[Change], history: Path) -> None:
    """Write every change that is needed; on any failure put back what was written and raise.

    Raises `EnvironmentProblem` when a file cannot be written or changed since it was read.
    """
    needed = [change for change in changes if change.needed]
    if not needed:
        return
    try:
        record = _begin(needed, history)
    except OSError as error:
        message = (
            f"no backup could be written below {history}: {error}; nothing was changed; free space or mend it"
        )
        raise EnvironmentProblem(message) from error
    try:
        for change in needed:
            _unchanged(change)
            change.found.path.parent.mkdir(parents=True, exist_ok=True)
            kept = change.found.mode if change.found.mode is not None else _NEW_FILE_MODE
            write_file(change.found.path, change.content, change.mode if change.mode is not None else kept)
    except (OSError, EnvironmentProblem) as error:
        _restore(record)
        reason = str(error)
        raise EnvironmentProblem(f"{reason}; nothing was changed") from error


def latest(history: Path) -> Record | None:
    """Return the newest record; raises `EnvironmentProblem` for one that cannot be read."""
    folders = _folders(history)
    return _record(folders[-1]) if folders else None


def records(history: Path) -> tuple[Record, ...]:
    """Return all records, the newest first; raises `EnvironmentProblem` for one that cannot be read."""
    return tuple(_record(folder) for folder in reversed(_folders(history)))


def _folders(history: Path) -> list[Path]:
    return sorted((path for path in history.glob("[0-9]*") if path.is_dir()), key=lambda path: int(path.name))


def _record(folder: Path) -> Record:
    try:
        data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        entries = tuple(_entry(folder, entry) for entry in data["files"])
        return Record(folder=folder, entries=entries, made_folders=tuple(map(Path, data["madeFolders"])))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EnvironmentProblem(
            f"the record {folder} cannot be read ({error}); restore from it by hand"
        ) from error


def _entry(folder: Path, wire: dict[str, Any]) -> Entry:
    """Return an entry of a manifest; one of an older release has neither kind nor what was written."""
    written = wire.get("written")
    return Entry(
        path=Path(wire["path"]),
        backup=folder / str(int(wire["backup"])) if wire["backup"] is not None else None,
        mode=wire["mode"],
        written_sha256=wire["writtenSha256"],
        kind=wire.get("kind"),
        written=folder / f"{int(written)}{_WRITTEN}" if written is not None else None,
    )


def undo(record: Record, *, force: bool = False) -> tuple[Path, ...]:
    """Put every file of the record back as it was, and return their paths.

    Of a file that changed since, only what setup wrote is taken out, unless `force` puts all of it back. Raises
    `InvalidInput` for files of which our part cannot be told any more.
    """
    rests: dict[Path, bytes | None] = {}
    problems = []
    for entry in record.entries:
        if force or _as_left(entry):
            rests[entry.path] = entry.backup.read_bytes() if entry.backup is not None else None
            continue
        try:
            rests[entry.path] = _without_ours(entry)
        except InvalidInput as error:
            problems.append(_not_told(entry, record, error))
    if problems:
        raise InvalidInput("setup --undo", problems)
    try:
        _put_back(record, rests)
    except OSError as error:
        raise EnvironmentProblem(f"undo stopped: {error}; the old contents lie in {record.folder}") from error
    return tuple(entry.path for entry in record.entries)


def _without_ours(entry: Entry) -> bytes | None:
    """Return what is left of a file that changed since; None for nothing. Raises `InvalidInput`."""
    found = find(entry.path)
    if found.content is None:
        return None  # the user took the file away, and with it our part
    if entry.kind == "own":
        return entry.backup.read_bytes() if entry.backup is not None else None
    if entry.kind is None or entry.written is None:
        raise InvalidInput(str(entry.path), [])
    before = replace(found, content=entry.backup.read_bytes()).text if entry.backup is not None else None
    written = replace(found, content=entry.written.read_bytes()).text
    rest = without_ours(found.text, before, written, entry.kind, source=str(entry.path))
    return found.with_text(rest) if rest is not None else None


def _not_told(entry: Entry, record: Record, error: InvalidInput) -> Problem:
    reason = next((f"{problem.where}: {problem.found}" for problem in error.problems), "it changed since")
    return Problem(
        where=str(entry.path),
        cause="foreign-setting",
        found=reason,
        why="what setup wrote cannot be told from what came later, and that would be lost",
        fix=f"take our part out by hand, or add --force (the old content lies in {record.folder})",
    )


def _begin(changes: Iterable[Change], history: Path) -> Record:
    made: dict[Path, None] = {}
    for folder in (history, *(change.found.path.parent for change in changes)):
        missing = [part for part in (folder, *folder.parents) if not part.exists()]
        made.update(dict.fromkeys(missing))
    history.mkdir(parents=True, exist_ok=True, mode=0o700)
    numbers = [int(path.name) for path in history.glob("[0-9]*") if path.name.isdigit()]
    folder = history / f"{max(numbers, default=0) + 1:04d}"
    folder.mkdir(mode=0o700)
    entries = []
    for index, change in enumerate(changes):
        if change.found.content is not None:
            write_file(folder / str(index), change.found.content, 0o600)
        written = folder / f"{index}{_WRITTEN}" if change.kind != "own" else None
        if written is not None:
            write_file(written, change.content, 0o600)
        entries.append(
            Entry(
                path=change.found.path,
                backup=folder / str(index) if change.found.content is not None else None,
                mode=change.found.mode,
                written_sha256=hashlib.sha256(change.content).hexdigest(),
                kind=change.kind,
                written=written,
            )
        )
    record = Record(folder=folder, entries=tuple(entries), made_folders=tuple(made))
    write_file(folder / MANIFEST, _wire(record), 0o600)
    return record


def _wire(record: Record) -> bytes:
    files = [
        {
            "path": str(entry.path),
            "backup": int(entry.backup.name) if entry.backup is not None else None,
            "mode": entry.mode,
            "writtenSha256": entry.written_sha256,
            "kind": entry.kind,
            "written": int(entry.written.stem) if entry.written is not None else None,
        }
        for entry in record.entries
    ]
    data = {"version": 1, "files": files, "madeFolders": [str(path) for path in record.made_folders]}
    return (json.dumps(data, indent=2) + "\n").encode()


def _unchanged(change: Change) -> None:
    if find(change.found.path).content != change.found.content:
        raise EnvironmentProblem(f"{change.found.path} changed while setup was running; run it again")


def _as_left(entry: Entry) -> bool:
    content = find(entry.path).content
    before = entry.backup.read_bytes() if entry.backup is not None else None
    return content == before or (
        content is not None and hashlib.sha256(content).hexdigest() == entry.written_sha256
    )


def _restore(record: Record) -> None:
    """Put back what an interrupted run has written already."""
    written = [entry for entry in record.entries if _is_written(entry)]
    backups = {entry.path: entry.backup.read_bytes() if entry.backup else None for entry in written}
    _put_back(record, backups)


def _is_written(entry: Entry) -> bool:
    content = find(entry.path).content
    return content is not None and hashlib.sha256(content).hexdigest() == entry.written_sha256


def _put_back(record: Record, contents: Mapping[Path, bytes | None]) -> None:
    """Write these contents (None: no file), and drop the record and the folders that setup made."""
    modes = {entry.path: entry.mode for entry in record.entries}
    for path, content in contents.items():
        if content is None:
            path.unlink(missing_ok=True)
        else:
            write_file(path, content, modes[path] or find(path).mode or _NEW_FILE_MODE)
    shutil.rmtree(record.folder)
    for folder in sorted(record.made_folders, key=lambda path: len(path.parts), reverse=True):
        with contextlib.suppress(OSError):  # not empty: something of the user's lies there by now
            folder.rmdir()
