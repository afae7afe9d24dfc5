"""Files of variables, `.env`, as agents read them beside the shell."""

from __future__ import annotations

import re
from pathlib import Path

_LINE = re.compile(
    r"""^\s*(?:export\s+)?(?P<name>\w+)\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>.*?))\s*(?:\s\#.*)?$"""
)


def variables_in(path: Path) -> dict[str, str]:
    """Return the variables that the file sets; none where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return {}
    found = {}
    for line in map(_LINE.match, text.splitlines()):
        if line is not None:
            values = (line[group] for group in ("double", "single", "bare"))
            found[line["name"]] = next(value for value in values if value is not None)
    return found
