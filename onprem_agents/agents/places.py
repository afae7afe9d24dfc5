"""Where an agent reads the settings of a whole machine, on each system: data, with the source of every row.

The user's own files lie at the same place below the home everywhere: `~/.claude` and `~/.codex` (their documentation),
and `~/.config/opencode` (the program of 1.18.33 falls back to `.config` in the home on every system, 2026-11-28); goose
alone has another folder on Windows, which its module names. Linux was run; macOS and Windows were not.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Literal

System = Literal["linux", "macos", "windows"]
_NAMES: dict[str, System] = {"darwin": "macos", "win32": "windows"}
# Folders that Windows names by a variable, and where they lie when nobody moved them.
_WINDOWS_FOLDERS = {"ProgramData": "C:\\ProgramData"}


@dataclass(frozen=True, kw_only=True)
class MachineFile:
    """One agent's file for the whole machine; `%NAME%` in a path of Windows is a folder that a variable names."""

    linux: str
    macos: str
    windows: str
    source: str


MACHINE_FILES: dict[str, MachineFile] = {
    "claude": MachineFile(
        linux="/etc/claude-code/managed-settings.json",
        macos="/Library/Application Support/ClaudeCode/managed-settings.json",
        windows="C:\\Program Files\\ClaudeCode\\managed-settings.json",
        source="the program of Claude Code 2.1.330 names the three folders, looked into 2026-11-28",
    ),
    # On Windows the binding file lies in the user's own CODEX_HOME, and later releases ignore it there; the one named
    # here is read on every machine and is weaker than the user's.
    "codex": MachineFile(
        linux="/etc/codex/managed_config.toml",
        macos="/etc/codex/managed_config.toml",
        windows="%ProgramData%\\OpenAI\\Codex\\config.toml",
        source="openai/codex, codex-rs/config/src/loader/layer_io.rs and mod.rs, read 2026-11-28",
    ),
    "opencode": MachineFile(
        linux="/etc/opencode/opencode.json",
        macos="/Library/Application Support/opencode/opencode.json",
        windows="%ProgramData%\\opencode\\opencode.json",
        source="the program of opencode 1.18.33 names the three folders, looked into 2026-11-28",
    ),
    "qwen": MachineFile(
        linux="/etc/qwen-code/settings.json",
        macos="/Library/Application Support/QwenCode/settings.json",
        windows="C:\\ProgramData\\qwen-code\\settings.json",
        source="the program of Qwen Code 0.24.4 names the three files, looked into 2026-11-28",
    ),
    "kilo": MachineFile(
        linux="/etc/kilo/kilo.json",
        macos="/Library/Application Support/kilo/kilo.json",
        windows="%ProgramData%\\kilo\\kilo.json",
        source="the program of Kilo 7.7.7 names the three folders, looked into 2026-11-28",
    ),
}


def system_of_this_machine() -> System:
    """Return the system that this program runs on."""
    return _NAMES.get(sys.platform, "linux")


def machine_file(agent: str, system: System, variables: Mapping[str, str]) -> PurePath:
    """Return an agent's file for the whole machine, in the words of that system."""
    file = MACHINE_FILES[agent]
    match system:
        case "linux":
            return PurePosixPath(file.linux)
        case "macos":
            return PurePosixPath(file.macos)
        case "windows":
            return PureWindowsPath(
                re.sub("%(.+?)%", lambda match: _folder(match[1], variables), file.windows)
            )


def _folder(name: str, variables: Mapping[str, str]) -> str:
    return variables.get(name) or _WINDOWS_FOLDERS[name]
