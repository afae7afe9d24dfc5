"""The best server of one model on one GPU for each number of GPUs: fast enough, then by cover, then by speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onprem_agents.advice.floors import Floors
from onprem_agents.advice.model_servers import Gpu, Held, ModelServers, Server
from onprem_agents.advice.server_speeds import ServerSpeeds
from onprem_agents.sizing.speed import Turns

# While one developer's agent waits for its tools or its user, another's turn runs: half of the developers at once
# keep their cache, and the rest pays for one prefill.
_COMFORTABLE_SHARE = 0.5

ALL_HELD = 2

Choice = tuple[int, int, Server]
"""Cover, sessions and server."""


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
    for alike in servers.on(gpu, unsettled):
        carriers = [Carrier(held, speeds.turns(held, gpu, 1), floors) for held in alike]
        for gpus in tuple(unsettled):
            least = best[gpus][0] if gpus in best else -1
            found = _fastest(carriers, gpus, developers, least)
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

    __slots__ = ("_floors", "_turns", "carried", "held", "most", "size")

    def __init__(self, held: Held, turns: Turns, floors: Floors) -> None:
        """Start with nothing known but that it carries no more than `most`."""
        self.held, self._turns, self._floors = held, turns, floors
        self.size = held.server.recipe.tensor_parallel
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


def _fastest(carriers: Sequence[Carrier], gpus: int, developers: int, least: int) -> Choice | None:
    """Return the fastest of those that cover most and more than `least`; None without any."""
    by_cover: dict[int, list[tuple[Carrier, int, int]]] = {}
    for carrier in carriers:
        replicas, rest = divmod(gpus, carrier.size)
        if rest:
            continue
        agents = -(-developers // replicas)
        if agents > carrier.most:
            continue
        sessions = replicas * carrier.held.sessions
        cover = cover_of(sessions, developers)
        if cover > least:
            by_cover.setdefault(cover, []).append((carrier, agents, sessions))
    for cover in sorted(by_cover, reverse=True):
        offers = by_cover[cover]
        if len(offers) > 1:
            offers.sort(key=lambda one: busy_seconds(one[0].turns(one[1])))
        for carrier, agents, sessions in offers:
            if carrier.carries(agents):
                return cover, sessions, carrier.held.server
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
