"""Writing all files or none, and taking it back byte for byte.

A record holds what was there before (backups, modes, folders that were made) and is on disk before the first
file changes, so that an interrupted run can be undone as well.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem
from onprem_agents.files import write_file
from onprem_agents.setup.changes import Change, find

MANIFEST = "manifest.json"
_NEW_FILE_MODE = 0o644


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file of a record: how it was (`backup` None: it was not there) and the hash of what was written."""

    path: Path
    backup: Path | None
    mode: int | None
    written_sha256: str


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
        _restore(record, only_written=True)
        reason = str(error)
        raise EnvironmentProblem(f"{reason}; nothing was changed") from error


def latest(history: Path) -> Record | None:
    """Return the newest record; raises `EnvironmentProblem` for one that cannot be read."""
    folders = sorted(
        (path for path in history.glob("[0-9]*") if path.is_dir()), key=lambda path: int(path.name)
    )
    if not folders:
        return None
    folder = folders[-1]
    try:
        data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        entries = tuple(
            Entry(
                path=Path(entry["path"]),
                backup=folder / str(int(entry["backup"])) if entry["backup"] is not None else None,
                mode=entry["mode"],
                written_sha256=entry["writtenSha256"],
            )
            for entry in data["files"]
        )
        return Record(folder=folder, entries=entries, made_folders=tuple(map(Path, data["madeFolders"])))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EnvironmentProblem(
            f"the record {folder} cannot be read ({error}); restore from it by hand"
        ) from error


def undo(record: Record, *, force: bool = False) -> tuple[Path, ...]:
    """Put every file of the record back as it was, and return their paths.

    Raises `InvalidInput` for files that changed since setup wrote them, unless `force` is set.
    """
    changed = [entry for entry in record.entries if not _as_left(entry)]
    if changed and not force:
        raise InvalidInput(
            "setup --undo",
            [
                Problem(
                    where=str(entry.path),
                    cause="foreign-setting",
                    found="another content than setup left",
                    why="you or the agent changed it since, and that change would be lost",
                    fix=f"take our part out by hand, or add --force (the old content lies in {record.folder})",
                )
                for entry in changed
            ],
        )
    try:
        _restore(record, only_written=False)
    except OSError as error:
        raise EnvironmentProblem(f"undo stopped: {error}; the old contents lie in {record.folder}") from error
    return tuple(entry.path for entry in record.entries)


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
        digest = hashlib.sha256(change.content).hexdigest()
        backup = folder / str(index) if change.found.content is not None else None
        entries.append(
            Entry(path=change.found.path, backup=backup, mode=change.found.mode, written_sha256=digest)
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


def _restore(record: Record, *, only_written: bool) -> None:
    for entry in record.entries:
        content = find(entry.path).content
        written = content is not None and hashlib.sha256(content).hexdigest() == entry.written_sha256
        if only_written and not written:
            continue
        if entry.backup is None:
            entry.path.unlink(missing_ok=True)
        else:
            write_file(entry.path, entry.backup.read_bytes(), entry.mode or _NEW_FILE_MODE)
    shutil.rmtree(record.folder)
    for folder in sorted(record.made_folders, key=lambda path: len(path.parts), reverse=True):
        with contextlib.suppress(OSError):  # not empty: something of the user's lies there by now
            folder.rmdir()
