"""Images that bring vLLM: how their tags tell its release, and what starts when a pod gives no command."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from onprem_agents.catalog.fact import Fact, Source

# A tag that begins with a version; `0.11.1rc1` counts as 0.11.1, `26.05-py3` as 26.05. OpenShift AI's begin `rhoai-`.
_VERSION = re.compile(r"^(?:rhoai-)?v?(\d+\.\d+(?:\.\d+)?)(?![\d.])")
# A tag of anybody's image that names vLLM's release beside its own: `rocm7.0_vllm_0.11.1_20251103`.
_NAMED = re.compile(r"(?:^|[-_])vllm[-_]?v?(\d+\.\d+\.\d+)(?![\d.])")


class ServingImage(Fact):
    """One image: `repository` holds the last two parts of its name, which mirrors keep.

    `tags` tells whether its tags are vLLM's own releases; where they are its maker's, `releases` maps those that are
    known, without `v` and suffixes. `starts` is what its entrypoint runs with the arguments of a pod.
    """

    repository: str = Field(pattern=r"^[a-z0-9._-]+/[a-z0-9._-]+$")
    starts: Literal["vllm", "huggingfaceserver", "nothing"]
    tags: Literal["vllm", "own"]
    releases: Mapping[str, str] = Field(default_factory=dict)
    source: Source

    def means(self, path: str) -> bool:
        """Whether an image's name, without registry and tag, is this one.

        By its last two parts; by the only one it has where the tags are vLLM's, as registries of one team keep it.
        """
        parts, own = path.split("/"), self.repository.split("/")
        return parts[-2:] == own if len(parts) > 1 else self.tags == "vllm" and parts == own[-1:]

    @property
    def told_by(self) -> str:
        """Where it stands what its tags mean."""
        return f"{self.source.where}, read {self.source.read}"

    def release(self, tag: str) -> str | None:
        """Return the release of vLLM in an image of that tag, None where nobody has told it."""
        found = _VERSION.search(tag)
        if found is None:
            return None
        version = found[1]
        if self.tags == "vllm":
            return version if version.count(".") > 1 else None
        return self.releases.get(version) or self.releases.get(".".join(version.split(".")[:2]))


def release_in_tag(tag: str) -> str | None:
    """Return the release of vLLM that a tag of any image names as such, None without one."""
    found = _NAMED.search(tag.casefold())
    return found[1] if found else None
