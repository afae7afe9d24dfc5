"""Whether a server finds what an earlier start compiled: told by the volume that its caches lie on."""

from __future__ import annotations

from collections.abc import Sequence
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


def start_of(predictor: Value, container: Container) -> Literal["cold", "warm"]:
    """Return how each later start of a server is: warm where all that is read shows that its caches outlive the pod.

    A cold start takes more memory, so that it is what UNKNOWN counts as, wherever it stands. What cannot be written to
    keeps nothing.
    """
    mounts, volumes = container.get("volumeMounts"), dig(predictor, "volumes")
    folder = _cache_folder(container)
    if folder is None or UNKNOWN in (mounts, volumes):
        return "cold"
    mount = _mount_of(folder, items(mounts))
    name = dig(mount, "name")
    if not isinstance(name, str):
        return "cold"
    volume = next((one for one in items(volumes) if dig(one, "name") == name), None)
    return "warm" if _lasts(volume) and not _may_be(dig(mount, "readOnly")) else "cold"


def _cache_folder(container: Container) -> PurePosixPath | None:
    """Return where the compile cache lies, None where it is turned off or where that cannot be told.

    Variables that come as a whole from elsewhere (`envFrom`) may be any of those that count.
    """
    entries = container.get("env")
    names = [dig(entry, "name") for entry in items(entries)]
    if entries is UNKNOWN or UNKNOWN in names or container.get("envFrom"):
        return None
    env = environment(container)
    root = env.get(_ROOT) or f"{env.get(_CACHES) or f'{env.get(_HOME, _ROOTS_HOME)}/.cache'}/vllm"
    if env.get(_OFF, "0").strip() != "0" or HOLE in root:
        return None
    return PurePosixPath(root)


def _lasts(volume: Value) -> bool:
    kind = next((kind for kind in _LASTING if dig(volume, kind) is not None), None)
    return kind is not None and volume is not UNKNOWN and not _may_be(dig(volume, kind, "readOnly"))


def _may_be(switch: Value) -> bool:
    return switch is UNKNOWN or bool(switch)


def _mount_of(folder: PurePosixPath, mounts: Sequence[Value]) -> Value:
    """Return the mount that a folder lies on, None for the container's own files and where a mount may be anywhere."""
    if any(dig(mount, "mountPath") is UNKNOWN for mount in mounts):
        return None
    found = [
        (len(path.parts), mount)
        for mount in mounts
        if isinstance(text := dig(mount, "mountPath"), str)
        and folder.is_relative_to(path := PurePosixPath(text))
    ]
    return max(found, key=lambda each: each[0])[1] if found else None
