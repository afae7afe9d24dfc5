"""The one list: every bundle in its place, and no edge that a deployment's safety needs is missing."""

from __future__ import annotations

import pytest

from onprem_agents.manifests import Bundle, DeclaredSecret, bundles, render
from onprem_agents.plan import PlatformPlan
from tests.unit.manifest_samples import planned
from tests.unit.test_manifests_render import STACKS

every_stack = pytest.mark.parametrize("plan", STACKS.values(), ids=STACKS)


def listed(plan: PlatformPlan) -> tuple[Bundle, ...]:
    return bundles(plan)


@every_stack
def test_a_bundle_stands_once_holds_something_and_comes_after_what_it_waits_for(plan: PlatformPlan) -> None:
    seen: list[tuple[str, str | None]] = []
    groups = {bundle.group for bundle in listed(plan)}
    for bundle in listed(plan):
        assert bundle.objects
        assert (bundle.group, bundle.role) not in seen
        for group in groups & set(bundle.after):
            assert (group, None) in seen or (group, bundle.role) in seen
        seen.append((bundle.group, bundle.role))


@every_stack
def test_everything_but_the_namespace_waits_for_it(plan: PlatformPlan) -> None:
    first, *others = listed(plan)

    assert first.group == "namespace"
    assert first.after == ()
    assert all("namespace" in bundle.after for bundle in others)


@every_stack
def test_pods_wait_for_walls_and_keys_and_routes_for_the_key_check(plan: PlatformPlan) -> None:
    after = {bundle.group: set(bundle.after) for bundle in listed(plan)}

    assert after["model-server"] >= {"network", "server-keys", "pool"}
    assert after.get("proxy", {"network", "server-keys"}) >= {"network", "server-keys"}
    assert after["key-check"] >= {"server-keys", "developer-keys"}
    assert after["routes"] >= {"key-check"}, "no moment may see an open route"


@every_stack
def test_nothing_but_its_own_role_waits_for_a_model_that_loads(plan: PlatformPlan) -> None:
    assert all("model-server" not in bundle.after for bundle in listed(plan)), "the better part of an hour"


@every_stack
def test_what_is_rendered_is_the_list_and_no_secret_is_plain(plan: PlatformPlan) -> None:
    objects = [each for bundle in listed(plan) for each in bundle.objects]

    assert [each.shown() for each in objects] == render(plan)
    assert {isinstance(each, DeclaredSecret) for each in objects if each.manifest["kind"] == "Secret"} == {
        True
    }


def test_a_second_key_is_named_and_not_shown_for_only_the_engine_knows_whether_there_is_one() -> None:
    (alice,) = (
        each
        for bundle in listed(planned())
        for each in bundle.objects
        if isinstance(each, DeclaredSecret) and each.manifest["metadata"]["name"] == "key-alice"
    )

    assert {name: (value.developer, value.position) for name, value in alice.values.items()} == {
        "alice": ("alice", 0),
        "alice.B": ("alice", 1),
    }
    assert set(alice.shown()["stringData"]) == {"alice"}
