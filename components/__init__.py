"""The Pulumi components: what pure code decided, declared. Nothing is computed here."""

from .arguments import (
    CodingPlatformArgs,
)
from .coding_platform import CodingPlatform

__all__ = [
    "CodingPlatform",
    "CodingPlatformArgs",
]
