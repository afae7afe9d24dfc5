"""What a killed engine had begun: objects of the cluster, and steps that make nothing there."""

from __future__ import annotations

from typing import Any

import pytest

from embedded.cut_off import pending_creates, unfinished

pytestmark = pytest.mark.unit


def operation(
    of: str, urn: str, *, begun: str = "creating", inputs: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"type": begun, "resource": {"urn": urn, "type": of, "inputs": inputs or {}}}


def test_components_and_providers_are_unfinished_too_and_are_no_objects() -> None:
    named: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "key", "namespace": "models"},
    }
    operations = [
        operation("pulumi:providers:kubernetes", "urn::provider"),
        operation("onprem-coding-agents:index:InferenceService", "urn::coder"),
        operation("kubernetes:core/v1:Secret", "urn::key", inputs=named),
        operation("kubernetes:core/v1:Secret", "urn::other", begun="updating", inputs=named),
    ]
    state = {"deployment": {"pending_operations": operations}}

    assert [each["urn"] for each in unfinished(state)] == ["urn::provider", "urn::coder", "urn::key"]
    assert [each.urn for each in pending_creates(state)] == ["urn::key"]
    assert unfinished({"deployment": {}}) == []
