"""Bounds on what the balance of `queueing` leads to, found without solving it.

Answers are slower, and first tokens later, the more turns run beside each other, the more of them come in a second and
the longer they wait for room. So what is too slow at less of each than there will be is too slow, and what is fast
enough at more of each is fast enough.
"""

from __future__ import annotations

from typing import NamedTuple

from onprem_agents.sizing.load_profile import OUTPUT_TOKENS, TOOL_SECONDS
from onprem_agents.sizing.speed import Turns


class Bound(NamedTuple):
    """Seconds that an answer takes and until a first token comes, none above or none below what there will be."""

    answer_seconds: float
    first_token_seconds: float


def at_least(turns: Turns) -> Bound:
    """Return seconds that are surely taken.

    A turn takes what it takes alone, and each turn beside it adds its own tokens and a prompt whose session was kept,
    or more: no more turns than that end in a second. The agents that do not pause then are at the replica, so many are
    met at least, and of them those wait that find no room.
    """
    pace, agents, _, at_once = turns
    most = min(agents, at_once)
    read = pace.experts_seconds(1)
    prompt = turns.prompt_seconds(1)
    alone = OUTPUT_TOKENS * (pace.fixed + pace.session + read) + prompt + pace.experts
    turns_per_second = most / (alone + (most - 1) * (OUTPUT_TOKENS * pace.session + prompt))
    met = max(1.0, most * (1 - turns_per_second * TOOL_SECONDS / agents))
    waiting = (agents - most) / turns_per_second - TOOL_SECONDS if agents > most else 0.0
    return Bound(turns.answer_seconds(met), max(0.0, waiting) + pace.first_token_seconds(met))


def at_most(turns: Turns) -> Bound | None:
    """Return seconds that are not exceeded, None where turns may wait for room.

    All turns run at once then. An agent comes again after its pause and a turn, which takes at least what it takes
    alone: no more turns than that come in a second.
    """
    pace, agents, _, at_once = turns
    if agents > at_once:
        return None
    prompt = turns.prompt_seconds(agents)
    busy = prompt * agents / (TOOL_SECONDS + turns.turn_seconds(1))
    before = min(agents - 1.0, busy / (1 - busy)) if busy < 1 else agents - 1.0
    return Bound(turns.answer_seconds(agents), before * prompt + pace.first_token_seconds(agents))


def most_agents(turns: Turns, tokens_per_second: float, first_token_seconds: float) -> float:
    """Return how many agents may share that replica at most if answers shall be that fast and first tokens that soon.

    Nobody is faster than a single turn, so 0 where that is too slow. Where more agents are there than turns at once,
    those that neither run nor pause wait: by the bound of `at_least` on the turns that end in a second, an agent waits
    (agents - turns at once) / turns per second - pause or longer, which grows without end.
    """
    pace, _, _, at_once = turns
    answer = OUTPUT_TOKENS * (pace.fixed + pace.session + pace.experts_seconds(1))
    first_token = pace.first_token_seconds(1)
    if OUTPUT_TOKENS / answer < tokens_per_second or first_token > first_token_seconds:
        return 0.0
    alone = answer + pace.kept_prompt + pace.experts
    each = OUTPUT_TOKENS * pace.session + pace.kept_prompt
    turns_per_second = at_once / (alone + (at_once - 1) * each)
    return at_once + turns_per_second * (first_token_seconds + TOOL_SECONDS - first_token)
