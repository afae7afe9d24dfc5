"""Which models these GPUs can serve to a team, the best first, with the reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from onprem.catalog import Accelerator, Catalog, Model, Variant
from onprem.plan.choice import kv_cache_dtypes, request_of
from onprem.settings import ModelRole
from onprem.sizing import FitRequest, Memory, candidate_tensor_parallel, memory_of, tensor_parallel_problems
from onprem.sizing.memory import with_cache_dtype
from onprem.sizing.refusals import refused_by_configuration

DEFAULT_CONTEXT_TOKENS = 131_072
# The least that agents work with: their start prompt and the reserve for compaction (see the agents' facts).
_LEAST_CONTEXT_TOKENS = 32_768
# While one developer's agent waits for its tools or its user, another's turn runs: half of the developers at once
# keep their cache, and the rest pays for one prefill.
_COMFORTABLE_SHARE = 0.5

_ANY_ROLE = ModelRole(role="coder", model="any")
_WORKS = {"yes": 2, "unproven": 1, "no": 0}


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One way to use the GPUs: `replicas` servers of `request`, which hold `sessions` of its context together."""

    request: FitRequest
    memory: Memory
    replicas: int
    sessions: int
    largest_context_tokens: int
    reasons: tuple[str, ...]

    @property
    def model(self) -> Model:
        """The model that is served."""
        return self.request.model

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents that were seen working with it."""
        return tuple(name for name, support in self.model.agents.items() if support.works == "yes")


def advise(
    catalog: Catalog,
    accelerator: Accelerator,
    gpus: int,
    *,
    developers: int,
    context_tokens: int = DEFAULT_CONTEXT_TOKENS,
) -> tuple[Advice, ...]:
    """Return the best way to serve each model that fits, ranked; empty when none fits.

    All GPUs are in one node. Ranked by whether the sessions of the team are held, then by the agents that work
    with the model, then by its size.
    """
    best: list[_Candidate] = []
    for model in catalog.models:
        wanted = min(context_tokens, model.architecture.max_context_tokens)
        candidates = [
            candidate
            for variant in model.variants
            if accelerator.compute_capability >= variant.min_compute_capability
            for candidate in _candidates(model, variant, accelerator, gpus, wanted)
        ]
        if candidates:
            best.append(max(candidates, key=lambda candidate: candidate.rank(developers)))
    best.sort(key=lambda candidate: candidate.place(developers), reverse=True)
    return tuple(candidate.advice(developers) for candidate in best)


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    request: FitRequest
    memory: Memory
    replicas: int
    sessions: int

    def rank(self, developers: int) -> tuple[object, ...]:
        """Return what makes one way to serve a model better than another: sessions, quality, few GPUs each."""
        variant, gpu = self.request.variant, self.request.accelerator
        native = variant.runs_natively_on(gpu.compute_capability)
        return (
            self.cover(developers),
            native,
            variant.weights_gib,
            self.request.cache_dtype == "auto",
            self.sessions,
            -self.request.tensor_parallel,
        )

    def place(self, developers: int) -> tuple[object, ...]:
        """Return what puts one model before another."""
        model = self.request.model
        works = sum(_WORKS[support.works] for support in model.agents.values())
        return (self.cover(developers), works, model.total_params, self.sessions)

    def cover(self, developers: int) -> int:
        """Return 2 when all developers' sessions are held, 1 when enough are to work without waiting much."""
        if self.sessions >= developers:
            return 2
        return 1 if self.sessions >= math.ceil(developers * _COMFORTABLE_SHARE) else 0

    def advice(self, developers: int) -> Advice:
        memory = self.memory
        largest = memory.layout.largest_context_tokens(
            memory.careful_pool_gib, self.request.model.architecture.max_context_tokens
        )
        return Advice(
            request=self.request,
            memory=memory,
            replicas=self.replicas,
            sessions=self.sessions,
            largest_context_tokens=largest,
            reasons=tuple(self._reasons(developers)),
        )

    def _reasons(self, developers: int) -> Iterator[str]:
        request, model = self.request, self.request.model
        yield f"{self.sessions} sessions of {request.context_tokens} tokens for {developers} developers"
        proven = [name for name, support in model.agents.items() if support.works == "yes"]
        yield f"seen working with {', '.join(proven)}" if proven else "no agent was seen working with it yet"
        broken = [f"{name}: {support.why}" for name, support in model.agents.items() if support.works == "no"]
        yield from broken
        if not request.variant.runs_natively_on(request.accelerator.compute_capability):
            yield f"{request.variant.precision} only saves memory on {request.accelerator.name}, it computes in BF16"
        if request.cache_dtype != "auto":
            yield "the KV cache is kept in fp8"
        if request.tensor_parallel > 1 and not request.accelerator.nvlink:
            yield f"{request.tensor_parallel} GPUs share one model without NVLink: links may bound its speed"


def _candidates(
    model: Model, variant: Variant, accelerator: Accelerator, gpus: int, context_tokens: int
) -> Iterator[_Candidate]:
    budget_gib = accelerator.total_gib
    for tensor_parallel in _sizes(model, accelerator, gpus):
        if variant.weights_gib > budget_gib * tensor_parallel:
            continue
        base = request_of(
            _ANY_ROLE,
            model,
            variant,
            accelerator,
            tensor_parallel=tensor_parallel,
            context_tokens=context_tokens,
            kv_cache_dtype="auto",
        )
        if tensor_parallel_problems(model, variant, tensor_parallel):
            continue
        memory = memory_of(base)
        if memory.careful_pool_gib <= 0:
            continue
        for dtype in kv_cache_dtypes(_ANY_ROLE, accelerator):
            found = _candidate(memory if dtype == "auto" else with_cache_dtype(memory, dtype), gpus)
            if found is not None:
                yield found


def _sizes(model: Model, accelerator: Accelerator, gpus: int) -> Iterable[int]:
    return (size for size in candidate_tensor_parallel(model, accelerator, gpus) if gpus % size == 0)


def _candidate(memory: Memory, gpus: int) -> _Candidate | None:
    request, layout = memory.request, memory.layout
    if memory.verdict != "fits":
        return _candidate_with_less(memory, gpus)
    if refused_by_configuration(request, layout):
        return None
    replicas = gpus // request.tensor_parallel
    held = layout.blocks_in(memory.careful_pool_gib) // layout.blocks_per_request(request.context_tokens)
    return _Candidate(
        request=request,
        memory=memory,
        replicas=replicas,
        sessions=replicas * min(held, request.max_num_seqs),
    )


def _candidate_with_less(memory: Memory, gpus: int) -> _Candidate | None:
    """Return the candidate with the context that does fit, if it is enough for agents."""
    request = memory.request
    largest = memory.layout.largest_context_tokens(memory.careful_pool_gib, request.context_tokens)
    if not _LEAST_CONTEXT_TOKENS <= largest < request.context_tokens:
        return None
    shorter = replace(request, context_tokens=largest // 1024 * 1024)
    return _candidate(replace(memory, request=shorter), gpus)
