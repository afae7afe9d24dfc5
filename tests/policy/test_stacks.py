"""The stacks that come with the product pass their own guard, and the guard has really looked at them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from policy.checks import check_manifests, graph_of
from policy.hops import ways
from policy.memory import sized
from policy.serving import servers

pytestmark = pytest.mark.policy

STACKS = sorted((Path(__file__).parents[1] / "golden" / "manifests").glob("*.yaml"))


def _manifests(stack: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(stack.read_text(encoding="utf-8")) if document]


def test_there_are_stacks_to_look_at() -> None:
    assert {"local.yaml", "team.yaml"} <= {stack.name for stack in STACKS}


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.stem)
def test_a_stack_of_the_product_has_no_findings(stack: Path) -> None:
    assert [finding.told for finding in check_manifests(_manifests(stack))] == []


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.stem)
def test_every_server_was_sized_and_every_hop_of_a_request_was_read(stack: Path) -> None:
    graph = graph_of(_manifests(stack))
    found = list(servers(graph))
    declared = list(graph.of_kind("serving.kserve.io", "InferenceService"))

    assert [server.resource for server in found] == declared
    assert all(sized(server).request is not None for server in found)
    assert all(len(level) > 0 for way in ways(graph, found) for level in way.levels)
    assert list(ways(graph, found)), "some route must lead to the servers"
