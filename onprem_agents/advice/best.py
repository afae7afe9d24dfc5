"""The best server of one model on one GPU for each number of GPUs: fast enough, then by cover, then by speed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from onprem_agents.advice.model_servers import Gpu, Held, ModelServers, Server
from onprem_agents.advice.server_speeds import ServerSpeeds
from onprem_agents.sizing.floors import Floors
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
        carriers = [Carrier(speeds, gpu, held, floors) for held in alike]
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

    __slots__ = ("_floors", "_gpu", "_speeds", "_turns", "carried", "held", "size", "too_many")

    def __init__(self, speeds: ServerSpeeds, gpu: Gpu, held: Held, floors: Floors) -> None:
        """Start with nothing known of its speed."""
        self.held = held
        self.size = held.server.recipe.tensor_parallel
        self._speeds, self._gpu, self._floors = speeds, gpu, floors
        self._turns: Turns | None = None
        self.carried, self.too_many = 0, math.inf

    def carries(self, agents: int) -> bool:
        """Return whether it is fast enough for so many."""
        if agents <= self.carried:
            return True
        if agents >= self.too_many:
            return False
        if self._floors.reached_by(self.turns(agents)):
            self.carried = agents
            return True
        self.too_many = agents
        return False

    def turns(self, agents: int) -> Turns:
        """Return the turns of so many agents on it."""
        known = self._turns
        if known is None:
            known = self._turns = self._speeds.turns(self.held, self._gpu, agents)
        return known if known.agents == agents else Turns(known.pace, agents, known.kept, known.at_once)


def _fastest(carriers: Sequence[Carrier], gpus: int, developers: int, least: int) -> Choice | None:
    """Return the fastest of those that cover most and more than `least`; None without any."""
    by_cover: dict[int, list[tuple[Carrier, int, int]]] = {}
    for carrier in carriers:
        if gpus % carrier.size:
            continue
        replicas = gpus // carrier.size
        sessions = replicas * carrier.held.sessions
        cover = cover_of(sessions, developers)
        if cover > least:
            by_cover.setdefault(cover, []).append((carrier, sessions, -(-developers // replicas)))
    for cover in sorted(by_cover, reverse=True):
        fast = [one for one in by_cover[cover] if one[0].carries(one[2])]
        if fast:
            if len(fast) > 1:
                fast.sort(key=lambda one: busy_seconds(one[0].turns(one[2])))
            carrier, sessions, _ = fast[0]
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
