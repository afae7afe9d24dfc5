"""NVIDIA's driver on the nodes against the CUDA release of the image: an old driver ends the server at its start.

Both are read from the labels of NVIDIA's GPU feature discovery, in their present names or their former ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object, counted, listed
from onprem_agents.cluster.preflight.nodes import labels_of, name_of, pool_nodes
from onprem_agents.plan import PlatformPlan, Pool, ServingPlan
from onprem_agents.stack.labels import CUDA_MAJOR_LABEL, CUDA_MINOR_LABEL
from onprem_agents.vllm import (
    Cuda,
    cuda_of_branch,
    image_cuda,
    least_branch,
    nearest_release,
    newest_release_for,
    own_branch,
)

# Present and former labels (NVIDIA/k8s-device-plugin, docs/gpu-feature-discovery, v0.17, read 2026-11).
_BRANCH_LABELS = ("nvidia.com/cuda.driver-version.major", "nvidia.com/cuda.driver.major")
_CUDA_LABELS = (
    (CUDA_MAJOR_LABEL, CUDA_MINOR_LABEL),
    ("nvidia.com/cuda.runtime.major", "nvidia.com/cuda.runtime.minor"),
)
# CUDA driver API, CUresult (CUDA 13.1, read 2026-11-28).
_ERROR_803 = "CUDA error 803 (system has unsupported display driver / cuda driver combination)"
_OPT_IN = "platform.serving.cudaAffinity: true keeps the pods off such nodes"


@dataclass(frozen=True, kw_only=True)
class _Driver:
    """What the labels of one node tell of its driver."""

    node: str
    branch: int | None
    cuda: Cuda | None
    selectable: bool
    """Whether the node has the labels that `cudaAffinity` asks for."""

    def required(self, cuda: Cuda) -> bool:
        """Whether pods that require a CUDA release of their node may come here."""
        return self.selectable and self.cuda is not None and self.cuda >= cuda


def check_driver(plan: PlatformPlan, _objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield, for each image, whether the drivers of the pool's nodes run it."""
    for pool in plan.pools:
        drivers = [_driver(node) for node in pool_nodes(pool, client)]
        if pool.accelerator.vendor != "nvidia" or not drivers:
            continue  # nodes that are not there are told by their own check
        for serving in {each.image: each for each in plan.serving if each.pool == pool}.values():
            check = _check(pool, serving, drivers)
            yield replace(check, name=f"{check.name} in the pool {pool.name}") if plan.pools[1:] else check


def _driver(node: Object) -> _Driver:
    labels = labels_of(node)
    branches = [labels[label] for label in _BRANCH_LABELS if labels.get(label, "").isdigit()]
    cuda = [
        (int(labels[major]), int(labels[minor]))
        for major, minor in _CUDA_LABELS
        if labels.get(major, "").isdigit() and labels.get(minor, "").isdigit()
    ]
    branch = int(branches[0]) if branches else None
    return _Driver(
        node=name_of(node),
        branch=branch,
        cuda=cuda[0] if cuda else None if branch is None else cuda_of_branch(branch),
        selectable=CUDA_MAJOR_LABEL in labels and CUDA_MINOR_LABEL in labels,
    )


def _check(pool: Pool, serving: ServingPlan, drivers: Sequence[_Driver]) -> Check:
    image = image_cuda(serving.image, serving.vllm_release)
    cuda = image.cuda
    name = f"NVIDIA driver for CUDA {_text(cuda)}"
    brings = f"{serving.image} brings CUDA {_text(cuda)}"
    if image.assumed:
        brings += f" (assumed: vLLM's own image of {serving.vllm_release} does)"
    if serving.required_cuda is not None:
        return _by_affinity(pool, name, brings, serving.required_cuda, drivers)

    old = [each for each in drivers if each.branch is not None and each.branch < least_branch(cuda)]
    if old:
        return Check(
            name=name,
            verdict="missing",
            found=f"{_told(old)}; {brings}, which needs driver {least_branch(cuda)} or later: the server ends at its "
            f"start with {_ERROR_803}, or says that the driver version is insufficient",
            fix=_upgrade(serving, cuda, max(each.branch or 0 for each in old))
            + _or_elsewhere(pool, old, drivers),
        )
    untold = [each for each in drivers if each.cuda is None]
    if untold:
        return Check(
            name=name,
            verdict="doubtful",
            found=f"{listed([each.node for each in untold])}: no label tells the driver; {brings}, which needs driver "
            f"{least_branch(cuda)} or later",
            fix="install NVIDIA's GPU feature discovery (part of the GPU operator), or look with nvidia-smi",
        )
    minor = [each for each in drivers if each.cuda is not None and each.cuda < cuda]
    if minor:
        return Check(
            name=name,
            verdict="doubtful",
            found=f"{_told(minor)}; {brings}: NVIDIA runs that by minor version compatibility, but not code that is "
            "compiled at run time",
            fix=f"upgrade the driver to {own_branch(cuda)} or later" + _or_elsewhere(pool, minor, drivers),
        )
    return _newer(serving, name, brings, cuda, drivers)


def _newer(serving: ServingPlan, name: str, brings: str, cuda: Cuda, drivers: Sequence[_Driver]) -> Check:
    """Return the check of drivers that are new enough: one kind of image does not bear drivers newer than itself."""
    newer = [each for each in drivers if each.cuda is not None and each.cuda > cuda]
    return Check.of(
        name,
        holds=not (newer and nearest_release(serving.vllm_release).image.compat_libraries_first),
        found=f"{_told(newer or drivers)}; {brings}"
        if not newer
        else f"{_told(newer)}; {brings} and prefers its own driver libraries to those of the node, which can end in "
        f"{_ERROR_803}",
        fix="set platform.serving.vllm to 0.17.1 or later, whose image does not",
        doubtful=True,
    )


def _by_affinity(pool: Pool, name: str, brings: str, cuda: Cuda, drivers: Sequence[_Driver]) -> Check:
    """Return whether enough nodes have what the pods require."""
    fit = [each for each in drivers if each.required(cuda)]
    others = [each for each in drivers if not each.required(cuda)]
    more = counted(pool.nodes - len(fit), "more node")
    found = f"{counted(len(fit), 'node')} with labels for CUDA {_text(cuda)} or later; {brings}"
    if others:
        found += f"; the pods go to none of {_told(others)}"
    return Check.of(
        name,
        holds=len(fit) >= pool.nodes,
        found=found,
        fix=f"upgrade the driver of {more} to {own_branch(cuda)} or later; nodes "
        f"without the label {CUDA_MAJOR_LABEL} need NVIDIA's GPU feature discovery, or leave out "
        "platform.serving.cudaAffinity",
    )


def _upgrade(serving: ServingPlan, cuda: Cuda, branch: int) -> str:
    fix = f"upgrade the driver to {least_branch(cuda)} or later (the GPU operator's driver.version)"
    older = newest_release_for(branch)
    if older is not None:
        fix += (
            f", or take an image that the driver runs: platform.serving.vllm {older} or older, or in "
            f"platform.serving.image a build of {serving.vllm_release} for an older CUDA (vLLM's tags end in -cu129)"
        )
    return fix


def _or_elsewhere(pool: Pool, bad: Sequence[_Driver], drivers: Sequence[_Driver]) -> str:
    """Return the way out where enough other nodes are good: the pool's nodes differ."""
    return f"; {_OPT_IN}" if len(drivers) - len(bad) >= pool.nodes else ""


def _told(drivers: Sequence[_Driver]) -> str:
    """Return nodes and their drivers, those alike together."""
    alike: dict[tuple[int | None, Cuda | None], list[str]] = {}
    for each in drivers:
        alike.setdefault((each.branch, each.cuda), []).append(each.node)
    return "; ".join(
        f"{listed(nodes)}: driver {branch or 'unknown'}"
        + (f", which knows CUDA {_text(cuda)}" if cuda is not None else "")
        for (branch, cuda), nodes in alike.items()
    )


def _text(cuda: Cuda) -> str:
    return f"{cuda[0]}.{cuda[1]}"
