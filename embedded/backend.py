"""What a killed engine can leave half-written in its state folder, and how to mend it."""

from __future__ import annotations

import json
from pathlib import Path


def mend(folder: Path) -> tuple[str, ...]:
    """Remove half-written files below the backend's `folder`; call it while no engine runs.

    The backend writes a state file to a `.tmp` beside it, then its attributes, then renames (gocloud.dev
    fileblob, as used by Pulumi 3.259): the state itself is whole at every moment, but attributes cut off in
    between make every later command fail with "EOF". They only hold a content type and a checksum.
    Returns what was done, as sentences.
    """
    broken = [file for file in folder.rglob("*.attrs") if not _whole(file)]
    drafts = list((folder / ".pulumi" / "stacks").rglob("*.json.*.tmp"))
    for file in (*broken, *drafts):
        file.unlink(missing_ok=True)
    return tuple(
        f"removed {file.name}, which a killed update had left half-written" for file in (*broken, *drafts)
    )


def _whole(file: Path) -> bool:
    try:
        json.loads(file.read_bytes())
    except ValueError:
        return False
    return True
