"""Create, preview, update, replace and delete: the everyday life of an object."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.provider.stack import Stack


def test_a_preview_creates_nothing_and_shows_what_the_server_would_make(stack: Stack) -> None:
    stack.program("""
service = Object("core/v1:Service", "web", {
    "metadata": meta("web"), "spec": {"ports": [{"port": 80}], "clusterIP": "None"}})
config_map("seen", {"protocol": service["spec"]["ports"][0]["protocol"], "uid": service["metadata"]["uid"]})
""")

    preview = stack.preview()

    assert preview.changes == {"create": 2}
    assert stack.find("Service", "web") is None
    assert '"protocol": "TCP"' in preview.text, "a dry run knows the server's default"
    assert stack.find("ConfigMap", "seen") is None


def test_an_object_is_created_as_declared_and_a_second_update_changes_nothing(stack: Stack) -> None:
    stack.program(
        "config_map('settings', {'colour': 'green', 'empty': ''}, meta('settings', labels={'app': 'x'}))"
    )

    assert stack.up().changes == {"create": 1}
    found = stack.get("ConfigMap", "settings")
    assert found["data"] == {"colour": "green", "empty": ""}
    assert found["metadata"]["labels"] == {"app": "x"}

    assert stack.up().changes == {"same": 1}
    assert stack.preview("--expect-no-changes").changes == {"same": 1}


def test_whole_numbers_arrive_as_integers(stack: Stack) -> None:
    stack.program("""
Object("test.example/v1:Widget", "numbers", {
    "metadata": meta("numbers"), "spec": {"port": 8080, "share": 0.5, "big": 9007199254740991}})
""")

    stack.up()

    spec = stack.get("Widget", "numbers", "test.example/v1")["spec"]
    assert spec == {"port": 8080, "share": 0.5, "big": 9007199254740991}
    assert [type(spec[key]) for key in ("port", "share", "big")] == [int, float, int]


def test_an_update_happens_in_place_and_drops_what_is_no_longer_declared(stack: Stack) -> None:
    widget = """
Object("test.example/v1:Widget", "one", {"metadata": meta("one", labels=%r), "spec": %r})
"""
    stack.program(widget % ({"a": "1", "b": "2"}, {"size": 1, "colour": "red"}))
    stack.up()
    before = stack.get("Widget", "one", "test.example/v1")

    stack.program(widget % ({"a": "1"}, {"size": 2}))
    assert stack.preview().changes == {"update": 1}
    assert stack.get("Widget", "one", "test.example/v1")["spec"]["size"] == 1, "a preview changes nothing"
    assert stack.up().changes == {"update": 1}

    after = stack.get("Widget", "one", "test.example/v1")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"] == {"size": 2}
    assert after["metadata"]["labels"] == {"a": "1"}
    assert stack.up().changes == {"same": 1}


def test_an_immutable_field_replaces_the_object(stack: Stack) -> None:
    binding = """
Object("rbac.authorization.k8s.io/v1:RoleBinding", "reads", {
    "metadata": meta("reads"),
    "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": NAMESPACE}],
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": %r}})
"""
    api = "rbac.authorization.k8s.io/v1"
    stack.program(binding % "view")
    stack.up()
    before = stack.get("RoleBinding", "reads", api)

    stack.program(binding % "edit")
    outcome = stack.up()

    after = stack.get("RoleBinding", "reads", api)
    assert after["roleRef"]["name"] == "edit"
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert outcome.changes.get("replace") == 1


def test_a_config_map_is_replaced_unless_the_provider_may_change_it(stack: Stack) -> None:
    stack.program("config_map('settings', {'a': '1'})")
    stack.up()
    first = stack.get("ConfigMap", "settings")["metadata"]["uid"]

    stack.program("config_map('settings', {'a': '2'})")
    stack.up()
    second = stack.get("ConfigMap", "settings")["metadata"]["uid"]
    assert second != first, "the official provider treats ConfigMaps as immutable by default"

    stack.config("kubernetes:enableConfigMapMutable", "true")
    stack.program("config_map('settings', {'a': '3'})")
    stack.up()
    third = stack.get("ConfigMap", "settings")
    assert third["metadata"]["uid"] == second
    assert third["data"] == {"a": "3"}


def test_a_delete_waits_until_the_object_is_gone(stack: Stack) -> None:
    stack.program("config_map('held', {'a': '1'}, meta('held', finalizers=['test.example/hold']))")
    stack.up()
    process = stack.start("destroy", "--yes", "--skip-preview")
    while not stack.get("ConfigMap", "held")["metadata"].get("deletionTimestamp"):
        assert process.poll() is None, "the destroy ended before it began"
        time.sleep(0.1)
    time.sleep(2)
    assert process.poll() is None, "the finalizer still holds the object"

    stack.client.patch("v1", "ConfigMap", "held", {"metadata": {"finalizers": None}}, stack.namespace)
    text, _ = process.communicate(timeout=60)

    assert process.returncode == 0, text
    assert stack.find("ConfigMap", "held") is None


def test_a_delete_that_takes_too_long_fails_and_keeps_the_object_in_the_state(stack: Stack) -> None:
    stack.program("""
config_map("held", {"a": "1"}, meta("held", finalizers=["test.example/hold"]),
    custom_timeouts=pulumi.CustomTimeouts(delete="2s"))
""")
    stack.up()

    outcome = stack.destroy(fails=True)

    assert "held" in outcome.text
    assert "held" in stack.resources()
    stack.client.patch("v1", "ConfigMap", "held", {"metadata": {"finalizers": None}}, stack.namespace)
    assert stack.destroy().changes == {"delete": 1}


def test_deleting_what_is_gone_already_is_no_error(stack: Stack) -> None:
    stack.program("config_map('settings', {'a': '1'})")
    stack.up()
    stack.client.delete("v1", "ConfigMap", "settings", stack.namespace)

    assert stack.destroy().changes == {"delete": 1}


def test_what_exists_already_is_taken_over(stack: Stack, foreign: Callable[..., None]) -> None:
    foreign("ConfigMap", "settings", data={"theirs": "1"})
    uid = stack.get("ConfigMap", "settings")["metadata"]["uid"]
    stack.program("config_map('settings', {'ours': '1'})")

    assert stack.up().changes == {"create": 1}

    found = stack.get("ConfigMap", "settings")
    assert found["metadata"]["uid"] == uid, "a create that a killed engine had begun doubles nothing"
    assert found["data"]["ours"] == "1"
    assert stack.up().changes == {"same": 1}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"kind": "Service", "spec": {"ports": [{"port": 99999}]}},
            ["Service", "web", "spec.ports[0].port", "must be between 1 and 65535"],
        ),
        ({"kind": "Pod", "spec": {"containers": []}}, ["Pod", "web", "spec.containers", "Required value"]),
    ],
    ids=["invalid value", "missing field"],
)
def test_an_error_names_the_object_and_the_servers_reason(
    stack: Stack, body: dict[str, object], words: list[str]
) -> None:
    kind = body.pop("kind")
    body["metadata"] = {"name": "web", "namespace": stack.namespace} | dict(body.get("metadata") or {})  # type: ignore[call-overload]
    limit = "custom_timeouts=pulumi.CustomTimeouts(create='2s')"
    stack.program(f"Object('core/v1:{kind}', 'web', {body!r}, {limit})")

    outcome = stack.up(fails=True)

    for word in words:
        assert word in outcome.text
    assert "Traceback" not in outcome.text


def test_a_namespace_and_its_content_need_no_order(stack: Stack) -> None:
    stack.program("""
late = NAMESPACE[:40] + "-late"
inside = Object("core/v1:ConfigMap", "inside", {"metadata": {"name": "inside", "namespace": late}, "data": {"a": "1"}})
Object("core/v1:Namespace", "late", {"metadata": {"name": late}})
""")

    assert stack.preview().changes == {"create": 2}, "a namespace of the same update is no error in a preview"
    assert stack.up().changes == {"create": 2}
    stack.destroy()


def test_outputs_of_one_object_feed_another_and_are_unknown_before_it_exists(stack: Stack) -> None:
    stack.program("""
one = config_map("one", {"a": "1"})
config_map("two", {"uid": one["metadata"]["uid"]})
""")

    assert stack.preview().changes == {"create": 2}
    stack.up()

    uid = stack.get("ConfigMap", "one")["metadata"]["uid"]
    assert stack.get("ConfigMap", "two")["data"] == {"uid": uid}


def test_changes_that_the_program_ignores_are_left_to_others(stack: Stack) -> None:
    program = """
Object("test.example/v1:Widget", "one", {"metadata": meta("one"), "spec": {"replicas": 1, "size": %d}},
    ignore_changes=["spec.replicas"])
"""
    stack.program(program % 1)
    stack.up()
    body = {"spec": {"replicas": 5}}
    stack.client.patch("test.example/v1", "Widget", "one", body, stack.namespace)

    stack.program(program % 2)
    stack.up()

    assert stack.get("Widget", "one", "test.example/v1")["spec"] == {"replicas": 5, "size": 2}


def test_the_sdks_own_classes_work(stack: Stack) -> None:
    stack.program("""
from pulumi_kubernetes.core.v1 import ConfigMap, Secret

ConfigMap("typed", metadata={"name": "typed", "namespace": NAMESPACE}, data={"a": "1"})
Secret("typed-key", metadata={"name": "typed-key", "namespace": NAMESPACE}, string_data={"k": "v"})
""")

    assert stack.up().changes == {"create": 2}
    assert stack.get("Secret", "typed-key")["data"] == {"k": "dg=="}
    assert stack.up().changes == {"same": 2}
