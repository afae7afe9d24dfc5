"""What Pulumi writes of a program is read as the engine shows it to the pack. Shapes as CLI 3.259 printed them."""

from __future__ import annotations

import pytest

from policy.documents import NotReadable, resources_in
from policy.graph import UNKNOWN, Value

pytestmark = pytest.mark.policy

# A plain program's preview was run with the real engine (2026-11); these are its sentinels.
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
URN = "urn:pulumi:test::theirs::kubernetes:apps/v1:Deployment::vllm"
TYPE = "kubernetes:apps/v1:Deployment"


def inputs(**changes: Value) -> dict[str, Value]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "vllm"}, **changes}


def step(op: str = "create", **changes: Value) -> dict[str, Value]:
    state = {"urn": URN, "type": TYPE, "inputs": inputs(**changes), "dependencies": ["urn:other"]}
    return {"op": op, "urn": URN, "newState": state}


def preview(*steps: Value, **changes: Value) -> dict[str, Value]:
    return {"steps": list(steps), "changeSummary": {}, **changes}


def test_a_preview_shows_what_the_program_declares() -> None:
    (found,) = resources_in(preview(step())) or ()

    assert (found.urn, found.type, found.name, found.kind) == (URN, TYPE, "vllm", "Deployment")
    assert found.props == inputs()
    assert found.dependencies == ("urn:other",)


@pytest.mark.parametrize("value", [UNKNOWN_TEXT, f"http://{UNKNOWN_TEXT}/v1", "[secret]", SECRET])
def test_what_is_not_known_yet_and_what_is_secret_is_unknown(value: Value) -> None:
    (found,) = resources_in(preview(step(spec={"args": ["--model", value]}))) or ()

    assert found.props["spec"]["args"] == ["--model", UNKNOWN]


@pytest.mark.parametrize(
    "op", ["delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"]
)
def test_what_goes_is_not_declared(op: str) -> None:
    assert resources_in(preview(step(op))) == ()


def test_a_replacement_is_one_resource() -> None:
    steps = (step("create-replacement"), step("replace"), step("delete-replaced"))

    assert len(resources_in(preview(*steps)) or ()) == 1


def test_a_preview_that_failed_is_not_taken_for_the_whole() -> None:
    failed = preview(step(), diagnostics=[{"severity": "error", "message": "error: boom\ntrace"}])

    with pytest.raises(NotReadable, match=r"ended in an error \(error: boom\)"):
        resources_in(failed)


def test_a_preview_that_leaves_out_what_stays_is_not_taken_for_the_whole() -> None:
    with pytest.raises(NotReadable, match=r"leaves out 5 resources.*--show-sames"):
        resources_in(preview(step("same"), changeSummary={"same": 6}))


def test_an_exported_state_is_what_is_deployed() -> None:
    gone = {"urn": URN, "type": TYPE, "delete": True, "inputs": inputs()}
    state = {"version": 3, "deployment": {"resources": [step()["newState"], gone]}}
    (found,) = resources_in(state) or ()

    assert found.props == inputs()


def test_a_stack_that_holds_nothing_declares_nothing() -> None:
    assert resources_in({"version": 3, "deployment": {"resources": []}}) == ()


def test_an_update_plan_shows_new_resources_by_their_state_and_changed_ones_by_their_inputs() -> None:
    goal = {"type": TYPE, "name": "vllm", "dependencies": []}
    created = {"goal": goal, "steps": ["create"], "state": inputs()}
    changed = {"goal": goal, "steps": ["update"], "state": {"__inputs": inputs(), "status": {"replicas": 1}}}
    deleted = {"goal": None, "steps": ["delete"], "state": None}
    found = resources_in({"resourcePlans": {URN: created, f"{URN}2": changed, f"{URN}3": deleted}}) or ()

    assert [resource.props for resource in found] == [inputs(), inputs()]


@pytest.mark.parametrize(
    "document", [None, "text", [], {}, {"services": {"a": {}}}, {"kind": "x"}, {"steps": [1]}], ids=str
)
def test_what_declares_nothing_is_none(document: Value) -> None:
    assert resources_in(document) is None
