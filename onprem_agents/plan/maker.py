"""What the maker of a pool's accelerators means for its servers: their image and release, and what must be known."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.catalog import Accelerator, Model
from onprem_agents.errors import Problem
from onprem_agents.plan.pool import Pool
from onprem_agents.stack.hardware import MigStrategy
from onprem_agents.stack.settings import ModelRole, Serving
from onprem_agents.vllm import Release, image_of, newest_release, version_key


def release_on(accelerator: Accelerator, asked: str | None) -> str:
    """Return the vLLM release: the one that is asked for, else the newest that there is for those accelerators."""
    releases = accelerator.build.releases
    return asked or (newest_release() if releases is None else releases[-1])


def image_on(accelerator: Accelerator, release: str) -> str:
    """Return the image of a vLLM release for those accelerators, by its tag."""
    repository = accelerator.build.repository
    return image_of(release) if repository is None else f"{repository}:v{release}"


def template_on(accelerator: Accelerator, template: str | None, release: Release) -> str | None:
    """Return where the image for those accelerators has a chat template that vLLM's own image of the release has."""
    folder = accelerator.build.template_folder
    own = f"{release.image.template_folder}/"
    if folder is None or template is None or not template.startswith(own):
        return template
    return f"{folder}/{template.removeprefix(own)}"


def keeps_prefixes(role: ModelRole, model: Model, accelerator: Accelerator) -> bool:
    """Return whether prefix caching is on: as the role says, else wherever the maker's vLLM is known to have it."""
    return _has_prefixes(model, accelerator) if role.prefix_caching is None else role.prefix_caching


def prefix_notes(role: ModelRole, model: Model, pool: Pool, *, where: str) -> Iterator[str]:
    """Yield what must be known of prefix caching with linear attention on another maker's accelerators."""
    build, gpu = pool.accelerator.build, pool.accelerator.name
    if build.prefixes_of is None or not model.architecture.is_hybrid or role.prefix_caching is False:
        return
    if _has_prefixes(model, pool.accelerator):
        yield (
            f"{build.title} keeps prefixes of {model.name} on {gpu} in blocks of up to some 2,000 tokens: what two "
            f"prompts share below that is computed again (its guide to Qwen3.6-27B, v0.23.0; {where}.prefixCaching)"
        )
    elif role.prefix_caching:
        yield (
            f"{where}.prefixCaching is kept as the stack says, but the list of {build.title} does not tell that it "
            f"works for {model.name} on {gpu}"
        )
    else:
        yield (
            f"prefix caching is off: the list of {build.title} does not tell that it works for {model.name} on {gpu}; "
            f"set {where}.prefixCaching to true to try it"
        )


def _has_prefixes(model: Model, accelerator: Accelerator) -> bool:
    known = accelerator.build.prefixes_of
    architecture = model.architecture
    return known is None or not architecture.is_hybrid or architecture.model_type in known


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


def share_problems(pool: Pool, *, above: str = "") -> Iterator[Problem]:
    """Yield shares of what HAMi does not share out here, and shares larger than the whole."""
    share, gpu, where = pool.share, pool.accelerator, f"{above}share"
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


def model_problems(role: ModelRole, pool: Pool, *, where: str) -> Iterator[Problem]:
    """Yield shares of GPUs that would have to work together."""
    if pool.share is not None and (role.tensor_parallel or 1) > 1:
        yield Problem(
            where=f"{where}.tensorParallel",
            cause="does-not-split",
            found=str(role.tensor_parallel),
            why="the pool has shares of GPUs, and whether those work together nobody has read",
            fix=f"leave out {where}.tensorParallel, or {pool.where}.share",
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
