"""One make of cluster: the settings that its name stands for, and what its console reads from a model server."""

from __future__ import annotations

from pydantic import Field

from onprem_agents.catalog.fact import Fact, Source


class Preset(Fact):
    """A setting of the stack, by its path, with the value that it has where nobody says another."""

    setting: str
    value: str | int
    because: str = Field(min_length=10)
    source: Source


class Mark(Fact):
    """A label or annotation of each model server.

    In `value`, `{name}` and `{namespace}` are the server's, `{group}`, `{repository}` and `{revision}` those of weights
    from hf://; a mark that asks for something which is not known is left out.
    """

    name: str
    value: str
    because: str = Field(min_length=10)
    source: Source


class SharedResource(Fact):
    """The resource by which pods count shares of a GPU, where the platform's HAMi calls it otherwise than HAMi does."""

    name: str
    because: str = Field(min_length=10)
    source: Source


class ClusterPlatform(Fact):
    """What clusters of one make have in common."""

    name: str
    title: str
    settings: tuple[Preset, ...] = ()
    shared_resource: SharedResource | None = None
    labels: tuple[Mark, ...] = ()
    annotations: tuple[Mark, ...] = ()
