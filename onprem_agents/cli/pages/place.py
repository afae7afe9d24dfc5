"""Where a page is written: looked at first, so that no work is lost on a place that cannot be written."""

from __future__ import annotations

import os
from pathlib import Path

from onprem_agents.errors import EnvironmentProblem
from onprem_agents.files import write_file


def check_place(html: Path | None) -> None:
    """Refuse a place for a page that cannot be written, before the work and not after it."""
    if html is None:
        return
    if html.is_dir():
        raise EnvironmentProblem(f"--html {str(html)!a} is a folder; give the name of a file in it")
    if not html.absolute().parent.is_dir():
        raise EnvironmentProblem(
            f"--html {str(html)!a}: there is no folder {str(html.parent)!a}; make it first"
        )
    if not os.access(html.absolute().parent, os.W_OK):
        raise EnvironmentProblem(
            f"--html {str(html)!a}: the folder {str(html.parent)!a} cannot be written; name another one"
        )


def write_page(html: Path, text: str) -> None:
    """Write a page, readable by all. Raises `EnvironmentProblem`."""
    try:
        write_file(html, text.encode(), 0o644)
    except OSError as error:
        raise EnvironmentProblem(f"--html {str(html)!a}: it cannot be written: {error.strerror}") from None
