"""What one translation proxy needs to run: image, port, files, environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from onprem_agents.plan import ProxyPart
from onprem_agents.stack.parts import ServerReference


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
    files: Callable[[ProxyPart], dict[str, str]]
    own_headers: tuple[str, ...] = ()


NO_KEY = "none"
"""What a proxy sends where it must send a key and the server asks for none."""


def server_key_names(part: ProxyPart) -> dict[str, str]:
    """Return the environment variable that holds each Secret's key of the servers, by the Secret's name."""
    secrets = dict.fromkeys(server.key_secret for server in part.servers if server.key_secret is not None)
    return {
        secret: "VLLM_API_KEY" + (f"_{number}" if number > 1 else "")
        for number, secret in enumerate(secrets, start=1)
    }


def server_key_name(part: ProxyPart, server: ServerReference) -> str | None:
    """Return the environment variable that holds a server's key, None where it asks for none."""
    return None if server.key_secret is None else server_key_names(part)[server.key_secret]
