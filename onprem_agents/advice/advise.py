"""Which models these GPUs can serve to a team, the best first, with the reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from onprem_agents.advice.model_servers import Gpu, GpuClass, Held, ModelServers, Server
from onprem_agents.advice.quality import RANKING, Standing, standings
from onprem_agents.catalog import Accelerator, Catalog, Model
from onprem_agents.sizing import FitRequest, Memory, memory_of
from onprem_agents.sizing.memory import Room

DEFAULT_CONTEXT_TOKENS = 131_072
# While one developer's agent waits for its tools or its user, another's turn runs: half of the developers at once
# keep their cache, and the rest pays for one prefill.
_COMFORTABLE_SHARE = 0.5

_WORKS = {"yes": 1, "unproven": 0, "no": -1}
_ALL_HELD = 2


# What puts one model before another: how well its sessions cover the team, its quality for agents (see
# `_with_standing`), its sessions.
Place = tuple[int, int, int]
_Found = tuple[Place, Server]


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One way to use the GPUs for a team: `replicas` times the same server."""

    server: Server
    accelerator: Accelerator
    replicas: int
    developers: int
    place: Place
    standing: Standing | None

    @cached_property
    def request(self) -> FitRequest:
        """The sizing request of each server."""
        context_tokens, _ = self.server.context_and_sessions(Gpu.of(self.accelerator).room)
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
    """The best way to serve each model that fits that many GPUs of one node, ranked."""

    accelerator: Accelerator
    gpus: int
    developers: int
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
            developers=self.developers,
            place=place,
            standing=self.standings.get(server.recipe.model.name),
        )


def advise(
    catalog: Catalog,
    accelerator: Accelerator,
    gpus: int,
    *,
    developers: int,
    context_tokens: int = DEFAULT_CONTEXT_TOKENS,
) -> tuple[Advice, ...]:
    """Return the best way to serve each model that fits and that agents can use, ranked; empty when none fits.

    Agents use no model for which vLLM has no tool-call parser. All GPUs are in one node. Ranked by whether the
    sessions of the team are held, then by what a public benchmark says of the model, then by the agents that work with
    it, then by its size.
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
    first_only: bool = False,
) -> Iterator[Ranking]:
    """Yield what `advise` returns for each of these accelerators in each of these numbers.

    `first_only` leaves out all but the first choice, and with that most of the search.
    """
    standing_of = standings(catalog.models)
    able = [model for model in catalog.models if model.tool_call_parser is not None]
    models = [
        (ModelServers(model, context_tokens=context_tokens, gpus=max(counts)), standing)
        for model, standing in _with_standing(able, standing_of)
    ]
    known: dict[tuple[tuple[str, float, bool], Room, GpuClass], Mapping[int, Sequence[_Found]]] = {}
    for accelerator in accelerators:
        gpu = Gpu.of(accelerator)
        # Many accelerators differ in nothing that a server notices.
        key = gpu.computes, gpu.room, gpu.kind
        if key not in known:
            known[key] = _ranked(models, gpu, counts, developers, first_only=first_only)
        for gpus in counts:
            yield Ranking(
                accelerator=accelerator,
                gpus=gpus,
                developers=developers,
                standings=standing_of,
                found=known[key][gpus],
            )


def _ranked(
    models: Iterable[tuple[ModelServers, int]],
    gpu: Gpu,
    counts: Sequence[int],
    developers: int,
    *,
    first_only: bool,
) -> Mapping[int, Sequence[_Found]]:
    """Return place and server of the models that fit, the first place first, for each number of GPUs.

    `models` come by standing, the highest first: where one holds all sessions, no later one with less comes first.
    """
    ranked: dict[int, list[_Found]] = {gpus: [] for gpus in counts}
    first: dict[int, int] = {}
    for servers, standing in models:
        unsettled = [gpus for gpus in counts if not first_only or first.get(gpus, standing) == standing]
        if not unsettled:
            break
        held = servers.on(gpu, unsettled)
        for gpus, (cover, sessions, server) in _best(held, unsettled, developers).items():
            ranked[gpus].append(((cover, standing, sessions), server))
            if cover == _ALL_HELD:
                first.setdefault(gpus, standing)
    for found in ranked.values():
        found.sort(key=itemgetter(0), reverse=True)
    return {gpus: found[:1] for gpus, found in ranked.items()} if first_only else ranked


def _with_standing(models: Iterable[Model], standing_of: Mapping[str, Standing]) -> list[tuple[Model, int]]:
    """Return each model with its place among all, best first.

    Those with which more agents fail than work come last. Before them, by quality: those of which no benchmark says
    enough come after the others. Those that are alike go by the agents that work with them, then by size.
    """
    marked = []
    for model in models:
        agents = sum(_WORKS[support.works] for support in model.agents.values())
        standing = standing_of.get(model.name)
        order = standing.order if standing is not None else ()
        marked.append(((agents >= 0, order, agents, model.total_params), model))
    places = {mark: place for place, mark in enumerate(sorted({mark for mark, _ in marked}))}
    return sorted(((model, places[mark]) for mark, model in marked), key=itemgetter(1), reverse=True)


def _best(
    held: Iterable[Sequence[Held]], unsettled: list[int], developers: int
) -> Mapping[int, tuple[int, int, Server]]:
    """Return cover, sessions and server of the best way to serve a model, for each number of GPUs it starts on.

    `held` comes by quality: a lower one is taken only where it covers the team better. What is `unsettled` still
    hopes for that.
    """
    best: dict[int, tuple[int, int, Server]] = {}
    for alike in held:
        sized = [(server.recipe.tensor_parallel, sessions, server) for server, sessions in alike]
        for gpus in tuple(unsettled):
            most, found = 0, None
            for size, sessions, server in sized:  # the first of equals has the fewest GPUs
                if gpus % size == 0 and gpus // size * sessions > most:
                    most, found = gpus // size * sessions, server
            if found is None:
                continue
            cover = _cover(most, developers)
            if gpus not in best or cover > best[gpus][0]:
                best[gpus] = cover, most, found
            if cover == _ALL_HELD:
                unsettled.remove(gpus)
        if not unsettled:
            break
    return best


def _cover(sessions: int, developers: int) -> int:
    """Return 2 when all developers' sessions are held, 1 when enough are to work without waiting much."""
    if sessions >= developers:
        return _ALL_HELD
    return 1 if sessions >= math.ceil(developers * _COMFORTABLE_SHARE) else 0


def _reasons(advice: Advice) -> Iterator[str]:
    request, model = advice.request, advice.model
    yield f"{advice.sessions} sessions of {request.context_tokens} tokens for {advice.developers} developers"
    yield _quality_in_words(advice)
    proven = [name for name, support in model.agents.items() if support.works == "yes"]
    yield f"seen working with {', '.join(proven)}" if proven else "no agent was seen working with it yet"
    broken = [f"{name}: {support.why}" for name, support in model.agents.items() if support.works == "no"]
    yield from broken
    if not request.accelerator.computes_in(request.variant):
        yield f"{request.variant.precision} only saves memory on {request.accelerator.name}, it computes in BF16"
    if request.cache_dtype != "auto":
        yield "the KV cache is kept in fp8"
    if request.tensor_parallel > 1 and not request.accelerator.nvlink:
        gb = request.accelerator.interconnect_gb_per_second
        yield f"{request.tensor_parallel} GPUs share one model without NVLink ({gb} GB/s): links may bound its speed"


def _quality_in_words(advice: Advice) -> str:
    standing = advice.standing
    if standing is None:
        return f"no public figure places it on {RANKING}: after the models that have one"
    figure = standing.figure
    told = figure.said
    if standing.over is not None:
        told += f": not behind {standing.over}, which has {standing.score:g} % on {RANKING}"
    return f"{told} ({figure.source.where}, read {figure.source.read})"
