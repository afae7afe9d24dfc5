"""What every declared object belongs to."""

from __future__ import annotations

from typing import Protocol


class Scope(Protocol):
    """A stack and the namespace in which it declares something: a whole platform, or one part."""

    @property
    def stack(self) -> str:
        """Name of the stack: a label of each object."""

    @property
    def namespace(self) -> str:
        """Namespace of each object that has one."""
