"""What the maker of a pool's accelerators means for its servers: their image and release, and what must be known."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.catalog import Accelerator, Model
from onprem_agents.errors import Problem
from onprem_agents.plan.pool import Pool
from onprem_agents.stack.hardware import MigStrategy
from onprem_agents.stack.settings import ModelRole, Serving
from onprem_agents.vllm import image_of, newest_release, version_key


def release_on(accelerator: Accelerator, asked: str | None) -> str:
    """Return the vLLM release: the one that is asked for, else the newest that there is for those accelerators."""
    releases = accelerator.build.releases
    return asked or (newest_release() if releases is None else releases[-1])


def image_on(accelerator: Accelerator, release: str) -> str:
    """Return the image of a vLLM release for those accelerators, by its tag."""
    repository = accelerator.build.repository
    return image_of(release) if repository is None else f"{repository}:v{release}"


def maker_problems(pool: Pool, serving: Serving) -> Iterator[Problem]:
    """Yield what a stack asks of vLLM that it has on other makers' accelerators only."""
    build, maker = pool.accelerator.build, pool.device.maker
    if build.repository is None:
        return
    if serving.cuda_affinity:
        yield Problem(
            where="platform.serving.cudaAffinity",
            cause="contradiction",
            found="true",
            why=f"{pool.accelerator.name} is {maker}'s: its nodes tell of no CUDA, so no node would do",
            fix="leave out platform.serving.cudaAffinity",
        )
    if serving.vllm is None or serving.image is not None:
        return
    if build.releases is not None and serving.vllm not in build.releases:
        known = ", ".join(build.releases)
        yield Problem(
            where="platform.serving.vllm",
            cause="release-refuses",
            found=serving.vllm,
            why=f"{build.title} is known to be published for {known}",
            fix=f"set platform.serving.vllm to {build.releases[-1]}, or name the image in platform.serving.image",
        )
    elif version_key(serving.vllm) < version_key(build.least):
        yield Problem(
            where="platform.serving.vllm",
            cause="release-too-old",
            found=serving.vllm,
            why=f"what {build.title} runs was read from {build.least} on",
            fix=f"set platform.serving.vllm to {build.least} or newer",
        )


def slice_problems(pool: Pool, strategy: MigStrategy, *, above: str = "") -> Iterator[Problem]:
    """Yield a strategy for MIG slices beside an accelerator that is none."""
    if strategy == "mixed" and pool.accelerator.mig is None:
        yield Problem(
            where=f"{above}migStrategy",
            cause="contradiction",
            found=strategy,
            why=f"{pool.accelerator.name} is a whole GPU: in either strategy nodes offer it as {pool.resource}",
            fix=f"leave out {above}migStrategy, or name a slice in {above}accelerator, such as H100-MIG-3g.40gb",
        )


def share_problems(pool: Pool) -> Iterator[Problem]:
    """Yield shares of what HAMi does not share out here, and shares larger than the whole."""
    share, gpu, where = pool.share, pool.accelerator, f"{pool.where}.share"
    if share is None:
        return
    if gpu.vendor != "nvidia" or gpu.mig is not None:
        yield Problem(
            where=where,
            cause="contradiction",
            found=f"a share of {gpu.name}",
            why="shares are known of NVIDIA's whole GPUs alone",
            fix=f"leave out {where}",
        )
    elif share.memory_gib > share.whole_gib:
        yield Problem(
            where=f"{where}.memoryGib",
            cause="does-not-fit",
            found=f"{share.memory_gib} GiB",
            why=f"{gpu.name} has {share.whole_gib:.1f} GiB",
            fix=f"set {where}.memoryGib to {int(share.whole_gib)} or less",
        )


def model_problems(role: ModelRole, model: Model, pool: Pool, *, where: str) -> Iterator[Problem]:
    """Yield what a model needs of vLLM's own image that another maker's may not have, and shares that work together."""
    build = pool.accelerator.build
    if pool.share is not None and (role.tensor_parallel or 1) > 1:
        yield Problem(
            where=f"{where}.tensorParallel",
            cause="does-not-split",
            found=str(role.tensor_parallel),
            why="the pool has shares of GPUs, and whether those work together nobody has read",
            fix=f"leave out {where}.tensorParallel, or {pool.where}.share",
        )
    if build.repository is not None and model.chat_template is not None and role.chat_template is None:
        yield Problem(
            where=f"{where}.model",
            cause="release-refuses",
            found=f"{model.name} with {model.chat_template}",
            why=f"that file is in vLLM's own image, and nobody has read where {build.title} keeps it",
            fix=f"write the template's text into {where}.chatTemplate",
        )


def maker_notes(pool: Pool) -> Iterator[str]:
    """Yield what must be known of another maker's accelerators."""
    build, device = pool.accelerator.build, pool.device
    if pool.share is not None:
        yield (
            f"each pod gets {pool.share.memory_gib} GiB and {pool.share.core_percent} % of the cores of a "
            f"{pool.accelerator.name} by HAMi; speeds are expected with that part of its compute, and with its "
            "memory bandwidth used by nobody else"
        )
    if build.unproven:
        yield f"{pool.accelerator.name}: {build.unproven}; keep a reserve (gpuMemoryUtilization)"
    if device.files:
        yield f"{pool.accelerator.name}: {device.files}"
