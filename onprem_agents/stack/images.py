"""The settings of every image: where it is pulled from, when, and which bytes it must have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from onprem_agents.stack.section import Section
from onprem_agents.stack.untrusted import Shape

Registry = Annotated[
    str,
    Shape(
        r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]([a-z0-9._-]{0,126}[a-z0-9])?){0,8}",
        "the host of a registry, perhaps with a port and a path, without scheme and without a slash at its end",
        "registry.example.internal/mirror",
        published=False,
    ),
]
ImageName = Annotated[
    str,
    Shape(
        r"[a-z0-9][A-Za-z0-9._:/-]{0,499}",
        "the name of an image with its tag, as 'onprem-agents plan STACK --images' lists it",
        "docker.io/vllm/vllm-openai:v0.33.0",
        published=False,
    ),
]
Digest = Annotated[
    str,
    Shape(
        "sha256:[0-9a-f]{64}",
        "sha256: and 64 digits from 0 to f, as a registry tells it",
        f"sha256:{'0' * 62}3f",
        published=False,
    ),
]
PullPolicy = Literal["IfNotPresent", "Always", "Never"]


class Images(Section):
    """Where the images come from: all of them, the model servers', the download's, the proxy's and Envoy's."""

    registry: Registry | None = Field(
        default=None,
        description="Registry that stands before the path of every image, such as a mirror; 'serving.image' and oci:// "
        "sources name their own. Left out: each image's publisher's.",
    )
    pull_policy: PullPolicy = Field(default="IfNotPresent", description="When nodes pull an image.")
    digests: dict[ImageName, Digest] = Field(
        default={},
        max_length=64,
        description="Digest of an image by its name, as 'onprem-agents plan STACK --images' lists it: pods take these "
        "bytes and no others. Left out: what the tag means when a node pulls it.",
    )

    def reference(self, name: str) -> str:
        """Return how pods name an image of some publisher."""
        return self._pinned(name, name if self.registry is None else f"{self.registry}/{_path(name)}")

    def said(self, name: str) -> str:
        """Return how pods name an image that the stack names whole, with its registry."""
        return self._pinned(name, name)

    def _pinned(self, name: str, moved: str) -> str:
        digest = self.digests.get(name)
        return moved if digest is None else f"{moved.partition('@')[0]}@{digest}"


def _path(name: str) -> str:
    """Return an image's name without its registry, which is told by a dot or a port (as the engines read it)."""
    first, _, rest = name.partition("/")
    return rest if rest and ("." in first or ":" in first or first == "localhost") else name
