"""In whose spelling arguments are told: Python's, or that of the wire, which all other languages share."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = re.compile(r"\b[a-z]+[A-Z][A-Za-z]*\b")
_of_the_wire = False


def speak_as_package() -> None:
    """From now on tell arguments as a component package does, to programs in any language."""
    global _of_the_wire  # noqa: PLW0603 - a process hosts components for its whole life, or never
    _of_the_wire = True


def speaks_as_package() -> bool:
    """Tell whether this process hosts components for programs in any language."""
    return _of_the_wire


def argument(python_name: str, wire_name: str) -> str:
    """Return the name of an argument as the program writes it."""
    return wire_name if _of_the_wire else python_name


def as_written(text: str, names: Mapping[str, str]) -> str:
    """Return a text of the plan's with every argument as the program writes it; `names` is wire to Python."""
    return text if _of_the_wire else _NAME.sub(lambda match: names.get(match[0], match[0]), text)
