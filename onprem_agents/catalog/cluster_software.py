"""Software that a stack's objects need in a cluster: which releases were tried, and how a cluster tells its own."""

from __future__ import annotations

from pydantic import Field, model_validator

from onprem_agents.catalog.fact import Fact, Source

_VERSION = r"^[0-9]+\.[0-9]+\.[0-9]+$"


class ClusterSoftware(Fact):
    """One piece of software. `group` is that of the objects that need it; without one every stack does."""

    name: str
    group: str | None = None
    deployments: tuple[str, ...] = ()
    namespace: str | None = None
    """Where its controllers are, if their names alone could be others'."""
    definition: str
    annotation: str | None = None
    """The annotation in which its definitions tell the release, beside the labels that all may bear."""
    least: str | None = Field(default=None, pattern=_VERSION)
    refused: str = ""
    tried: str = Field(pattern=_VERSION)
    newest: str = Field(pattern=_VERSION)
    source: Source

    @model_validator(mode="after")
    def _ordered(self) -> ClusterSoftware:
        if (self.least is None) != (not self.refused):
            raise ValueError(f"{self.name}: the least release goes with what older ones refuse")
        marks = [numbers(each) for each in (self.least, self.tried, self.newest) if each is not None]
        if marks != sorted(marks):
            raise ValueError(f"{self.name}: least, tried and newest are not in order")
        return self


def numbers(version: str) -> tuple[int, ...]:
    """Return a version that compares by its numbers."""
    return tuple(int(part) for part in version.split("."))
