"""Bounds on a replica's load lie on their side of what the balance of its agents leads to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from onprem_agents.sizing.floors import Floors
from onprem_agents.sizing.load_bounds import at_least, at_most
from onprem_agents.sizing.load_profile import OUTPUT_TOKENS
from onprem_agents.sizing.pace import Pace
from onprem_agents.sizing.speed import Turns

pytestmark = pytest.mark.unit

# Bounds and balance add up the same seconds in another order.
_ROUNDING = 1e-9


def _drawn(seed: int, count: int) -> Iterator[Turns]:
    """Yield replicas from a desk machine to a server of eight GPUs, dense and of experts, idle to overrun."""
    draw = random.Random(seed)  # noqa: S311 - samples that a failure can repeat
    for _ in range(count):
        kept_prompt = 10 ** draw.uniform(-2.5, 0.8)
        cold_prompt = kept_prompt * draw.uniform(15, 40)
        pace = Pace(
            fixed=10 ** draw.uniform(-2.5, -0.8),
            session=10 ** draw.uniform(-5, -2.5),
            experts=draw.choice((0.0, 10 ** draw.uniform(-3, -1))),
            idle_share=draw.choice((0.5, 0.97)),
            kept_prompt=kept_prompt,
            lost_prompt=kept_prompt * draw.uniform(1, 60),
            cold_prompt=cold_prompt,
            warm_prompt=kept_prompt,
            stages=1,
            batch_tokens=draw.choice((2048, 8192)),
        )
        at_once = draw.choice((1, 2, 5, 16, 64))
        kept = draw.choice((0, at_once, at_once * 3))
        yield Turns(pace, draw.choice((1, 2, 3, 7, 20, 45, 300)), kept, at_once)


def test_no_bound_is_on_the_wrong_side_of_the_balance() -> None:
    bounded = Counter[str]()
    for turns in _drawn(1, 3000):
        load = turns.congestion()
        answer, first = turns.answer_seconds(load.met), turns.first_token_seconds(load)
        least, most = at_least(turns), at_most(turns)
        assert least.answer_seconds <= answer * (1 + _ROUNDING), turns
        assert least.first_token_seconds <= first * (1 + _ROUNDING), turns
        if most is not None:
            assert answer <= most.answer_seconds * (1 + _ROUNDING), turns
            assert first <= most.first_token_seconds * (1 + _ROUNDING), turns
        bounded["both sides" if most is not None else "from below"] += 1
    assert min(bounded.values()) > 500, "a sample of one kind would prove little"


def test_floors_are_reached_where_the_solved_balance_reaches_them() -> None:
    floors, found = Floors(), Counter[bool]()
    for turns in _drawn(2, 3000):
        load = turns.congestion()
        fast = OUTPUT_TOKENS / turns.answer_seconds(load.met) >= floors.tokens_per_second
        expected = fast and turns.first_token_seconds(load) <= floors.first_token_seconds
        assert floors.reached_by(turns) == expected, turns
        found[expected] += 1
    assert min(found.values()) > 300, "a sample of one answer would prove little"


def test_more_agents_than_most_of_them_reach_no_floor() -> None:
    floors, found = Floors(), Counter[str]()
    for turns in _drawn(3, 3000):
        most = floors.most_agents(turns)
        if turns.agents > most:
            load = turns.congestion()
            rate = OUTPUT_TOKENS / turns.answer_seconds(load.met)
            first = turns.first_token_seconds(load)
            assert rate < floors.tokens_per_second or first > floors.first_token_seconds, turns
            found["one is too many" if most == 0 else "they wait"] += 1
        else:
            found["open"] += 1
    assert min(found.values()) > 300, "a sample of one kind would prove little"
