"""From one request to a verdict: what lies on each GPU, what is left for the KV cache, what that holds."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.sizing.memory import Memory, Outlook, memory_of
from onprem_agents.sizing.overhead import Overhead
from onprem_agents.sizing.refusals import (
    Refusal,
    impossible_figures,
    refused_by_memory,
    refused_by_settings,
    refused_by_sharding,
    refused_outside_the_budget,
)
from onprem_agents.sizing.request import FitRequest


@dataclass(frozen=True, kw_only=True)
class Term:
    """One share of a GPU's memory in GiB, and where the figure comes from."""

    name: str
    gib: float
    explanation: str


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The verdict, per GPU. The terms add up to `gpu_total_gib` unless memory is overdrawn.

    All figures take the careful end of the error band, which is the term "headroom"; `memory` has the best
    estimates, None when there was nothing to compute. `sessions` is how many requests of `context_tokens` each
    run at once (never more than `max_num_seqs`), `largest_context_tokens` what a single one could have, at most
    the model's own limit. `refusals` say what was found and why it fails; a request without any fits.
    """

    fits: bool
    verdict: Outlook
    terms: tuple[Term, ...]
    gpu_total_gib: float
    kv_pool_gib: float
    kv_per_session_gib: float
    sessions: int
    largest_context_tokens: int
    refusals: tuple[Refusal, ...]
    memory: Memory | None

    @property
    def problems(self) -> tuple[str, ...]:
        """The refusals in words."""
        return tuple(refusal.text for refusal in self.refusals)


def fit(request: FitRequest) -> Fit:
    """Return whether the request fits its GPUs; careful: what is said to fit starts."""
    refusals = [*impossible_figures(request), *refused_by_sharding(request)]
    if refusals:
        return _nothing_computed(request, refusals)
    memory = memory_of(request)
    layout = memory.layout
    pool_gib = max(0.0, memory.careful_pool_gib)
    largest = layout.largest_context_tokens(pool_gib, request.model.architecture.max_context_tokens)
    settings = refused_by_settings(request, layout)
    refusals = [*settings, *refused_outside_the_budget(memory), *refused_by_memory(memory)]
    return Fit(
        fits=not refusals,
        verdict="does_not_fit" if settings else memory.verdict,
        terms=_terms(memory, pool_gib),
        gpu_total_gib=request.accelerator.total_gib,
        kv_pool_gib=pool_gib,
        kv_per_session_gib=layout.gib_per_request(request.context_tokens),
        sessions=min(
            layout.blocks_in(pool_gib) // layout.blocks_per_request(request.context_tokens),
            request.max_num_seqs,
        ),
        largest_context_tokens=largest,
        refusals=tuple(refusals),
        memory=memory,
    )


def _terms(memory: Memory, pool_gib: float) -> tuple[Term, ...]:
    request, rest = memory.request, memory.overhead
    rows = min(request.max_num_seqs, request.batch_tokens)
    together = f", {request.gpus} GPUs together" if request.gpus > 1 else ""
    compiling = rest.compiling.high_gib
    encoder = max(0.0, rest.activation_gib - max(rest.forward_gib, compiling, rest.sampler_gib))
    compiled = f", compiling at this start ({compiling:.2f} GiB)" if compiling else ""
    return (
        Term(name="weights", gib=memory.weights.gib, explanation=memory.weights.explanation),
        Term(
            name="activations",
            gib=rest.activation_gib - encoder + rest.buffers_gib,
            explanation=f"one pass of {request.batch_tokens} tokens{compiled} or sampling for {rows} sequences",
        ),
        Term(name="CUDA graphs", gib=rest.counted_graphs_gib, explanation=_graphs(request, rest)),
        Term(name="CUDA context", gib=rest.non_torch_gib, explanation=f"kernels and buffers{together}"),
        Term(
            name="encoder",
            gib=encoder,
            explanation="images and audio, beyond the text pass"
            if request.has_encoder
            else "none: text only",
        ),
        Term(name="headroom", gib=memory.band.more_gib, explanation="how far these figures may be off"),
        Term(name="KV cache", gib=pool_gib, explanation="what is left of the budget"),
        Term(
            name="outside the budget",
            gib=request.accelerator.total_gib - request.budget_gib,
            explanation=f"gpu-memory-utilization {request.gpu_memory_utilization}",
        ),
    )


def _graphs(request: FitRequest, rest: Overhead) -> str:
    if request.enforce_eager:
        return "none: eager mode"
    if rest.graphs_gib and not rest.counted_graphs_gib:
        return "outside the budget in this release"
    return f"batches of up to {request.max_num_seqs}"


def _nothing_computed(request: FitRequest, refusals: list[Refusal]) -> Fit:
    return Fit(
        fits=False,
        verdict="does_not_fit",
        terms=(),
        gpu_total_gib=request.accelerator.total_gib,
        kv_pool_gib=0.0,
        kv_per_session_gib=0.0,
        sessions=0,
        largest_context_tokens=0,
        refusals=tuple(refusals),
        memory=None,
    )
