"""Which checkpoint, tensor parallelism, context and KV precision a role gets: the first candidate that fits.

The order states the preference: the precision that computes natively and loses least, then the fewest GPUs,
then the longest context, then the KV cache in the model's own precision.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onprem_agents.catalog import Accelerator, Model, Precision, Variant
from onprem_agents.plan.extra_args import extra_flags
from onprem_agents.plan.maker import keeps_prefixes
from onprem_agents.plan.own_flags import OwnFlags, own_flags
from onprem_agents.plan.pool import Pool
from onprem_agents.plan.release_fitness import obstacles
from onprem_agents.plan.start import start_of
from onprem_agents.sizing import Fit, FitRequest, candidate_tensor_parallel, fit
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import Release, newest_release

# Right-sized for agents: 128k covers a long session, 64k is the least that Claude Code works with
# (its start prompt and compaction reserve, Claude Code 2.1.330, 2026-11).
_CONTEXTS_TOKENS = (131_072, 98_304, 65_536, 49_152, 32_768)

# vLLM's defaults (256, 1024) reserve 1 to 6 GiB for sampling that a few agents never use (vLLM 0.33.0, 2026-11).
_MAX_NUM_SEQS, _MOST_NUM_SEQS = ((30, 16), (60, 32)), 64

# vLLM 0.33.0: 2048 below 70 GiB, 8192 from there on; a sliding window's KV grows with it.
_LARGE_GPU_GIB = 70
_SMALL_BATCH_TOKENS, _LARGE_BATCH_TOKENS = 2048, 8192

# An agent that finds no second slot waits for the whole turn of the first one.
_COMFORTABLE_SESSIONS = 2

UTILIZATION = 0.92
"""vLLM's default since 0.20 (0.33.0 read 2026-11); it includes CUDA graphs."""

_QUALITY: dict[Precision, int] = {
    "bf16": 1,
    "native": 1,
    "fp8": 2,
    "int8": 2,
    "nvfp4": 3,
    "mxfp4": 3,
    "fp8+int4": 3,
    "int4": 4,
    "bnb4": 5,
}


# FP8 loses nothing that shows, well-tuned INT8 one to three percent ("Accuracy-Performance Trade-Offs in LLM
# Quantization", ACL 2025, 500,000 evaluations of Llama 3.1; read November 2026).
_EIGHT_BITS = _QUALITY["fp8"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One candidate with its verdict."""

    pool: Pool
    model: Model
    variant: Variant
    own: OwnFlags
    tensor_parallel: int
    request: FitRequest
    fit: Fit


def variants_to_try(
    model: Model, named: Variant | None, role: ModelRole, accelerator: Accelerator, release: Release
) -> tuple[Variant, ...]:
    """Return the checkpoints that the role allows on this accelerator and release, best first.

    A precision, or the Hugging Face id of one checkpoint (`named`), leaves one; the bare model name leaves all that
    run, or all where none does. Raises `UnknownFact` for a precision that the model does not come in.
    """
    if role.precision is not None:
        return (model.variant(role.precision),)
    if named is not None:
        return (named,)
    usable = [
        variant
        for variant in model.variants
        if accelerator.runs(variant) and not any(obstacles(model, variant, release))
    ]
    return tuple(sorted(usable or model.variants, key=lambda variant: _rank(variant, accelerator)))


def choose(
    role: ModelRole, model: Model, variants: Sequence[Variant], pool: Pool, *, release: Release
) -> tuple[Choice | None, tuple[Choice, ...]]:
    """Return the best candidate of the first checkpoint that fits, or None, and all that were looked at.

    With sessions asked for and replicas open, the best is the one that needs the fewest GPUs for them; otherwise
    the first that holds the sessions of a replica, else the first that fits.
    """
    tried: list[Choice] = []
    for variant in variants:
        found = list(candidates(model, variant, role, pool, release=release))
        tried += found
        fitting = [candidate for candidate in found if candidate.fit.fits]
        if not fitting:
            continue
        if role.sessions is not None and role.replicas is None:
            best = min(fitting, key=lambda choice: replicas_of(role, choice) * choice.tensor_parallel)
            return best, tuple(tried)
        wanted = _sessions_per_replica(role)
        best = next((choice for choice in fitting if choice.fit.sessions >= wanted), fitting[0])
        return best, tuple(tried)
    return None, tuple(tried)


def replicas_of(role: ModelRole, choice: Choice) -> int:
    """Return how many replicas the role gets: what it says, else as many as hold its sessions."""
    if role.replicas is not None:
        return role.replicas
    if role.sessions is None:
        return 1
    return math.ceil(role.sessions / choice.fit.sessions)


def nearest_of(tried: Sequence[Choice]) -> Choice | None:
    """Return the candidate that failed least."""

    def nearness(choice: Choice) -> tuple[int, float, int]:
        return choice.fit.largest_context_tokens, choice.fit.kv_pool_gib, choice.tensor_parallel

    return max(tried, key=nearness, default=None)


def candidates(
    model: Model, variant: Variant, role: ModelRole, pool: Pool, *, release: Release
) -> Iterator[Choice]:
    """Yield every candidate of one checkpoint with its verdict on that vLLM release, preferred ones first."""
    accelerator = pool.accelerator
    own = own_flags(model, variant, release)
    if role.tensor_parallel is not None:
        sizes: tuple[int, ...] = (role.tensor_parallel,)
    else:
        # Where no checkpoint runs on that GPU, one of it shows why.
        sizes = candidate_tensor_parallel(model, accelerator, pool.most_together) or (1,)
    for tensor_parallel in sizes:
        for context_tokens in _contexts(role, model):
            for kv_cache_dtype in kv_cache_dtypes(role, accelerator, needed=own.kv_cache_dtype):
                request = request_of(
                    role,
                    model,
                    variant,
                    accelerator,
                    tensor_parallel=tensor_parallel,
                    context_tokens=context_tokens,
                    kv_cache_dtype=kv_cache_dtype,
                    vllm=release.release,
                )
                yield Choice(
                    pool=pool,
                    model=model,
                    variant=variant,
                    own=own,
                    tensor_parallel=tensor_parallel,
                    request=request,
                    fit=fit(request),
                )


def request_of(
    role: ModelRole,
    model: Model,
    variant: Variant,
    accelerator: Accelerator,
    *,
    tensor_parallel: int,
    context_tokens: int,
    kv_cache_dtype: str,
    vllm: str | None = None,
) -> FitRequest:
    """Return the sizing request of one candidate: what the role says, what is derived for the rest.

    `vllm` None means the newest release.
    """
    return FitRequest(
        model=model,
        variant=variant,
        accelerator=accelerator,
        tensor_parallel=tensor_parallel,
        context_tokens=context_tokens,
        max_num_seqs=role.max_num_seqs or _max_num_seqs(role, accelerator),
        kv_cache_dtype=kv_cache_dtype,
        max_num_batched_tokens=role.max_num_batched_tokens
        or _batch_tokens(model, accelerator, vision=role.vision),
        gpu_memory_utilization=role.gpu_memory_utilization or UTILIZATION,
        language_model_only=model.multimodal and not role.vision,
        speculative_tokens=role.speculative_tokens,
        prefix_caching=keeps_prefixes(role, model, accelerator),
        enforce_eager=bool(extra_flags(role.extra_args, vllm or newest_release()).enforce_eager),
        start=start_of(role).kind,
        vllm=vllm or newest_release(),
    )


def settings_class(accelerator: Accelerator) -> tuple[int, bool]:
    """Return all of a GPU that `request_of` depends on where the role leaves everything open."""
    return _seqs_for(accelerator), accelerator.total_gib >= _LARGE_GPU_GIB


def _sessions_per_replica(role: ModelRole) -> int:
    if role.sessions is None or role.replicas is None:
        return _COMFORTABLE_SESSIONS
    return math.ceil(role.sessions / role.replicas)


def noticeable_loss(variant: Variant) -> int:
    """Return how much a checkpoint loses by its precision: more is worse; eight bits count as none."""
    return max(_EIGHT_BITS, _QUALITY[variant.precision])


def _rank(variant: Variant, accelerator: Accelerator) -> tuple[int, int]:
    native_fp8 = variant.precision == "fp8" and accelerator.native_fp8
    return (0 if native_fp8 else 1, _QUALITY[variant.precision])


def _contexts(role: ModelRole, model: Model) -> tuple[int, ...]:
    if role.context is not None:
        return (role.context,)
    longest = model.architecture.max_context_tokens
    return tuple(tokens for tokens in _CONTEXTS_TOKENS if tokens <= longest) or (longest,)


def kv_cache_dtypes(role: ModelRole, accelerator: Accelerator, *, needed: str | None) -> tuple[str, ...]:
    """Return the KV cache precisions to try, the model's own first; `needed` is the one it works with alone."""
    if needed is not None:
        return (needed,)
    if role.kv_cache_dtype is not None:
        return (role.kv_cache_dtype,)
    return ("auto", "fp8") if accelerator.native_fp8 else ("auto",)


def _max_num_seqs(role: ModelRole, accelerator: Accelerator) -> int:
    return max(_seqs_for(accelerator), min(role.sessions or 0, 256))


def _seqs_for(accelerator: Accelerator) -> int:
    gpu_gib = accelerator.total_gib
    for below_gib, seqs in _MAX_NUM_SEQS:
        if gpu_gib < below_gib:
            return seqs
    return _MOST_NUM_SEQS


def _batch_tokens(model: Model, accelerator: Accelerator, *, vision: bool) -> int:
    slides = any(layers.kind == "sliding-window" for layers in model.architecture.attention)
    large = accelerator.total_gib >= _LARGE_GPU_GIB and not slides
    one_image = (model.image_batch_tokens or 0) if vision else 0
    return max(_LARGE_BATCH_TOKENS if large else _SMALL_BATCH_TOKENS, one_image)
