"""The best server of one model on one GPU for each number of GPUs: fast enough, then by cover, then by speed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from onprem_agents.advice.gpu import Gpu
from onprem_agents.advice.model_servers import Held, ModelServers, Server
from onprem_agents.advice.server_speeds import ServerSpeeds
from onprem_agents.sizing.floors import Floors
from onprem_agents.sizing.speed import Turns

# While one developer's agent waits for its tools or its user, another's turn runs: half of the developers at once
# keep their cache, and the rest pays for one prefill.
_COMFORTABLE_SHARE = 0.5

ALL_HELD = 2

Choice = tuple[int, int, Server]
"""Cover, sessions and server."""


_Offer = tuple["Carrier", int, int]
"""A carrier, the agents of each replica, and the replicas."""


def best_of(
    servers: ModelServers,
    speeds: ServerSpeeds,
    gpu: Gpu,
    unsettled: list[int],
    developers: int,
    floors: Floors,
) -> Mapping[int, Choice]:
    """Return the best way to serve a model for each number of GPUs on which one is fast enough.

    Servers come by quality: a lower one is taken only where it covers the team better. What is `unsettled` still hopes
    for that, and leaves the list.
    """
    best: dict[int, Choice] = {}

    def carrier_of(held: Held) -> Carrier:
        return Carrier(held, speeds.turns(held, gpu, 1), floors)

    for alike in servers.on(gpu, unsettled):
        offers = _offers(alike, carrier_of, developers, unsettled, best)
        for gpus in tuple(unsettled):
            found = _fastest(offers[gpus]) if gpus in offers else None
            if found is None:
                continue
            best[gpus] = found
            if found[0] == ALL_HELD:
                unsettled.remove(gpus)
        if not unsettled:
            break
    return best


class Carrier:
    """A server, and how many agents it carries with a speed above the floors: the fewer, the faster."""

    __slots__ = ("_floors", "_turns", "carried", "held", "most")

    def __init__(self, held: Held, turns: Turns, floors: Floors) -> None:
        """Start with nothing known but that it carries no more than `most`."""
        self.held, self._turns, self._floors = held, turns, floors
        self.carried, self.most = 0, floors.most_agents(turns)

    def carries(self, agents: int) -> bool:
        """Return whether it is fast enough for so many."""
        if agents <= self.carried:
            return True
        if agents > self.most:
            return False
        if self._floors.reached_by(self.turns(agents)):
            self.carried = agents
            return True
        self.most = agents - 1
        return False

    def turns(self, agents: int) -> Turns:
        """Return the turns of so many agents on it."""
        pace, _, kept, at_once = self._turns
        return Turns(pace, agents, kept, at_once)


@cache
def _shares(developers: int, size: int, counts: tuple[int, ...]) -> Sequence[tuple[int, int, int]]:
    """Return the numbers of GPUs that whole servers of that size fill, with their replicas and the agents of each."""
    replicas = [(gpus, gpus // size) for gpus in counts if gpus % size == 0]
    return [(gpus, many, -(-developers // many)) for gpus, many in replicas]


def _offers(
    alike: Sequence[Held],
    carrier_of: Callable[[Held], Carrier],
    developers: int,
    unsettled: Sequence[int],
    best: Mapping[int, Choice],
) -> Mapping[int, Mapping[int, list[_Offer]]]:
    """Return for each number of GPUs, by cover, the servers that may cover a team better than higher quality does.

    The speed of a server that covers none better is never asked for.
    """
    counts = tuple(unsettled)
    offers: dict[int, dict[int, list[_Offer]]] = {}
    for held in alike:
        carrier = None
        for gpus, replicas, agents in _shares(developers, held.server.recipe.tensor_parallel, counts):
            cover = cover_of(replicas * held.sessions, developers)
            if gpus in best and cover <= best[gpus][0]:
                continue
            if carrier is None:
                carrier = carrier_of(held)
            if agents <= carrier.most:
                offers.setdefault(gpus, {}).setdefault(cover, []).append((carrier, agents, replicas))
    return offers


def _fastest(offers: Mapping[int, list[_Offer]]) -> Choice | None:
    """Return the fastest of those that cover most; None where none is fast enough."""
    for cover in sorted(offers, reverse=True):
        alike = offers[cover]
        if len(alike) > 1:
            alike.sort(key=lambda one: busy_seconds(one[0].turns(one[1])))
        for carrier, agents, replicas in alike:
            if carrier.carries(agents):
                return cover, replicas * carrier.held.sessions, carrier.held.server
    return None


def busy_seconds(turns: Turns) -> float:
    """Return how long an answer takes with all agents' turns at once: by that servers are compared."""
    most = min(turns.agents, turns.at_once)
    return turns.answer_seconds(most) * turns.agents / most


def cover_of(sessions: int, developers: int) -> int:
    """Return 2 when all developers' sessions are held, 1 when enough are to work without waiting much."""
    if sessions >= developers:
        return ALL_HELD
    return 1 if sessions >= developers * _COMFORTABLE_SHARE else 0
