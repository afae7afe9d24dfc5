"""The developer's key on its way into its file: from a file, a command, a variable, or what is there already."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem, cleaned

MAX_KEY_BYTES = 16 * 1024
COMMAND_SECONDS = 60


# What comes along when a key is copied from a chat, a wiki or an example, by its name for messages.
_PAIRS = dict(zip("\"'`<\u201c\u2018\u201e\u00ab", "\"'`>\u201d\u2019\u201c\u00bb", strict=True))
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
_BEFORE = re.compile(
    r"(?i)(?:authorization:\s*)?bearer\s+|x-api-key:\s*|(?:export\s+)?[A-Z][A-Z0-9_]*_KEY\s*=\s*"
)


@dataclass(frozen=True, kw_only=True)
class DeveloperKey:
    """A key and, for messages, where it is from and what stood around it that no key has."""

    value: str = field(repr=False)
    source: str
    left_out: tuple[str, ...] = ()


def checked(text: str, source: str) -> DeveloperKey:
    """Return the key without what was copied along; raises `InvalidInput` for one that no header can carry."""
    value, left_out = _bare(text)
    if not re.fullmatch(r"[\x21-\x7e]{1,4096}", value):
        problem = Problem(
            where=source,
            cause="bad-secret",
            found=_fault(value),
            why="no header can carry it",
            fix="put the bare key there, on one line",
        )
        raise InvalidInput("the key", [problem])
    return DeveloperKey(value=value, source=source, left_out=left_out)


def _bare(text: str) -> tuple[str, tuple[str, ...]]:
    """Return what is left of a text without the usual company of a key, and the names of that company."""
    value = text.strip()
    left_out: list[str] = []
    if any(mark in value for mark in _INVISIBLE):
        value = value.translate(dict.fromkeys(map(ord, _INVISIBLE))).strip()
        left_out.append("invisible characters (a byte order mark)")
    if before := _BEFORE.match(value):
        value = value[before.end() :]
        left_out.append("the name before it")
    if len(value) > 1 and _PAIRS.get(value[0]) == value[-1]:
        value = value[1:-1].strip()
        left_out.append("the quotes around it")
    return value, tuple(left_out)


def _fault(value: str) -> str:
    if not value:
        return "nothing"
    if "\n" in value or "\r" in value:
        return "several lines"
    if re.search(r"\s", value):
        return "a key with blanks within"
    strange = next((char for char in value if not "!" <= char <= "~"), None)
    return f"a key with U+{ord(strange):04X}, outside ASCII" if strange else "more than 4096 characters"


def from_file(path: Path) -> DeveloperKey:
    """Read the key from a file; raises `EnvironmentProblem` when it cannot be read."""
    try:
        with path.open("rb") as file:
            return checked(_text(file.read(MAX_KEY_BYTES)), f"the file {path}")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message = f"the key file {str(path)!a} cannot be read: {reason}; check the path after --key-file"
        raise EnvironmentProblem(message) from error


def _text(data: bytes) -> str:
    # PowerShell before version 6 writes UTF-16 when output is redirected into a file.
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return data.decode(encoding, "replace")


def from_command(command: str) -> DeveloperKey:
    """Run the command without a shell and take what it prints; raises `EnvironmentProblem` when it fails."""
    again = "check --key-command by running it in a terminal"
    try:
        done = subprocess.run(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(f"the key command did not run ({error}); {again}") from error
    if done.returncode != 0:
        said = cleaned(done.stderr.decode("utf-8", "replace"), secret=None) or "nothing"
        raise EnvironmentProblem(
            f"the key command ended with exit code {done.returncode} and said: {said}; {again}"
        )
    return checked(_text(done.stdout[:MAX_KEY_BYTES]), "the key command")


def from_variables(variables: Mapping[str, str], name: str) -> DeveloperKey | None:
    """Return the key in that variable, or None when it is not set."""
    value = variables.get(name, "").strip()
    return checked(value, f"the variable {name}") if value else None
