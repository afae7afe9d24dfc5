"""Releases that nobody should run, from `denied.yaml`: dated facts with their sources."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from .images import version_in


class Denied(BaseModel):
    """Releases of one product, listed or as a range, and why not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product: str
    releases: tuple[str, ...] = ()
    since: str | None = Field(default=None, alias="from")
    before: str | None = None
    refused: bool
    why: str
    instead: str
    source: str
    date: dt.date

    def covers(self, release: tuple[int, ...]) -> bool:
        """Whether a release is one of them."""
        if self.releases:
            return release in {version_in(text) for text in self.releases}
        least, end = version_in(self.since or "0.0"), version_in(self.before or "")
        return least is not None and least <= release and (end is None or release < end)


@cache
def denied() -> tuple[Denied, ...]:
    """Return all that is known."""
    text = Path(__file__).with_name("denied.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Denied, ...]).validate_python(yaml.safe_load(text))


def denied_of(product: str, release: tuple[int, ...]) -> list[Denied]:
    """Return what is said against a release of a product, the newest word first."""
    found = [entry for entry in denied() if entry.product == product and entry.covers(release)]
    return sorted(found, key=lambda entry: entry.date, reverse=True)
