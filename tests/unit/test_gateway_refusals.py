"""What Envoy Gateway and Envoy refused is told from objects and from the log, in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from embedded.gateway.refusals import refused_by_envoy, refused_objects
from onprem_agents.cluster import KubeClient

# Envoy 1.39.1 on a port that another program holds (run 2026-11).
REJECTED = (
    "[2026-11-24 11:54:50.814][31821][warning][config] [source/extensions/config_subscription/grpc/"
    "delta_subscription_state.cc:282] delta config for type.googleapis.com/envoy.config.listener.v3.Listener "
    "rejected: Error adding/updating listener(s) coding-agents/coding-agents/https: cannot bind "
    "'127.0.0.1:40921': Address already in use\n"
)
SENTENCE = (
    "Envoy refused its Listener: Error adding/updating listener(s) coding-agents/coding-agents/https: "
    "cannot bind '127.0.0.1:40921': Address already in use"
)


class _Cluster:
    """Answers like a KubeClient over the objects of one kind."""

    def __init__(self, kind: str, *objects: dict[str, Any]) -> None:
        self._kind = kind
        self._objects = objects

    def list(self, _api: str, kind: str, _namespace: str) -> tuple[dict[str, Any], ...]:
        return self._objects if kind == self._kind else ()


def refused(kind: str, status: dict[str, Any], generation: int = 2) -> list[str]:
    thing = {"metadata": {"name": "own", "generation": generation}, "status": status}
    return refused_objects(cast("KubeClient", _Cluster(kind, thing)), "coding-agents")


def condition(status: str = "False", generation: int = 2) -> list[dict[str, Any]]:
    message = "Lua: validation failed\n near ':'"
    return [
        {"type": "Accepted", "status": status, "observedGeneration": generation, "message": message},
    ]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Gateway", {"conditions": condition()}),
        ("Gateway", {"listeners": [{"conditions": condition()}]}),
        ("HTTPRoute", {"parents": [{"conditions": condition()}]}),
        ("EnvoyExtensionPolicy", {"ancestors": [{"conditions": condition()}, {"conditions": condition()}]}),
    ],
)
def test_a_refused_object_is_told_once_with_the_reason_in_one_line(kind: str, status: dict[str, Any]) -> None:
    assert refused(kind, status) == [f"{kind} own is not Accepted: Lua: validation failed near ':'"]


def test_what_was_said_of_an_earlier_form_of_the_object_does_not_count() -> None:
    assert refused("SecurityPolicy", {"ancestors": [{"conditions": condition(generation=1)}]}) == []


def test_an_accepted_object_and_one_that_nobody_has_looked_at_are_no_refusals() -> None:
    assert refused("SecurityPolicy", {"ancestors": [{"conditions": condition("True")}]}) == []
    assert refused("SecurityPolicy", {}) == []


def test_envoys_last_refusal_is_read_from_its_log(tmp_path: Path) -> None:
    log = tmp_path / "envoy-gateway.log"
    log.write_text("info reconciled gateways\n" + REJECTED)

    assert refused_by_envoy(log, 0) == SENTENCE


def test_refusals_of_earlier_runs_do_not_count_and_a_new_log_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "envoy-gateway.log"
    log.write_text(REJECTED)
    size = log.stat().st_size

    assert refused_by_envoy(log, size) is None
    assert refused_by_envoy(log, size + 1) == SENTENCE
    assert refused_by_envoy(tmp_path / "none", 0) is None
