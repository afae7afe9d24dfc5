"""What would be written where: read with care, shown as a diff without keys, applied by `journal`."""

from __future__ import annotations

import difflib
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from onprem_agents.agents.environment import KEY_FOLDER
from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem
from onprem_agents.setup.kind import Kind
from onprem_agents.stack.untrusted import looks_like_key

MAX_CONFIG_BYTES = 4 * 1024 * 1024
KEY_MODE = 0o600
_BOM = b"\xef\xbb\xbf"
_QUOTED = re.compile(r"([\"'])([^\"'\n]{8,})\1")
_NAMED = re.compile(r"(?i)(key|token|secret|password|authorization)([\"']?\s*[:=]\s*)([\"'])([^\"'\n]+)\3")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file as it is: `path` is where links lead to, `content` and `mode` are None when there is no file."""

    path: Path
    content: bytes | None = field(repr=False)
    mode: int | None

    @property
    def text(self) -> str:
        """The content as text without a byte order mark; raises `InvalidInput` for what is not UTF-8."""
        content = (self.content or b"").removeprefix(_BOM)
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            problem = Problem(
                where=f"line {line}",
                cause="unreadable",
                found=f"the byte {content[error.start]:#04x}",
                why="the file is not UTF-8, and its agent would refuse it; nothing was changed",
                fix="save it as UTF-8 and run onprem-agents setup again",
            )
            raise InvalidInput(str(self.path), [problem]) from None

    def with_text(self, text: str) -> bytes:
        """Return the bytes of a new text, with the byte order mark where there was one."""
        mark = _BOM if (self.content or b"").startswith(_BOM) else b""
        return mark + text.encode("utf-8")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One file to write. `mode` None keeps the present one; `summary` stands for a content that is not shown.

    `kind` is how it is taken back.
    """

    found: Found
    content: bytes = field(repr=False)
    mode: int | None = None
    summary: str | None = None
    kind: Kind = "own"

    @property
    def needed(self) -> bool:
        """Whether content or mode differ from what is there."""
        return self.found.content != self.content or (self.mode is not None and self.found.mode != self.mode)

    @property
    def verb(self) -> str:
        """What happens to the file, as one word."""
        return "create" if self.found.content is None else "change"


def find(path: Path, *, within: Path | None = None) -> Found:
    """Read the file behind that path, if there is one.

    Raises `EnvironmentProblem` for what cannot be read and `InvalidInput` for a link that leads out of `within`.
    """
    try:
        real = path.resolve()
        if within is not None and not real.is_relative_to(within.resolve()):
            raise _outside(path, real)
        try:
            handle = os.open(real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except FileNotFoundError:
            return Found(path=real, content=None, mode=None)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise EnvironmentProblem(
                    f"{real} is no plain file; move it away and run onprem-agents setup again"
                )
            if status.st_size > MAX_CONFIG_BYTES:
                raise EnvironmentProblem(
                    f"{real} has {status.st_size} bytes, more than any configuration; look what it is"
                )
            return Found(path=real, content=file.read(), mode=stat.S_IMODE(status.st_mode))
    except (OSError, RuntimeError, ValueError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise EnvironmentProblem(
            f"{path} cannot be read: {reason}; nothing was changed; mend its permissions or links"
        ) from error


def diff(change: Change) -> str:
    """Return the change as a unified diff, with everything that looks like a key taken out."""
    name = str(change.found.path)
    if change.summary is not None:
        return f"{change.verb} {name} ({change.summary})\n"
    before = _lines(change.found.content)
    after = _lines(change.content)
    old = name if change.found.content is not None else "/dev/null"
    lines = difflib.unified_diff(before, after, fromfile=old, tofile=name, lineterm="")
    return "".join(f"{_masked(line)}\n" for line in lines)


def _lines(content: bytes | None) -> list[str]:
    text = (content or b"").decode("utf-8", "replace")
    return ["".join(c if c.isprintable() or c == "\t" else "�" for c in line) for line in text.splitlines()]


def _masked(line: str) -> str:
    line = _NAMED.sub(_masked_by_name, line)
    return _QUOTED.sub(
        lambda match: f"{match[1]}***{match[1]}" if looks_like_key(match[2]) else match[0], line
    )


def _masked_by_name(match: re.Match[str]) -> str:
    value = match[4]
    by_reference = KEY_FOLDER in value or value.startswith("{") or re.fullmatch("[A-Z][A-Z0-9_]*", value)
    return match[0] if by_reference else f"{match[1]}{match[2]}{match[3]}***{match[3]}"


def _outside(path: Path, real: Path) -> InvalidInput:
    problem = Problem(
        where=str(path),
        cause="foreign-setting",
        found=f"a link to {real}",
        why="the file of a project must lie in the project; a link out of it could make setup write anywhere",
        fix="replace the link by a file, or use --scope user",
    )
    return InvalidInput("setup", [problem])
