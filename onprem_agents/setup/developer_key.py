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


@dataclass(frozen=True, kw_only=True)
class DeveloperKey:
    """A key and, for messages, where it is from."""

    value: str = field(repr=False)
    source: str


def checked(value: str, source: str) -> DeveloperKey:
    """Return the key without blanks around it; raises `InvalidInput` for one that no header can carry."""
    value = value.strip()
    if not re.fullmatch(r"[\x21-\x7e]{1,4096}", value):
        problem = Problem(
            where=source,
            cause="bad-secret",
            found="nothing" if not value else "a key with blanks, line ends or characters outside ASCII",
            why="no header can carry it",
            fix="put the bare key there, on one line",
        )
        raise InvalidInput("the key", [problem])
    return DeveloperKey(value=value, source=source)


def from_file(path: Path) -> DeveloperKey:
    """Read the key from a file; raises `EnvironmentProblem` when it cannot be read."""
    try:
        with path.open("rb") as file:
            return checked(file.read(MAX_KEY_BYTES).decode("utf-8", "replace"), f"the file {path}")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message = f"the key file {str(path)!a} cannot be read: {reason}; check the path after --key-file"
        raise EnvironmentProblem(message) from error


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
    return checked(done.stdout[:MAX_KEY_BYTES].decode("utf-8", "replace"), "the key command")


def from_variables(variables: Mapping[str, str], name: str) -> DeveloperKey | None:
    """Return the key in that variable, or None when it is not set."""
    value = variables.get(name, "").strip()
    return checked(value, f"the variable {name}") if value else None
