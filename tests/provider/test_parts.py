"""The stand-in's pure parts, where a wrong answer would be hard to see from outside."""

from __future__ import annotations

from typing import Any

import pytest

from embedded.plugins.kubernetes import conditions, directives, ownership
from embedded.plugins.kubernetes.changes import Change, as_found, compare, without_effect
from embedded.plugins.kubernetes.immutable import covers, refused_fields
from embedded.plugins.kubernetes.paths import MISSING, Path, look_up, parse, spell
from embedded.plugins.kubernetes.quantities import same_quantity
from embedded.plugins.kubernetes.secrecy import redact, secret_paths, secret_texts
from embedded.plugins.kubernetes.wire import UNKNOWN, Properties, decode, encode, has_unknowns


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("spec.replicas", ("spec", "replicas")),
        ("spec.containers[0].image", ("spec", "containers", 0, "image")),
        ('metadata.annotations["a.b/c"]', ("metadata", "annotations", "a.b/c")),
        ('data["say \\"hi\\"."]', ("data", 'say "hi".')),
    ],
)
def test_a_path_is_spelled_as_pulumi_spells_it(text: str, path: Path) -> None:
    assert parse(text) == path
    assert spell(path) == text


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("1000m", "1", True),
        (2, "2", True),
        ("1024Mi", "1Gi", True),
        ("0.5", "500m", True),
        ("1G", "1Gi", False),
        ("one", "one", False),
        ("1", "2", False),
        (True, "1", False),
    ],
)
def test_quantities_are_compared_by_amount(left: Any, right: Any, same: bool) -> None:
    assert same_quantity(left, right) is same


def test_properties_survive_the_wire_with_secrets_unknowns_and_integers() -> None:
    value = {"a": 1, "b": 0.5, "c": [True, "x", {"d": UNKNOWN}], "e": {}, "x-kubernetes-map-type": "atomic"}
    secrets: frozenset[Path] = frozenset({("c", 1), ("e",)})

    back = decode(encode(value, secrets))

    assert back == Properties(value=value, secrets=secrets)
    assert type(back.value["a"]) is int
    assert has_unknowns(back.value)


def test_a_changed_list_item_is_one_change_and_a_shorter_list_a_deletion() -> None:
    old = {"ports": [{"port": 1}, {"port": 2}], "gone": 1}
    new = {"ports": [{"port": 9}], "new": {"x": 1}}

    assert list(compare(old, new)) == [
        Change(path=("gone",), kind="delete"),
        Change(path=("new",), kind="add"),
        Change(path=("ports", 0, "port"), kind="update"),
        Change(path=("ports", 1), kind="delete"),
    ]


def test_a_default_of_the_server_that_is_no_longer_declared_has_no_effect() -> None:
    server = {"spec": {"replicas": 1, "ports": [{"port": 80, "protocol": "TCP"}]}}

    def effect(path: Path, kind: Any, after: dict[str, Any]) -> bool:
        return not without_effect(Change(path=path, kind=kind), server, after)

    assert not effect(("spec", "replicas"), "delete", server)
    assert not effect(("spec", "ports", 0, "protocol"), "delete", server)
    assert effect(("spec", "replicas"), "update", {"spec": {"replicas": 2}})
    assert effect(("stringData", "key"), "update", server), "what the server never shows always counts"


@pytest.mark.parametrize(
    ("declared", "live", "found"),
    [
        ({"cpu": "1000m"}, {"cpu": "1"}, {"cpu": "1000m"}),
        ({"a": 1, "b": 2}, {"a": 1}, {"a": 1}),
        (
            [{"name": "b", "v": 1}],
            [{"name": "a", "v": 9}, {"name": "b", "v": 1, "x": 0}],
            [{"name": "b", "v": 1}],
        ),
        ([{"name": "b", "v": 1}], [{"name": "a", "v": 9}, {"name": "b", "v": 2}], [{"name": "b", "v": 2}]),
        (["mine"], ["mine", "theirs"], ["mine"]),
        (["mine"], ["theirs"], ["theirs"]),
    ],
    ids=["same amount", "removed", "others add items", "an item changed", "others add values", "replaced"],
)
def test_declared_values_are_read_back_as_declared_unless_they_drifted(
    declared: Any, live: Any, found: Any
) -> None:
    assert as_found(declared, declared, live) == found


def test_what_the_server_rewrites_is_no_drift() -> None:
    declared = {"mode": "RawDeployment", "list": [{"image": "x"}]}
    rewritten = {"mode": "Standard", "list": [{"image": "x", "name": "added"}]}

    assert as_found(declared, rewritten, rewritten) == declared


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            'Service "x" is invalid: spec.clusterIP: Invalid value: "1": field is immutable',
            ("spec.clusterIP",),
        ),
        ('PriorityClass "a" is invalid: value: Forbidden: may not be changed in an update.', ("value",)),
        (
            (
                'Job "t" is invalid: [spec.completions: Invalid value: 2: field is immutable,'
                ' spec.template: Invalid value: {"a":{"b":1}}: field is immutable]'
            ),
            ("spec.completions", "spec.template"),
        ),
        (
            (
                'StatefulSet "x" is invalid: spec: Forbidden: updates to statefulset spec for fields other than'
                " 'replicas' are forbidden"
            ),
            ("spec",),
        ),
        ('Service "w" is invalid: spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535', ()),
    ],
)
def test_immutable_fields_are_read_from_the_servers_message(message: str, fields: tuple[str, ...]) -> None:
    assert refused_fields(message) == fields


def test_a_field_covers_what_is_below_it_and_what_holds_it() -> None:
    fields = [("spec", "selector")]

    assert covers(fields, ("spec", "selector", "matchLabels"))
    assert covers(fields, ("spec",))
    assert not covers(fields, ("spec", "replicas"))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".status.phase", ["Running"]),
        (".status.conditions[0].type", ["Ready"]),
        (".status.conditions[-1].type", ["Done"]),
        ('.status.conditions[?(@.type=="Done")].status', ["False"]),
        (".status.conditions[*].status", ["True", "False"]),
        ("['status']['phase']", ["Running"]),
        (".status.nothing", []),
    ],
)
def test_a_json_path_selects(path: str, found: list[str]) -> None:
    live = {
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "Done", "status": "False"}],
        }
    }
    assert conditions.select(live, path) == found


def test_a_json_path_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot be read from '\[\[' on"):
        conditions.select({}, ".status[[")


def test_secret_texts_are_found_wherever_they_turn_up() -> None:
    source = Properties(value={"key": "s3cret-value", "open": "yes"}, secrets=frozenset({("key",)}))
    live = {"a": "prefix s3cret-value", "b": ["czNjcmV0LXZhbHVl"], "open": "yes", "key": "changed"}

    assert secret_paths(live, source) == {("a",), ("b", 0), ("key",)}
    assert redact('bad value "s3cret-value"', secret_texts(source)) == 'bad value "[secret]"'


def test_fields_of_clients_that_give_way_are_joined_with_ours() -> None:
    def entry(manager: str, operation: str, *names: str) -> dict[str, Any]:
        return {
            "manager": manager,
            "operation": operation,
            "fieldsV1": {"f:data": {f"f:{name}": {} for name in names}},
        }

    entries = [
        entry("kubectl", "Update", "a", "b"),
        entry("ours", "Apply", "b", "c"),
        entry("hpa", "Update", "d"),
    ]
    live = {"metadata": {"resourceVersion": "7", "managedFields": entries}}

    managers, version = ownership.taken_over(live, "ours")

    assert managers["value"] == [entry("hpa", "Update", "d"), entry("ours", "Apply", "a", "b", "c")]
    assert version["value"] == "7"


def test_a_field_manager_depends_on_the_urn_alone() -> None:
    urn = "urn:pulumi:test::project::kubernetes:core/v1:ConfigMap::settings"

    assert directives.field_manager({}, urn) == directives.field_manager({"data": {"a": "1"}}, urn)
    assert directives.field_manager({}, urn, "pulumi-kubernetes-old") == "pulumi-kubernetes-old"
    named = {"metadata": {"annotations": {"pulumi.com/patchFieldManager": "mine"}}}
    assert directives.field_manager(named, urn, "pulumi-kubernetes-old") == "mine"


def test_looking_for_what_is_not_there_is_no_error() -> None:
    assert look_up({"a": [1]}, ("a", 1)) is MISSING
    assert look_up({"a": [1]}, ("a", "b")) is MISSING
    assert look_up({"a": None}, ("a",)) is None
