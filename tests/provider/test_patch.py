"""Patch resources: some fields of an object that the stack does not own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from embedded.kube import KubeWriter
from tests.provider.stack import Stack


@pytest.fixture
def node(client: KubeWriter, stack: Stack) -> Iterator[Callable[[], dict[str, Any]]]:
    """A node of this test's own, as a function that reads it."""
    client.create(
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": stack.name, "labels": {"site": "a"}}}
    )
    yield lambda: client.get("v1", "Node", stack.name)
    client.delete("v1", "Node", stack.name)


def _patch(labels: dict[str, str], annotations: dict[str, str] | None = None) -> str:
    metadata = {"labels": labels, "annotations": annotations or {}}
    return f"Object('core/v1:NodePatch', 'gpu', {{'metadata': {{'name': NAMESPACE, **{metadata!r}}}}})"


def test_a_patch_sets_changes_and_gives_back_fields_and_leaves_the_object(
    stack: Stack, node: Callable[[], dict[str, Any]]
) -> None:
    uid = node()["metadata"]["uid"]
    stack.program(_patch({"tier": "gpu", "pool": "one"}))
    assert stack.preview().changes == {"create": 1}
    assert "tier" not in node()["metadata"]["labels"]

    assert stack.up().changes == {"create": 1}
    assert node()["metadata"]["labels"] == {"site": "a", "tier": "gpu", "pool": "one"}
    assert stack.resources()["gpu"]["id"] == stack.name
    assert stack.up().changes == {"same": 1}
    assert stack.refresh("--expect-no-changes").changes == {"same": 1}

    stack.program(_patch({"tier": "cpu"}))
    assert stack.up().changes == {"update": 1}
    assert node()["metadata"]["labels"] == {"site": "a", "tier": "cpu"}

    assert stack.destroy().changes == {"delete": 1}
    assert node()["metadata"]["labels"] == {"site": "a"}
    assert node()["metadata"]["uid"] == uid


def test_a_patch_of_anothers_field_is_a_conflict_unless_forced(
    stack: Stack, node: Callable[[], dict[str, Any]]
) -> None:
    stack.program(_patch({"site": "b"}))
    outcome = stack.up(fails=True)
    assert "conflict" in outcome.text.lower()
    assert "onprem-coding-agents" in outcome.text, "the manager that owns the field is named"
    assert node()["metadata"]["labels"] == {"site": "a"}

    stack.program(_patch({"site": "b"}, {"pulumi.com/patchForce": "true"}))
    stack.up()
    assert node()["metadata"]["labels"] == {"site": "b"}


def test_two_patches_of_one_object_do_not_disturb_each_other(
    stack: Stack, node: Callable[[], dict[str, Any]]
) -> None:
    both = """
for key in %r:
    Object("core/v1:NodePatch", key, {"metadata": {"name": NAMESPACE, "labels": {key: "1"}}})
"""
    stack.program(both % ["one", "two"])
    stack.up()
    assert node()["metadata"]["labels"] == {"site": "a", "one": "1", "two": "1"}

    stack.program(both % ["two"])
    assert stack.up().changes == {"same": 1, "delete": 1}
    assert node()["metadata"]["labels"] == {"site": "a", "two": "1"}
