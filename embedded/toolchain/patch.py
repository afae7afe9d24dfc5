"""A change of one Go module's source, made before it is compiled.

A patch is a list of exact texts for one version: a text that is missing, or stands there another number of times,
stops the build, so that a new version is looked at by a human.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onprem_agents.errors import EnvironmentProblem


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Replace `old`, which stands `times` times in `file`, by `new`."""

    file: str
    old: str
    new: str
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class Document:
    """Write the JSON document `source` as `file`, on one line, with `values` set at its top."""

    source: str
    file: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Patch:
    """What is changed in the source of `module`; `title` says of what in a message, `home` where it is written."""

    module: str
    title: str
    home: str
    edits: tuple[Edit, ...] = ()
    documents: tuple[Document, ...] = ()
    added: Mapping[str, str] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """Return a hash of the patch: another patch is another binary."""
        content = (self.edits, sorted(self.added.items()), *self.documents)
        return hashlib.sha256(repr(content).encode()).hexdigest()

    def apply(self, source: Path) -> None:
        """Patch the module copy at `source` in place.

        Raises `EnvironmentProblem` naming the file and the text when upstream's source is not the one known here.
        """
        for edit in self.edits:
            file = source / edit.file
            text = file.read_text(encoding="utf-8") if file.is_file() else ""
            found = text.count(edit.old)
            if found != edit.times:
                raise self._does_not_fit(
                    f"{edit.file} holds {edit.old!r} {found} times, expected {edit.times}"
                )
            _write(file, text.replace(edit.old, edit.new))
        for document in self.documents:
            file = source / document.source
            if not file.is_file():
                raise self._does_not_fit(f"{document.source} is not there")
            content = json.loads(file.read_text(encoding="utf-8"))
            _write(source / document.file, json.dumps({**content, **document.values}))
        for name, text in self.added.items():
            _write(source / name, text)

    def _does_not_fit(self, reason: str) -> EnvironmentProblem:
        return EnvironmentProblem(
            f"the {self.title} does not fit this source: {reason}.\n"
            f"The pinned version and {self.home} must be changed together."
        )


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)  # Go unpacks modules read-only
    file.write_text(text, encoding="utf-8")
