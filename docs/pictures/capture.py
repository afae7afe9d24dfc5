# ruff: noqa: INP001 - a script, in no package
"""Runs a command in a terminal of its own and draws what stays on the screen as SVG.

    .venv/bin/python docs/pictures/capture.py docs/pictures/up.svg ./dev up

Needs a system with pseudo-terminals, and `rich`.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shlex
import struct
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

_COLUMNS, _ROWS = 126, 60
_FONTS = "DejaVu Sans Mono, Menlo, Consolas"
# What rich writes besides colours: line feeds, carriage returns, cursor up, erase line, hide and show the cursor.
_CONTROL = re.compile(r"\r|\n|\x1b\[(\d*)A|\x1b\[2K|\x1b\[\?25[lh]")


def main(picture: Path, command: list[str]) -> int:
    """Draw the picture and return the command's exit code."""
    output, code = _run(command)
    # Fonts that are there instead of a link to one: the picture must look the same offline.
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ " + shlex.join(command), style="bold"))
    for line in _screen(output):
        console.print(Text.from_ansi(line), soft_wrap=True)
    svg = console.export_svg(title=shlex.join(command), unique_id=picture.stem)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", _FONTS)
    picture.write_text(svg, encoding="utf-8")
    return code


def _run(command: list[str]) -> tuple[str, int]:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp(command[0], command)  # noqa: S606 - the caller's own command
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    chunks = []
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            chunk = b""
        if not chunk:
            break
        chunks.append(chunk)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return b"".join(chunks).decode("utf-8", "replace"), code


def _screen(output: str) -> list[str]:
    """Return the lines that are left when all has been written; every line is written as a whole."""
    lines, row, position = [""], 0, 0
    for control in _CONTROL.finditer(output):
        lines[row] += output[position : control.start()]
        position = control.end()
        word = control.group()
        if word == "\n":
            row += 1
            if row == len(lines):
                lines.append("")
        elif word.endswith("A"):
            row = max(0, row - int(control.group(1) or 1))
        elif word.endswith("2K"):
            lines[row] = ""
    lines[row] += output[position:]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


if __name__ == "__main__":
    if len(sys.argv) < 3:  # noqa: PLR2004 - the picture and at least one word
        sys.exit("usage: capture.py PICTURE.svg COMMAND...")
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
