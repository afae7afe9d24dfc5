"""`./dev gateway` where it must fail: one sentence with the log, and everything that was begun is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from embedded.gateway import Session
from embedded.gateway.running import project_folder
from tests.cluster.end_to_end.checkout import Checkout, Outcome

API = "gateway.envoyproxy.io/v1alpha1"
# Somebody's own policy on a route of the stack, with a parenthesis that is never closed.
POLICY: dict[str, Any] = {
    "apiVersion": API,
    "kind": "EnvoyExtensionPolicy",
    "metadata": {"name": "own", "namespace": "coding-agents"},
    "spec": {
        "targetRefs": [
            {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "coding-agents-connection"}
        ],
        "lua": [{"type": "Inline", "inline": "function envoy_on_request(handle)\n  handle:logInfo('x'\nend"}],
    },
}


@pytest.fixture
def broken(checkout: Checkout) -> Iterator[Checkout]:
    """The checkout with its stack up, no gateway on trial, and a policy that Envoy Gateway refuses."""
    checkout.dev("gateway", "--stop")
    checkout.up()
    with checkout.client() as client:
        client.apply(POLICY, force=True)
    yield checkout
    checkout.up()
    with checkout.client() as client:
        client.delete(API, "EnvoyExtensionPolicy", "own", "coding-agents")
    assert checkout.dev("down").code == 0


def refused(checkout: Checkout) -> Outcome:
    done = checkout.dev("gateway", "--detach")
    assert done.code == 1
    (said,) = (line for line in done.text.splitlines() if line.startswith("error: "))
    assert said.startswith(
        "error: the gateway does not do what the stack declares: EnvoyExtensionPolicy own is not Accepted: Lua: "
    )
    assert said.endswith(f" Log: {checkout.layout.logs / 'envoy-gateway.log'}")
    assert "Traceback" not in done.text
    assert not project_folder(checkout.layout).exists()
    return done


def test_a_policy_that_is_refused_is_told_and_none_of_its_processes_stays(broken: Checkout) -> None:
    done = refused(broken)
    assert "'./dev gateway --stop' or './dev up local' leads them back" in done.text
    assert Session.read(broken.layout) is not None, "the routes on this cluster are still to be led back"

    running = " ".join(broken.processes().values())
    assert "scripted_model" not in running
    assert "kube-apiserver" in running, "the cluster ran before, so it stays"

    assert broken.dev("down").code == 0
    done = refused(broken)
    assert "Stopping the cluster" in done.text
    assert Session.read(broken.layout) is None
    assert broken.processes() == {}, "this time the cluster was part of what was begun"


def test_the_end_does_not_bring_back_a_stack_that_was_destroyed_meanwhile(checkout: Checkout) -> None:
    checkout.dev("gateway", "--stop")
    checkout.up()
    done = checkout.dev("gateway", "--detach")
    assert done.code == 0, done.text
    assert project_folder(checkout.layout).exists()
    done = checkout.pulumi("destroy", "--yes", "--skip-preview", "--stack", "local")
    assert done.code == 0, done.text

    done = checkout.dev("gateway", "--stop")

    assert done.code == 0, done.text
    assert not checkout.is_up()
    assert checkout.processes(), "the cluster ran before the trial"
    assert not project_folder(checkout.layout).exists()
    assert checkout.dev("down").code == 0
