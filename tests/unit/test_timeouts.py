"""Every time limit follows from the longest turn, and each hop waits longer than the one behind it."""

from __future__ import annotations

import pytest

from onprem_agents.plan import derive_timeouts


@pytest.mark.parametrize("longest_turn_seconds", [60, 600, 7200])
def test_the_chain_never_lets_an_outer_hop_give_up_first(longest_turn_seconds: int) -> None:
    chain = derive_timeouts(longest_turn_seconds=longest_turn_seconds, load_budget_seconds=2700)

    assert chain.client_seconds > chain.gateway_seconds > chain.route_seconds
    assert chain.route_seconds >= chain.predictor_seconds > chain.server_seconds
    assert chain.server_seconds == longest_turn_seconds


def test_the_default_turn_gives_the_known_figures() -> None:
    chain = derive_timeouts(longest_turn_seconds=600, load_budget_seconds=2700)

    assert (chain.predictor_seconds, chain.route_seconds, chain.gateway_seconds, chain.client_seconds) == (
        660,
        660,
        720,
        780,
    )
    assert chain.termination_grace_seconds == 675, "preStop pause 15 s, drain 600 s, margin 60 s"
