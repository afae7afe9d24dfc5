"""What every map of settings has in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from onprem_agents.errors import Finding
from onprem_agents.stack.untrusted import refusal


class Section(BaseModel):
    """A map of settings: closed, frozen, camelCase in YAML."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=False, allow_inf_nan=False
    )
    elsewhere: ClassVar[Mapping[str, str]] = {}
    """What to do about keys that people look for in this map, and that are not there."""


def sections_in(annotation: Any) -> Iterator[type[Section]]:
    """Yield the sections that the type of a setting holds, in lists, maps and alternatives too."""
    if isinstance(annotation, type) and not get_origin(annotation) and issubclass(annotation, Section):
        yield annotation
    for inner in get_args(annotation):
        yield from sections_in(inner)


def contradiction(found: str, why: str, fix: str) -> Exception:
    """Return the refusal of two settings that cannot both hold."""
    return refusal(Finding(cause="contradiction", found=found, why=why, fix=fix))
