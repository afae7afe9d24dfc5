"""The base of everything read from the catalogue's YAML: frozen, no unknown keys, source and date."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class Fact(BaseModel):
    """A frozen record in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Fact):
    """Where a figure comes from and when it was read there."""

    where: str = Field(min_length=3)
    read: date
