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
# kubernetes.io/docs/concepts/storage, volumes and ephemeral-volumes, read 2026-11-29: volumes that outlive their pod. A
# `csi` volume that a pod itself declares is an ephemeral one.
_LASTING = ("persistentVolumeClaim", "hostPath", "nfs")


def start_of(predictor: Value, container: Container) -> Literal["cold", "warm"] | None:
    """Return how each later start of a server is: warm where its caches outlive the pod, None where nothing tells.

    What cannot be written to keeps nothing.
    """
    env = environment(container)
    off = env.get(_OFF, "0").strip()
    if off not in ("0", HOLE):
        return "cold"
    home = env.get(_HOME, _ROOTS_HOME)
    root = env.get(_ROOT) or f"{env.get(_CACHES) or f'{home}/.cache'}/vllm"
    mounts, volumes = container.get("volumeMounts"), dig(predictor, "volumes")
    if off == HOLE or HOLE in root or UNKNOWN in (mounts, volumes):
        return None
    mount = _mount_of(PurePosixPath(root), items(mounts))
    if mount is None:
        return "cold"
    name = dig(mount, "name")
    volume = next((one for one in items(volumes) if dig(one, "name") == name), None)
    return _start_on(volume, mount) if isinstance(volume, Mapping) else None


def _start_on(volume: Mapping[str, Value], mount: Value) -> Literal["cold", "warm"] | None:
    kind = next((kind for kind in _LASTING if kind in volume), None)
    if kind is None:
        return "cold"
    read_only = (dig(mount, "readOnly"), dig(volume, kind, "readOnly"))
    if True in read_only:
        return "cold"
    return None if UNKNOWN in read_only else "warm"


def _mount_of(folder: PurePosixPath, mounts: Sequence[Value]) -> Value:
    """Return the mount that a folder lies on, None for the container's own files."""
    found = [
        (len(path.parts), mount)
        for mount in mounts
        if isinstance(text := dig(mount, "mountPath"), str)
        and folder.is_relative_to(path := PurePosixPath(text))
    ]
    return max(found, key=lambda each: each[0])[1] if found else None
