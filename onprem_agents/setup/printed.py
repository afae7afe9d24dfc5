"""`setup --print`: each file as text for copying by hand, and last the lines for the shell's start file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, assert_never

import yaml

from onprem_agents.agents import Target
from onprem_agents.agents.config import ConfigFile, Values
from onprem_agents.agents.start import environment
from onprem_agents.contract.connection import Connection
from onprem_agents.setup.shell import PATH_HINTS, Shell, script
from onprem_agents.setup.wanted import refuse_unserved


@dataclass(frozen=True, kw_only=True)
class PrintedFile:
    """One file. `path_hint` is for people (it may start with ~); `notes` are plain sentences."""

    path_hint: str
    format: Literal["json", "toml", "yaml", "shell"]
    content: str
    notes: tuple[str, ...] = ()


def printed(
    connection: Connection, *targets: Target, shell: Shell = "bash", ca_file: str | None = None
) -> tuple[PrintedFile, ...]:
    """Return every file for these targets. Raises `InvalidInput` when the main model does not serve one."""
    refuse_unserved(connection, *targets)
    files = [
        PrintedFile(path_hint=file.path_hint, format=file.format, content=file_text(file), notes=file.notes)
        for target in targets
        for file in target.files(connection)
    ]
    lines = script(environment(connection, *targets, ca_file=ca_file), shell)
    return (*files, PrintedFile(path_hint=PATH_HINTS[shell], format="shell", content=lines))


def file_text(file: ConfigFile) -> str:
    """Return the values in the file's format, in their order, with a final newline."""
    match file.format:
        case "json":
            return json_text(file.values)
        case "toml":
            return "\n".join(_toml_tables(file.values, ()))
        case "yaml":
            return str(yaml.safe_dump(file.values, sort_keys=False))
        case _:
            assert_never(file.format)


def json_text(values: Values) -> str:
    """Return the values as JSON, in their order, with a final newline."""
    return json.dumps(values, indent=2, ensure_ascii=True) + "\n"


def _toml_tables(values: Values, path: tuple[str, ...]) -> Iterator[str]:
    """Yield the root keys, then a table per dotted name. Other values are text, whole numbers, truth values.

    JSON writes those three exactly as TOML reads them.
    """
    own = {key: value for key, value in values.items() if not isinstance(value, dict)}
    head = f"[{'.'.join(path)}]\n" if path else ""
    if own or not values:
        yield head + "".join(f"{key} = {json.dumps(value)}\n" for key, value in own.items())
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _toml_tables(value, (*path, key))
