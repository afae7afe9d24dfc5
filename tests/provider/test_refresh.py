"""Refresh, drift and import: what the state knows against what the cluster has."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.provider.stack import Stack


def test_a_refresh_without_drift_changes_nothing(stack: Stack) -> None:
    stack.program("""
labels = {"app": "web"}
Object("apps/v1:Deployment", "web", {"metadata": meta("web"), "spec": {
    "replicas": 0, "selector": {"matchLabels": labels},
    "template": {"metadata": {"labels": labels}, "spec": {"containers": [
        {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}],
         "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": 0.5}}}]}}}})
Object("core/v1:Service", "web", {"metadata": meta("web"), "spec": {"ports": [{"port": 80}], "clusterIP": "None"}})
Object("core/v1:Secret", "key", {"metadata": meta("key"), "stringData": {"k": "v"}})
config_map("settings", {"a": "1"}, meta("settings", finalizers=["test.example/ours"]))
""")
    stack.up()
    # The server spells quantities in its own way (`1`, `1Gi`, `500m`); that is no drift.
    cpu = stack.get("Deployment", "web", "apps/v1")["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert cpu == {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}

    assert stack.refresh("--expect-no-changes").changes == {"same": 4}
    assert stack.preview("--refresh", "--expect-no-changes").changes == {"same": 4}
    stack.client.patch("v1", "ConfigMap", "settings", {"metadata": {"finalizers": None}}, stack.namespace)


def test_a_refresh_finds_what_others_changed_and_the_next_update_sets_it_right(stack: Stack) -> None:
    stack.program("""
Object("test.example/v1:Widget", "one", {
    "metadata": meta("one", annotations={"pulumi.com/patchForce": "true"}, labels={"tier": "a"}),
    "spec": {"size": 1, "parts": [{"name": "lid", "colour": "red"}, {"name": "box", "colour": "blue"}]}})
""")
    stack.up()
    change = {
        "metadata": {"labels": {"tier": "b"}},
        "spec": {"size": 7, "parts": [{"name": "lid", "colour": "red"}, {"name": "box", "colour": "green"}]},
    }
    stack.client.patch("test.example/v1", "Widget", "one", change, stack.namespace)

    assert stack.refresh("--expect-no-changes", fails=True)
    assert stack.refresh().changes == {"same": 1}, "the state knows the drift by now"
    inputs = stack.resources()["one"]["inputs"]
    assert inputs["spec"] == change["spec"]
    assert inputs["metadata"]["labels"] == {"tier": "b"}

    assert stack.preview().changes == {"update": 1}
    assert stack.up().changes == {"update": 1}
    found = stack.get("Widget", "one", "test.example/v1")
    assert found["spec"]["size"] == 1
    assert found["spec"]["parts"][1]["colour"] == "blue"
    assert found["metadata"]["labels"] == {"tier": "a"}


def test_what_nobody_declared_is_no_drift(stack: Stack) -> None:
    stack.program("Object('test.example/v1:Widget', 'one', {'metadata': meta('one'), 'spec': {'size': 1}})")
    stack.up()
    change = {"metadata": {"labels": {"theirs": "1"}}, "spec": {"colour": "red"}}
    stack.client.patch("test.example/v1", "Widget", "one", change, stack.namespace)
    stack.client.patch(
        "test.example/v1",
        "Widget",
        "one",
        {"status": {"phase": "Fine"}},
        stack.namespace,
        subresource="/status",
    )

    assert stack.refresh("--expect-no-changes").changes == {"same": 1}
    assert stack.up().changes == {"same": 1}
    assert stack.get("Widget", "one", "test.example/v1")["spec"] == {"size": 1, "colour": "red"}


def test_a_field_that_another_manager_took_is_a_conflict_unless_forced(stack: Stack) -> None:
    widget = "Object('test.example/v1:Widget', 'one', {'metadata': meta('one'%s), 'spec': {'size': %d}})"
    stack.program(widget % ("", 1))
    stack.up()
    stack.client.patch("test.example/v1", "Widget", "one", {"spec": {"size": 7}}, stack.namespace)

    stack.program(widget % ("", 2))
    outcome = stack.up(fails=True)
    assert "conflict" in outcome.text.lower()
    assert "onprem-coding-agents" in outcome.text, "the other manager is named"
    assert ".spec.size" in outcome.text

    stack.program(widget % (", annotations={'pulumi.com/patchForce': 'true'}", 2))
    stack.up()
    assert stack.get("Widget", "one", "test.example/v1")["spec"]["size"] == 2


def test_an_object_deleted_behind_the_stack_comes_back_after_a_refresh(stack: Stack) -> None:
    stack.program("config_map('settings', {'a': '1'})")
    stack.up()
    stack.client.delete("v1", "ConfigMap", "settings", stack.namespace)

    assert stack.up("--refresh").changes == {"create": 1}
    assert stack.get("ConfigMap", "settings")["data"] == {"a": "1"}


def test_defaults_of_an_admission_plugin_are_no_drift(stack: Stack) -> None:
    stack.client.create(
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "defaults", "namespace": stack.namespace},
            "spec": {
                "limits": [{"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}}]
            },
        }
    )
    stack.program("""
Object("core/v1:Pod", "one", {"metadata": meta("one", annotations={"pulumi.com/skipAwait": "true"}),
    "spec": {"containers": [{"name": "c", "image": "c:1", "resources": {"limits": {"memory": "1Gi"}}}]}})
""")
    stack.up()
    resources = stack.get("Pod", "one")["spec"]["containers"][0]["resources"]
    assert resources["limits"] == {"cpu": "1", "memory": "1Gi"}

    assert stack.refresh("--expect-no-changes").changes == {"same": 1}
    assert stack.up().changes == {"same": 1}


@pytest.mark.parametrize("named", ["one", "two"])
def test_an_existing_object_is_imported_by_the_program(
    stack: Stack, foreign: Callable[..., None], named: str
) -> None:
    foreign("ConfigMap", named, data={"a": "1"}, immutable=False)
    program = "config_map('settings', {'a': '1'}, meta(%r)%s)"
    stack.program(program % (named, f", import_=NAMESPACE + '/{named}'"))

    assert stack.up().changes == {"import": 1, "update": 1}, "the provider takes its fields over at once"
    assert stack.resources()["settings"]["id"] == f"{stack.namespace}/{named}"

    stack.program(program % (named, ""))
    stack.up()
    assert stack.up().changes == {"same": 1}
    assert stack.destroy().changes == {"delete": 1}
    assert stack.find("ConfigMap", named) is None
