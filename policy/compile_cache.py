"""Whether a server finds what an earlier start compiled: told by the volume that its caches lie on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Literal

from onprem_agents.vllm import HOLE

from .containers import Container, environment
from .graph import UNKNOWN, Value, dig, items

# vLLM 0.33.0, envs.py, read 2026-11: where its caches lie, unless told, and what turns the compile cache off.
_ROOT, _CACHES, _HOME, _OFF = "VLLM_CACHE_ROOT", "XDG_CACHE_HOME", "HOME", "VLLM_DISABLE_COMPILE_CACHE"
_ROOTS_HOME = "/root"
# Volumes that end with the pod.
_PASSING = ("emptyDir", "ephemeral")


def start_of(predictor: Value, container: Container) -> Literal["cold", "warm"] | None:
    """Return how each later start of a server is: warm where its caches outlive the pod, None where nothing tells."""
    env = environment(container)
    if env.get(_OFF, "0").strip() not in ("0", HOLE):
        return "cold"
    home = env.get(_HOME, _ROOTS_HOME)
    root = env.get(_ROOT) or f"{env.get(_CACHES) or f'{home}/.cache'}/vllm"
    mounts, volumes = container.get("volumeMounts"), dig(predictor, "volumes")
    if HOLE in root or UNKNOWN in (mounts, volumes):
        return None
    name = _mounted_at(PurePosixPath(root), items(mounts))
    if name is None:
        return "cold"
    volume = next((one for one in items(volumes) if dig(one, "name") == name), None)
    if not isinstance(volume, Mapping):
        return None
    return "cold" if any(kind in volume for kind in _PASSING) else "warm"


def _mounted_at(folder: PurePosixPath, mounts: Sequence[Value]) -> Value:
    """Return the name of the volume that a folder lies on, None for the container's own files."""
    found = [
        (len(path.parts), dig(mount, "name"))
        for mount in mounts
        if isinstance(text := dig(mount, "mountPath"), str)
        and folder.is_relative_to(path := PurePosixPath(text))
    ]
    return max(found, key=lambda each: each[0])[1] if found else None
