"""One chain of time limits, derived from the longest turn, so that no hop cuts an agent's turn short.

client ≥ gateway ≥ route ≥ server. Each hop gets `_MARGIN_SECONDS` more than the one behind it, so that the hop
nearest to the cause reports the failure.
"""

from __future__ import annotations

from dataclasses import dataclass

# Large enough that a hop's own error reaches the client before the next hop gives up.
_MARGIN_SECONDS = 60

# preStop pause: endpoints and proxies need a moment to stop sending new requests
# (KServe's own LLMInferenceService template uses 15 s, v0.20.0, 2026-08).
PRE_STOP_SECONDS = 15

KEEP_ALIVE_SECONDS = 15
"""Longest silence of a stream, in seconds. Load balancers and proxies cut silent ones after 60 s and more: AWS's ALB,
NGINX's `proxy_read_timeout` (their manuals, read 2026-11)."""

GATEWAY_IDLE_SECONDS = 4
"""How long the gateway keeps a connection to a server without a request, in seconds: shorter than any server does.
A request that meets the server's own end of it is answered 503, "connection termination". Envoy's default is an hour,
uvicorn's, and so that of vLLM, LiteLLM and most Python servers, 5 s (uvicorn 0.54, read 2026-11)."""

SERVER_IDLE_SECONDS = 3660
"""How long our servers keep one, in seconds: longer than anything that may stand before them without the limit above.
Envoy keeps it for an hour, LiteLLM's client for 120 s (`AIOHTTP_KEEPALIVE_TIMEOUT`, 1.109.1), Go's for 90 s."""


@dataclass(frozen=True, kw_only=True)
class TimeoutChain:
    """Limits in seconds, ordered from the server outwards."""

    longest_turn_seconds: int
    server_seconds: int
    """vLLM's `--shutdown-timeout`: a running turn may finish after SIGTERM."""
    predictor_seconds: int
    """`spec.predictor.timeout` of the InferenceService; KServe makes its route from it."""
    route_seconds: int
    """HTTPRoute `timeouts.request`."""
    gateway_seconds: int
    """Envoy's stream idle limit, maximum stream duration, and its time to drain before it ends."""
    client_seconds: int
    """What the agents are told to wait, silent or not."""
    termination_grace_seconds: int
    """Pod grace period: preStop pause, drain and a margin."""
    load_budget_seconds: int
    """Time a model may take from pod start to ready."""


def derive_timeouts(*, longest_turn_seconds: int, load_budget_seconds: int) -> TimeoutChain:
    """Derive every limit from the longest turn and the longest load, both in seconds."""
    server = longest_turn_seconds
    predictor = server + _MARGIN_SECONDS
    route = predictor
    gateway = route + _MARGIN_SECONDS
    return TimeoutChain(
        longest_turn_seconds=longest_turn_seconds,
        server_seconds=server,
        predictor_seconds=predictor,
        route_seconds=route,
        gateway_seconds=gateway,
        client_seconds=gateway + _MARGIN_SECONDS,
        termination_grace_seconds=PRE_STOP_SECONDS + server + _MARGIN_SECONDS,
        load_budget_seconds=load_budget_seconds,
    )
