"""From one request to a verdict: what lies on each GPU, what is left for the KV cache, what that holds."""

from __future__ import annotations

from dataclasses import dataclass

from onprem.sizing.divisibility import tensor_parallel_problems
from onprem.sizing.kv_cache import CacheLayout, cache_layout
from onprem.sizing.overhead import HEADROOM, overhead
from onprem.sizing.refusals import impossible_figures, refused_by_configuration, refused_by_memory
from onprem.sizing.request import FitRequest
from onprem.sizing.weights import weights_explanation, weights_gib


@dataclass(frozen=True, kw_only=True)
class Term:
    """One share of a GPU's memory in GiB, and where the figure comes from."""

    name: str
    gib: float
    explanation: str


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The verdict, per GPU. The terms add up to `gpu_total_gib` unless memory is overdrawn.

    `sessions` is how many requests of `context_tokens` each run at once (never more than `max_num_seqs`),
    `largest_context_tokens` what a single one could have, at most the model's own limit. `problems` say what
    was found, why it fails and what to change; a request without problems fits.
    """

    fits: bool
    terms: tuple[Term, ...]
    gpu_total_gib: float
    kv_pool_gib: float
    kv_per_session_gib: float
    sessions: int
    largest_context_tokens: int
    problems: tuple[str, ...]


def fit(request: FitRequest) -> Fit:
    """Return whether the request fits its GPUs; careful: what is said to fit starts."""
    problems = [
        *impossible_figures(request),
        *tensor_parallel_problems(request.model, request.variant, request.tensor_parallel),
    ]
    if problems:
        return _nothing_computed(request, problems)
    architecture = request.model.architecture
    layout = cache_layout(
        architecture,
        tensor_parallel=request.tensor_parallel,
        kv_cache_dtype=request.kv_cache_dtype,
        max_num_batched_tokens=request.batch_tokens,
        speculative_tokens=request.speculative_tokens,
    )
    used = _used(request)
    used_gib = sum(term.gib for term in used)
    pool_gib = max(0.0, request.budget_gib - used_gib)
    blocks = layout.blocks_in(pool_gib)
    largest = _largest_context(layout, blocks, architecture.max_context_tokens)
    problems = [
        *refused_by_configuration(request, layout),
        *refused_by_memory(
            request, layout, used_gib=used_gib, pool_gib=pool_gib, largest_context_tokens=largest
        ),
    ]
    return Fit(
        fits=not problems,
        terms=(*used, *_rest(request, pool_gib)),
        gpu_total_gib=request.accelerator.total_gib,
        kv_pool_gib=pool_gib,
        kv_per_session_gib=layout.gib_per_request(request.context_tokens),
        sessions=min(blocks // layout.blocks_per_request(request.context_tokens), request.max_num_seqs),
        largest_context_tokens=largest,
        problems=tuple(problems),
    )


def _used(request: FitRequest) -> tuple[Term, ...]:
    """Return everything but the KV pool that counts against vLLM's budget."""
    parallel = request.tensor_parallel
    rows = min(request.max_num_seqs, request.batch_tokens)
    rest = overhead(
        request.model.architecture,
        gpu_total_gib=request.accelerator.total_gib,
        tensor_parallel=parallel,
        max_num_seqs=request.max_num_seqs,
        max_num_batched_tokens=request.batch_tokens,
        speculative_tokens=request.speculative_tokens,
        has_encoder=request.has_encoder,
        enforce_eager=request.enforce_eager,
    )
    weights = weights_gib(
        request.model,
        request.variant,
        tensor_parallel=parallel,
        speculative_tokens=request.speculative_tokens,
    )
    graphs = "none: eager mode" if request.enforce_eager else f"batches of up to {request.max_num_seqs}"
    together = f", {parallel} GPUs together" if parallel > 1 else ""
    return (
        Term(
            name="weights",
            gib=weights,
            explanation=weights_explanation(request.variant, tensor_parallel=parallel),
        ),
        Term(
            name="activations",
            gib=rest.activation_gib,
            explanation=f"one pass of {request.batch_tokens} tokens, sampling for {rows} sequences",
        ),
        Term(name="CUDA graphs", gib=rest.graphs_gib, explanation=graphs),
        Term(name="CUDA context", gib=rest.non_torch_gib, explanation=f"kernels and buffers{together}"),
        Term(
            name="encoder",
            gib=rest.encoder_gib,
            explanation="images and audio" if request.has_encoder else "none: text only",
        ),
        Term(name="headroom", gib=rest.headroom_gib, explanation=f"kept free: {HEADROOM}"),
    )


def _rest(request: FitRequest, pool_gib: float) -> tuple[Term, ...]:
    return (
        Term(name="KV cache", gib=pool_gib, explanation="what is left of the budget"),
        Term(
            name="outside the budget",
            gib=request.accelerator.total_gib - request.budget_gib,
            explanation=f"gpu-memory-utilization {request.gpu_memory_utilization}",
        ),
    )


def _largest_context(layout: CacheLayout, blocks: int, limit_tokens: int) -> int:
    """Return the longest context whose single request fits into that many blocks, 0 when none does."""
    shortest, longest = 0, limit_tokens
    while shortest < longest:
        middle = (shortest + longest + 1) // 2
        if layout.blocks_per_request(middle) <= blocks:
            shortest = middle
        else:
            longest = middle - 1
    return shortest


def _nothing_computed(request: FitRequest, problems: list[str]) -> Fit:
    return Fit(
        fits=False,
        terms=(),
        gpu_total_gib=request.accelerator.total_gib,
        kv_pool_gib=0.0,
        kv_per_session_gib=0.0,
        sessions=0,
        largest_context_tokens=0,
        problems=tuple(problems),
    )
