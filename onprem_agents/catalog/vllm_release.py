"""One vLLM release: image and the defaults that the plan has to know."""

from __future__ import annotations

from pydantic import Field

from onprem_agents.catalog.fact import Fact, Source


class VllmRelease(Fact):
    """A release of vLLM and its container image.

    `image_digest` is null while unknown: a production stack must give it, because a tag can move.
    """

    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    image_repository: str
    image_tag: str
    image_digest: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")
    default_gpu_memory_utilization: float = Field(gt=0, lt=1)
    template_folder: str = Field(pattern=r"^/")
    engine_ready_timeout_seconds: int = Field(gt=0)
    notes: tuple[str, ...] = ()
    source: Source
