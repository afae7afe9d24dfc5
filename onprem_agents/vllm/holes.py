"""Holes: what stands in words for a text that only a shell or a cluster knows.

Neither can appear in a real argv, because both contain a NUL character.
"""

from __future__ import annotations

HOLE = "\0"
"""Some text within one word."""

HOLES = "\0\0"
"""Any number of words."""


def has_hole(text: str) -> bool:
    """Whether part of `text` is only known at run time."""
    return HOLE in text
