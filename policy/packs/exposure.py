"""The pack `exposure`: who reaches a model server, over what, and what leaves it."""

from __future__ import annotations

from ..entry import Policy

POLICIES: tuple[Policy, ...] = (
    Policy(
        name="timeouts-are-monotonic",
        description="Client, gateway, route and server wait in that order, the outer hop never less.",
        pack="exposure",
        level="mandatory",
        tags=("gateway", "timeouts"),
        module="monotonic_timeouts",
        function="timeouts_are_monotonic",
        bad="rules: [{backendRefs: [{name: coder-predictor}]}]  # Envoy Gateway cuts a turn after 15 s",
        good="rules: [{backendRefs: [{name: coder-predictor}], timeouts: {request: 660s, backendRequest: 660s}}]",
    ),
)
