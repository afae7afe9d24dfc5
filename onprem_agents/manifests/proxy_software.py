"""What one translation proxy needs to run: image, port, files, environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from onprem_agents.plan import PlatformPlan


@dataclass(frozen=True, kw_only=True)
class ProxySoftware:
    """One proxy: `mounts` says where each of `files` must lie, `key_env` takes the key it asks for.

    `own_headers` are prefixes of headers by which clients steer it and by which it tells about itself: the
    gateway lets none of them in or out.
    """

    image: str
    port: int
    args: tuple[str, ...]
    health_path: str
    key_env: str
    environment: Mapping[str, str]
    mounts: Mapping[str, str]
    files: Callable[[PlatformPlan], dict[str, str]]
    own_headers: tuple[str, ...] = ()
