"""Releases of KServe: what changed between them that a model server's object depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field, model_validator

from onprem_agents.catalog.cluster_software import numbers
from onprem_agents.catalog.fact import Fact, Source

Mode = Literal["Standard", "Knative"]


class KserveRelease(Fact):
    """One minor release. `spelling` is its word for each mode, `faults` what goes wrong in a mode."""

    release: str = Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")
    spelling: Mapping[Mode, str]
    faults: Mapping[Mode, str] = {}
    source: Source

    @model_validator(mode="after")
    def _whole(self) -> KserveRelease:
        if set(self.spelling) != {"Standard", "Knative"}:
            raise ValueError(f"{self.release}: both modes are spelled")
        return self

    @property
    def minor(self) -> str:
        """The release without its patch, such as 0.20."""
        return self.release.rpartition(".")[0]


def release_named(releases: Sequence[KserveRelease], version: str, *, least: str) -> KserveRelease | None:
    """Return what is known of a release, None where it is older than `least`.

    Without a patch the latest known one is meant. A newer release counts as the newest known one under its own name.
    """
    known = {each.minor: each for each in releases}
    whole = (
        known[version].release if version in known else version if version.count(".") > 1 else f"{version}.0"
    )
    if numbers(whole) < numbers(least):
        return None
    before = [each for each in releases if numbers(each.minor) <= numbers(whole)]
    return max(before, key=lambda each: numbers(each.release)).model_copy(update={"release": whole})
