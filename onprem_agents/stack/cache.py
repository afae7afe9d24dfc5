"""The settings of where a model's weights are kept between starts, so that they are downloaded once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from onprem_agents.stack.domain import ObjectName
from onprem_agents.stack.section import Section, contradiction
from onprem_agents.stack.untrusted import Shape

FolderPath = Annotated[
    str,
    Field(max_length=200),
    Shape(
        "(/(?!\\.{1,2}(/|$))[A-Za-z0-9._-]+)+",
        "an absolute path of letters, digits, '.', '_' and '-', without '..' and with no slash last",
        "/var/lib/coding-agents",
        published=False,
    ),
]


class PvcCache(Section):
    """A PersistentVolumeClaim that the stack makes and a Job fills; the kernels that vLLM compiles lie beside."""

    storage_class: ObjectName | None = Field(
        default=None, description="StorageClass of the claim. Left out: the cluster's default one."
    )
    size_gib: Annotated[int, Field(strict=True, ge=1, le=65_536)] | None = Field(
        default=None,
        description="Size of the claim in GiB. Left out: the weights, and room for what vLLM compiles.",
    )
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] | None = Field(
        default=None,
        description="How nodes may mount the claim. Left out: ReadWriteMany where replicas may run on several nodes, "
        "else ReadWriteOnce.",
    )


class HostPathCache(Section):
    """A folder of each node: the first pod there downloads, and the next ones find the weights."""

    path: FolderPath = Field(
        description="Existing folder of each node that user 1000 may write. Pod Security forbids such volumes, so the "
        "stack's namespace then enforces no level."
    )


class LocalModelCache(Section):
    """KServe's LocalModelNamespaceCache, which keeps the weights on the disks of a group of nodes."""

    node_group: ObjectName = Field(description="Existing LocalModelNodeGroup with the nodes of the pool.")
    nodes: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = Field(
        default=None,
        description="Nodes of that group that must have the weights before a server starts. Left out: all of the "
        "pool.",
    )
    service_account: ObjectName | None = Field(
        default=None,
        description="ServiceAccount in the namespace of KServe's download jobs that has the credentials. Left out: "
        "none, which does for public models.",
    )


class Cache(Section):
    """Where weights are kept between starts: exactly one of three."""

    pvc: PvcCache | None = Field(
        default=None,
        description="On a PersistentVolumeClaim which a Job fills once; {} where its defaults do. Left out: not there.",
    )
    host_path: HostPathCache | None = Field(
        default=None, description="In a folder of each node. Left out: not there."
    )
    local_model_cache: LocalModelCache | None = Field(
        default=None, description="In KServe's cache of local models. Left out: not there."
    )

    @property
    def places(self) -> tuple[PvcCache | HostPathCache | LocalModelCache, ...]:
        """What is said; one place, once the settings are read."""
        each = (self.pvc, self.host_path, self.local_model_cache)
        return tuple(place for place in each if place is not None)

    @model_validator(mode="after")
    def _one_place(self) -> Cache:
        if len(self.places) != 1:
            raise contradiction(
                f"{len(self.places)} places" if self.places else "no place",
                "weights are kept in one place",
                "say one of 'pvc', 'hostPath' and 'localModelCache', or leave 'cache' out",
            )
        return self
