"""A stack with two replicas before the real Envoy Gateway: admitted, in force behind the key check, and followed.

The routes' Backend gets the addresses of four scripted models, which stand for a Service's endpoints.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx
import pytest

from onprem_agents.manifests.session_affinity import AFFINITY_HEADER, BALANCE
from tests.cluster.end_to_end.checkout import Checkout
from tests.components.agent_sessions import AGENTS, Session
from tests.gateway.envoy import Envoy
from tests.gateway.gateway import Gateway, started
from tests.gateway.replicas import REPLICA_HEADER, REPLICAS, Replicas

NAMESPACE = "coding-agents"
BACKEND = "coder-predictor"
API = "gateway.envoyproxy.io/v1alpha1"
SESSIONS = tuple(Session(AGENTS[number % len(AGENTS)], number) for number in range(60))


@pytest.fixture(scope="module")
def replicas() -> Iterator[Replicas]:
    with Replicas() as found:
        yield found


@pytest.fixture(scope="module")
def affine(checkout: Checkout, replicas: Replicas) -> Gateway:
    """The gateway of a stack with two replicas, led to all of these."""
    platform = checkout.platform()
    platform["models"][0]["replicas"] = 2
    platform["access"]["balancedSessions"] = True
    checkout.write_stack("affine", platform)
    gateway = started(checkout, "affine")
    serve_by(gateway, replicas, range(REPLICAS))
    wait_until(lambda: set(homes(gateway, 0, SESSIONS[:20]).values()) != {None})
    return gateway


def serve_by(gateway: Gateway, replicas: Replicas, numbers: Sequence[int]) -> None:
    """Lead the routes to these replicas."""
    endpoints = [{"ip": {"address": "127.0.0.1", "port": replicas.ports[number]}} for number in numbers]
    with gateway.checkout.client() as client:
        client.patch(API, "Backend", BACKEND, {"spec": {"endpoints": endpoints}}, NAMESPACE)


def homes(
    gateway: Gateway, turn: int, sessions: Sequence[Session] = SESSIONS, more: Mapping[str, str] | None = None
) -> dict[Session, str | None]:
    """Return which replica answers a turn of each session; None where it is another server."""
    keys = [{"x-api-key": gateway.checkout.key(developer)} for developer in ("alice", "bob")]
    found = {}
    with gateway.client() as client:
        for session in sessions:
            headers = session.headers() | keys[session.number % 2] | dict(more or {})
            answer = client.post(session.path, json=session.body(turn), headers=headers)
            assert answer.status_code == httpx.codes.OK, answer.text
            found[session] = answer.headers.get(REPLICA_HEADER)
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "Envoy does not take the new endpoints"
        time.sleep(0.2)


def test_all_that_is_declared_for_it_is_accepted_and_in_force(affine: Gateway) -> None:
    with affine.checkout.client() as client:
        policies = {
            kind: client.get(API, kind, name, NAMESPACE)["status"]["ancestors"][0]["conditions"]
            for kind, name in (
                ("BackendTrafficPolicy", "coding-agents-agents"),
                ("EnvoyExtensionPolicy", "coding-agents-model-routing"),
            )
        }

    assert {
        kind: {each["type"]: each["status"] for each in conditions}["Accepted"]
        for kind, conditions in policies.items()
    } == {"BackendTrafficPolicy": "True", "EnvoyExtensionPolicy": "True"}
    assert policy_in_force(affine)["name"] == "envoy.load_balancing_policies.maglev"


def test_the_bound_on_a_replicas_part_is_a_patch_that_fits_what_envoy_gateway_makes(affine: Gateway) -> None:
    """All Gateways share one Envoy here, and a patch then goes by their class; else it is the product's own."""
    name = "coding-agents-balance"
    with affine.checkout.client() as client:
        spec = client.get(API, "EnvoyPatchPolicy", name, NAMESPACE)["spec"]
        by_class = spec["targetRef"] | {"kind": "GatewayClass", "name": "envoy-gateway"}
        client.patch(API, "EnvoyPatchPolicy", name, {"spec": {"targetRef": by_class}}, NAMESPACE)

    def bound() -> object:
        typed = policy_in_force(affine)["typed_config"]
        return typed.get("consistent_hashing_lb_config")

    wait_until(lambda: bound() == BALANCE)


def policy_in_force(gateway: Gateway) -> dict[str, Any]:
    """Return how Envoy chooses among the replicas."""
    clusters = [each["cluster"] for each in Envoy.of(gateway).configuration("dynamic_active_clusters")]
    (found,) = [each for each in clusters if "/coding-agents-agents/" in each["name"]]
    policy: dict[str, Any] = found["load_balancing_policy"]["policies"][0]["typed_extension_config"]
    return policy


def test_the_turns_of_three_agents_sessions_stay_on_one_replica_each(affine: Gateway) -> None:
    first = homes(affine, 0)

    assert [homes(affine, turn) for turn in (1, 2)] == [first, first]
    assert len(set(first.values())) == REPLICAS
    assert homes(affine, 3, more={AFFINITY_HEADER: "00000000"}) == first, "what a client makes up is removed"


def test_when_a_replica_goes_no_other_session_moves(affine: Gateway, replicas: Replicas) -> None:
    before = homes(affine, 0)
    dead = "1"
    own = {session for session, home in before.items() if home == dead}

    serve_by(affine, replicas, [0, 2, 3])
    wait_until(lambda: dead not in homes(affine, 1, sorted(own)).values())
    after = homes(affine, 1)

    assert [session for session in before.keys() - own if after[session] != before[session]] == []
    serve_by(affine, replicas, range(REPLICAS))
