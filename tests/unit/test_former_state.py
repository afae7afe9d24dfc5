"""States that another Kubernetes provider left: what is changed so that this machine's goes on with them."""

from __future__ import annotations

from typing import Any

from embedded.former_state import continued

PROVIDER = "urn:pulumi:local::project::pulumi:providers:kubernetes::"
OBJECT = "urn:pulumi:local::project::kubernetes:core/v1:ConfigMap::settings"


def _state(
    *, version: str = "4.34.2", provider: str = "default_4_34_2", inputs: bool = False
) -> dict[str, Any]:
    declared = {"data": {"a": "1"}}
    return {
        "version": 3,
        "deployment": {
            "resources": [
                {"urn": "urn:pulumi:local::project::pulumi:pulumi:Stack::s", "type": "pulumi:pulumi:Stack"},
                {
                    "urn": PROVIDER + provider,
                    "type": "pulumi:providers:kubernetes",
                    "inputs": {"version": version},
                    "outputs": {"version": version},
                },
                {
                    "urn": OBJECT,
                    "type": "kubernetes:core/v1:ConfigMap",
                    "inputs": declared,
                    "outputs": {**declared, **({"__inputs": declared} if inputs else {})},
                },
            ]
        },
    }


def _installed(*versions: str) -> Any:
    return lambda version: version in versions


def test_a_provider_that_is_not_installed_gives_way_to_the_one_that_is() -> None:
    state, done = continued(_state(inputs=True), "4.25.0", _installed("4.25.0"))

    provider = state["deployment"]["resources"][1]
    assert provider["inputs"]["version"] == provider["outputs"]["version"] == "4.25.0"
    assert done == ("the stack's Kubernetes provider is 4.25.0 now, for 4.34.2 is not installed",)


def test_a_provider_that_is_installed_stays() -> None:
    before = _state(inputs=True)

    assert continued(before, "4.25.0", _installed("4.25.0", "4.34.2")) == (before, ())


def test_a_provider_that_a_program_declares_is_the_programs_own_business() -> None:
    before = _state(provider="mine", inputs=True)

    assert continued(before, "4.25.0", _installed("4.25.0")) == (before, ())


def test_an_object_without_the_inputs_of_its_last_update_gets_them() -> None:
    before = _state(version="4.25.0")

    state, done = continued(before, "4.25.0", _installed())

    assert state["deployment"]["resources"][2]["outputs"]["__inputs"] == {"data": {"a": "1"}}
    assert done == ("added to 1 objects of the state what the official Kubernetes provider looks for",)
    assert before == _state(version="4.25.0"), "what was given is left as it is"
    assert continued(state, "4.25.0", _installed()) == (state, ())


def test_an_empty_stack_has_nothing_to_change() -> None:
    empty: dict[str, Any] = {"version": 3, "deployment": {}}

    assert continued(empty, "4.25.0", _installed()) == (empty, ())
