"""Which models these GPUs can serve to a team, the best first, with the reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import Any

from onprem_agents.advice.best import ALL_HELD, best_of
from onprem_agents.advice.gpu import Gpu
from onprem_agents.advice.model_servers import ModelServers, Server
from onprem_agents.advice.quality import RANKING, Standing, standings
from onprem_agents.advice.server_speeds import ServerSpeeds
from onprem_agents.catalog import Accelerator, Catalog, Model
from onprem_agents.sizing import FitRequest, Memory, Speed, memory_of, speed_of
from onprem_agents.sizing.floors import Floors
from onprem_agents.sizing.shown import rate, wait

DEFAULT_CONTEXT_TOKENS = 131_072

FLOORS = Floors()
NO_FLOORS = Floors(tokens_per_second=0.0, first_token_seconds=math.inf)
_WORKS = {"yes": 1, "unproven": 0, "no": -1}


# What puts one model before another: how well its sessions cover the team, its quality for agents (see
# `_with_standing`), its sessions.
Place = tuple[int, int, int]
_Found = tuple[Place, Server]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a team asks for: how many developers, the context of a session, and how fast it must be."""

    developers: int
    context_tokens: int = DEFAULT_CONTEXT_TOKENS
    floors: Floors = FLOORS


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One way to use the GPUs for a team: `replicas` times the same server."""

    server: Server
    accelerator: Accelerator
    replicas: int
    developers: int
    place: Place
    floors: Floors
    standing: Standing | None

    @cached_property
    def speed(self) -> Speed:
        """The speed that is expected for all developers at work."""
        return speed_of(self.memory, self.developers, self.replicas)

    @cached_property
    def request(self) -> FitRequest:
        """The sizing request of each server."""
        context_tokens, *_ = self.server.sessions_in(Gpu.of(self.accelerator).room)
        return self.server.recipe.request(self.accelerator, context_tokens)

    @cached_property
    def memory(self) -> Memory:
        """The account of one GPU."""
        return memory_of(self.request)

    @property
    def sessions(self) -> int:
        """The sessions of the request's context that all servers hold together."""
        return self.place[2]

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
    """The best way to serve each model that fits that many GPUs of one node and is fast enough, ranked."""

    accelerator: Accelerator
    gpus: int
    asked: Asked
    standings: Mapping[str, Standing]
    found: Sequence[_Found]

    @cached_property
    def choices(self) -> tuple[Advice, ...]:
        """All choices, empty when no model fits."""
        return tuple(self._advice(found) for found in self.found)

    def _advice(self, found: _Found) -> Advice:
        place, server = found
        return Advice(
            server=server,
            accelerator=self.accelerator,
            replicas=self.gpus // server.recipe.tensor_parallel,
            developers=self.asked.developers,
            place=place,
            floors=self.asked.floors,
            standing=self.standings.get(server.recipe.model.name),
        )


def advise(catalog: Catalog, accelerator: Accelerator, gpus: int, asked: Asked) -> tuple[Advice, ...]:
    """Return the best way to serve each model that fits, is fast enough and of use to agents, ranked; or nothing.

    Agents use no model for which vLLM has no tool-call parser. All GPUs are in one node. Ranked by whether the
    sessions of the team are held, then by what a public benchmark says of the model, then by the agents that work with
    it, then by its size.
    """
    (ranking,) = rankings(catalog, [accelerator], [gpus], asked)
    return ranking.choices


def left_out(catalog: Catalog, accelerator: Accelerator, gpus: int, asked: Asked) -> tuple[Advice, ...]:
    """Return the models that `advise` would name too if speed were nothing, the fastest first."""
    fast = {advice.model.name for advice in advise(catalog, accelerator, gpus, asked)}
    every = advise(catalog, accelerator, gpus, replace(asked, floors=NO_FLOORS))
    slow = [replace(advice, floors=asked.floors) for advice in every if advice.model.name not in fast]
    return tuple(sorted(slow, key=lambda one: -one.speed.tokens_per_second_per_developer))


def rankings(
    catalog: Catalog,
    accelerators: Iterable[Accelerator],
    counts: Sequence[int],
    asked: Asked,
    *,
    first_only: bool = False,
) -> Iterator[Ranking]:
    """Yield what `advise` returns for each of these accelerators in each of these numbers.

    `first_only` leaves out all but the first choice, and with that most of the search.
    """
    standing_of = standings(catalog.models)
    able = [model for model in catalog.models if model.tool_call_parser is not None]
    models = [
        (
            ModelServers(model, context_tokens=asked.context_tokens, gpus=max(counts)),
            ServerSpeeds(model),
            standing,
        )
        for model, standing in _with_standing(able, standing_of)
    ]
    known: dict[tuple[Any, ...], Mapping[int, Sequence[_Found]]] = {}
    for accelerator in accelerators:
        gpu = Gpu.of(accelerator)
        # Many accelerators differ in nothing that a server notices.
        key = gpu.computes, gpu.room, gpu.kind, gpu.speed
        if key not in known:
            known[key] = _ranked(models, gpu, counts, asked, first_only=first_only)
        for gpus in counts:
            yield Ranking(
                accelerator=accelerator,
                gpus=gpus,
                asked=asked,
                standings=standing_of,
                found=known[key][gpus],
            )


def _ranked(
    models: Iterable[tuple[ModelServers, ServerSpeeds, int]],
    gpu: Gpu,
    counts: Sequence[int],
    asked: Asked,
    *,
    first_only: bool,
) -> Mapping[int, Sequence[_Found]]:
    """Return place and server of the models that fit, the first place first, for each number of GPUs.

    `models` come by standing, the highest first: where one holds all sessions, no later one with less comes first.
    """
    ranked: dict[int, list[_Found]] = {gpus: [] for gpus in counts}
    first: dict[int, int] = {}
    for servers, speeds, standing in models:
        unsettled = [gpus for gpus in counts if not first_only or first.get(gpus, standing) == standing]
        if not unsettled:
            break
        for gpus, choice in best_of(servers, speeds, gpu, unsettled, asked.developers, asked.floors).items():
            cover, sessions, server = choice
            ranked[gpus].append(((cover, standing, sessions), server))
            if cover == ALL_HELD:
                first.setdefault(gpus, standing)
    for found in ranked.values():
        found.sort(key=itemgetter(0), reverse=True)
    return {gpus: found[:1] for gpus, found in ranked.items()} if first_only else ranked


def _with_standing(models: Iterable[Model], standing_of: Mapping[str, Standing]) -> list[tuple[Model, int]]:
    """Return each model with its place among all, best first.

    Those with which more agents fail than work come last. Before them, by quality: those whose quality is inferred come
    after those measured, and those of which no benchmark says enough after both. Those that are alike go by the agents
    that work with them, then by size. That no agent was seen working with a model moves it no further: it is said.
    """
    marked = []
    for model in models:
        agents = sum(_WORKS[support.works] for support in model.agents.values())
        standing = standing_of.get(model.name)
        order = standing.order if standing is not None else ()
        marked.append(((agents >= 0, order, agents, model.total_params), model))
    places = {mark: place for place, mark in enumerate(sorted({mark for mark, _ in marked}))}
    return sorted(((model, places[mark]) for mark, model in marked), key=itemgetter(1), reverse=True)


def _reasons(advice: Advice) -> Iterator[str]:
    request, model = advice.request, advice.model
    yield f"{advice.sessions} sessions of {request.context_tokens} tokens for {advice.developers} developers"
    yield quality_in_words(advice.standing)
    proven = [name for name, support in model.agents.items() if support.works == "yes"]
    yield f"seen working with {', '.join(proven)}" if proven else "no agent was seen working with it yet"
    broken = [f"{name}: {support.why}" for name, support in model.agents.items() if support.works == "no"]
    yield from broken
    if not request.accelerator.computes_in(request.variant):
        yield f"{request.variant.precision} only saves memory on {request.accelerator.name}, it computes in 16 bits"
    if request.accelerator.build.unproven:
        yield request.accelerator.build.unproven
    if request.cache_dtype != "auto":
        yield "the KV cache is kept in fp8"
    speed = advice.speed
    yield (
        f"about {rate(speed.tokens_per_second_per_developer)} tokens/s for each developer with all at work, bounded by "
        f"{speed.bounded_by}; {wait(speed.first_token_seconds_cold_30k)} to the first token of 30k"
    )
    if request.tensor_parallel > 1 and not request.accelerator.nvlink:
        gb = request.accelerator.interconnect_gb_per_second
        yield f"{request.tensor_parallel} GPUs share one model without NVLink ({gb} GB/s)"


def quality_in_words(standing: Standing | None) -> str:
    """Return what is known of a model's quality, with whose figure it is and when it was read."""
    if standing is None:
        return f"no public figure places it on {RANKING}: after the models that have one"
    figure = standing.figure
    told = figure.said
    if standing.over is not None:
        told += (
            f"; not measured on {RANKING}, so after all that were: not behind {standing.over}, which has "
            f"{standing.score:g} % there"
        )
    return f"{told} ({figure.source.where}, read {figure.source.read})"
