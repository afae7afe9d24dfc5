"""What a run writes down after each start, so that one that was ended, or ran out of time, goes on where it was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.verify_gpu.machine import Machine
from tools.verify_gpu.printed import Printed
from tools.verify_gpu.row import Row
from tools.verify_gpu.start import Start

_FILE = "starts.jsonl"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A line of JSON for each start on that machine, in a folder; those of other machines and releases stay unread."""

    folder: Path
    machine: Machine

    def rows(self) -> tuple[Row, ...]:
        """Return the starts that came to an end, the last one of each model and temperature."""
        file = self.folder / _FILE
        if not file.is_file():
            return ()
        found: dict[tuple[str, str], Row] = {}
        for line in file.read_text(encoding="utf-8").splitlines():
            told = _told(line)
            if told is not None and told["on"] == self._on():
                row = _row(told["row"])
                found[row.model, row.temperature] = row
        return tuple(row for row in found.values() if row.start.outcome != "out of time")

    def add(self, row: Row) -> None:
        """Write a start down, at once."""
        with (self.folder / _FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"on": self._on(), "row": row.to_wire()}) + "\n")

    def _on(self) -> dict[str, Any]:
        machine = self.machine
        return {"vllm": machine.vllm.version, "gpu": machine.printed, "gpus": machine.gpus}


def _told(line: str) -> dict[str, Any] | None:
    """Return a line, None for one that was cut off when a run was ended."""
    try:
        told: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return None
    return told


def _row(wire: dict[str, Any]) -> Row:
    told = {name: value for name, value in wire.items() if name != "inside"}
    start = dict(told.pop("start"))
    printed = Printed(**start.pop("printed"))
    return Row(**told | {"start": Start(printed=printed, **start), "argv": tuple(told["argv"])})
