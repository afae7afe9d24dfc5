"""Weights as an image (`oci://`) are mounted as an image volume: kubelet and container runtime must know those."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object, listed
from onprem_agents.cluster.preflight.nodes import all_nodes, name_of
from onprem_agents.cluster.preflight.pods import server_pods
from onprem_agents.plan import PlatformPlan

Version = tuple[int, int]

# Feature gate ImageVolume: off by default from 1.33 (beta, subPath since then), on from 1.35, fixed in 1.36
# (kubernetes/kubernetes v1.36.0, pkg/features/kube_features.go; Kubernetes blog "Image Volumes graduate to beta").
_KNOWN, _ON = (1, 33), (1, 35)
# containerd 2.1.0 mounts images and folders of them (containerd#10579, #11578); CRI-O does folders since 1.33; Docker's
# shim does not (Mirantis/cri-dockerd#526). Read 2026-11-28.
_RUNTIMES: dict[str, Version] = {"containerd": (2, 1), "cri-o": (1, 33)}
_ELSE = "or give the weights from a claim or a bucket (platform.models[].source: pvc:// or s3://)"


def check_image_volumes(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield whether the pool's nodes mount images, where a pod asks for that."""
    if not any("image" in volume for pod in server_pods(objects) for volume in pod.spec.get("volumes") or []):
        return
    kubelets: dict[str, dict[str, list[str]]] = {"missing": {}, "doubtful": {}, "ok": {}}
    runtimes: dict[str, dict[str, list[str]]] = {"missing": {}, "doubtful": {}, "ok": {}}
    nodes = all_nodes(plan, client)
    for node in nodes:
        info = node.get("status", {}).get("nodeInfo") or {}
        kubelet = str(info.get("kubeletVersion") or "unknown")
        runtime = str(info.get("containerRuntimeVersion") or "unknown")
        kubelets[_of_kubelet(kubelet)].setdefault(kubelet, []).append(name_of(node))
        runtimes[_of_runtime(runtime)].setdefault(runtime, []).append(name_of(node))
    if not nodes:
        return
    yield _worst(
        "image volumes: kubelet",
        kubelets,
        fix="upgrade the nodes to Kubernetes 1.35 or later (1.33 and 1.34 know them behind the feature gate "
        f"ImageVolume, which API server and kubelets must be given), {_ELSE}",
    )
    yield _worst(
        "image volumes: container runtime",
        runtimes,
        fix=f"upgrade the nodes to containerd 2.1 or CRI-O 1.33 or later, {_ELSE}",
    )


def _of_kubelet(told: str) -> Literal["ok", "missing", "doubtful"]:
    version = _version(told)
    if version is None:
        return "doubtful"
    return "ok" if version >= _ON else "doubtful" if version >= _KNOWN else "missing"


def _of_runtime(told: str) -> Literal["ok", "missing", "doubtful"]:
    name, _, rest = told.partition("://")
    version = _version(rest)
    if name == "docker":
        return "missing"
    if name not in _RUNTIMES or version is None:
        return "doubtful"
    return "ok" if version >= _RUNTIMES[name] else "missing"


def _version(text: str) -> Version | None:
    found = re.match(r"v?(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def _worst(name: str, by_verdict: dict[str, dict[str, list[str]]], *, fix: str) -> Check:
    """Return one check for all nodes: the worst verdict, with the nodes that it is about."""
    for verdict in ("missing", "doubtful", "ok"):
        if by_verdict[verdict]:
            found = "; ".join(
                f"{version} on {listed(nodes)}" for version, nodes in by_verdict[verdict].items()
            )
            return Check.of(name, holds=verdict == "ok", found=found, fix=fix, doubtful=verdict == "doubtful")
    raise ValueError("no node was looked at")
