"""Which models these GPUs can serve to a team, the best first, with the reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

from onprem.catalog import Accelerator, Catalog, Model
from onprem.plan.servers import ModelServers, Server, class_of
from onprem.sizing import FitRequest, Memory, memory_of

DEFAULT_CONTEXT_TOKENS = 131_072
# While one developer's agent waits for its tools or its user, another's turn runs: half of the developers at once
# keep their cache, and the rest pays for one prefill.
_COMFORTABLE_SHARE = 0.5

_WORKS = {"yes": 2, "unproven": 1, "no": 0}
_ALL_HELD = 2


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One way to use the GPUs for a team: `replicas` times the same server.

    `place` is what puts one model before another: how well its sessions cover the team, what agents do with it and
    its size, its sessions.
    """

    server: Server
    replicas: int
    developers: int
    place: tuple[int, int, int]

    @cached_property
    def request(self) -> FitRequest:
        """The sizing request of each server."""
        return self.server.request()

    @cached_property
    def memory(self) -> Memory:
        """The account of one GPU."""
        return memory_of(self.request)

    @property
    def sessions(self) -> int:
        """The sessions of the request's context that all servers hold together."""
        return self.replicas * self.server.sessions

    @property
    def largest_context_tokens(self) -> int:
        """The longest context that one session alone could have."""
        return self.memory.layout.largest_context_tokens(
            self.memory.careful_pool_gib, self.model.architecture.max_context_tokens
        )

    @property
    def model(self) -> Model:
        """The model that is served."""
        return self.request.model

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents that were seen working with it."""
        return tuple(name for name, support in self.model.agents.items() if support.works == "yes")

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it has this place, and what to know before it is taken."""
        return tuple(_reasons(self))


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The best way to serve each model that fits that many GPUs of one node, ranked; empty when none fits."""

    accelerator: Accelerator
    gpus: int
    choices: tuple[Advice, ...]


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
    (ranking,) = rankings(
        catalog, [accelerator], [gpus], developers=developers, context_tokens=context_tokens
    )
    return ranking.choices


def rankings(
    catalog: Catalog,
    accelerators: Iterable[Accelerator],
    counts: Sequence[int],
    *,
    developers: int,
    context_tokens: int = DEFAULT_CONTEXT_TOKENS,
) -> Iterator[Ranking]:
    """Yield what `advise` returns for each of these accelerators in each of these numbers."""
    models = [
        (ModelServers(model, context_tokens=context_tokens, gpus=max(counts)), standing)
        for model, standing in _with_standing(catalog.models)
    ]
    for accelerator in accelerators:
        ranked: dict[int, list[Advice]] = {gpus: [] for gpus in counts}
        gpu_class = class_of(accelerator)
        for servers, standing in models:
            best = _best(servers.on(accelerator, gpu_class), counts, developers, standing)
            for gpus, advice in best.items():
                ranked[gpus].append(advice)
        for gpus, choices in ranked.items():
            choices.sort(key=attrgetter("place"), reverse=True)
            yield Ranking(accelerator=accelerator, gpus=gpus, choices=tuple(choices))


def _with_standing(models: Iterable[Model]) -> list[tuple[Model, int]]:
    """Return each model with its place among all, by the agents that work with it and then by its size."""
    marks = [
        (sum(_WORKS[support.works] for support in model.agents.values()), model.total_params)
        for model in models
    ]
    places = {mark: place for place, mark in enumerate(sorted(set(marks)))}
    return [(model, places[mark]) for model, mark in zip(models, marks, strict=True)]


def _best(
    servers: Iterable[Sequence[Server]], counts: Iterable[int], developers: int, standing: int
) -> Mapping[int, Advice]:
    """Return the best way to serve one model, for each number of GPUs on which it starts.

    `servers` come by quality: a lower one is taken only where it covers the team better.
    """
    best: dict[int, Advice] = {}
    unsettled = list(counts)
    for alike in servers:
        most = _most_sessions(alike, unsettled)
        for gpus, (sessions, server) in most.items():
            cover = _cover(sessions, developers)
            if gpus not in best or cover > best[gpus].place[0]:
                best[gpus] = Advice(
                    server=server,
                    replicas=gpus // server.recipe.tensor_parallel,
                    developers=developers,
                    place=(cover, standing, sessions),
                )
            if cover == _ALL_HELD:
                unsettled.remove(gpus)
        if not unsettled:
            break
    return best


def _most_sessions(servers: Iterable[Server], counts: Iterable[int]) -> Mapping[int, tuple[int, Server]]:
    """Return the server whose replicas hold most sessions on exactly that many GPUs, the first of equals."""
    most: dict[int, tuple[int, Server]] = {}
    for server in servers:
        size, each = server.recipe.tensor_parallel, server.sessions
        for gpus in counts:
            if gpus % size == 0 and (gpus not in most or gpus // size * each > most[gpus][0]):
                most[gpus] = gpus // size * each, server
    return most


def _cover(sessions: int, developers: int) -> int:
    """Return 2 when all developers' sessions are held, 1 when enough are to work without waiting much."""
    if sessions >= developers:
        return _ALL_HELD
    return 1 if sessions >= math.ceil(developers * _COMFORTABLE_SHARE) else 0


def _reasons(advice: Advice) -> Iterator[str]:
    request, model = advice.request, advice.model
    yield f"{advice.sessions} sessions of {request.context_tokens} tokens for {advice.developers} developers"
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
