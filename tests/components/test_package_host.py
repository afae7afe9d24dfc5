"""What programs in other languages send reaches the components as Python writes it, and comes back in wire form."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.errors import InputPropertiesError
from pulumi.provider.experimental.component import ComponentProvider

from components import spelling
from components.component import PACKAGE
from components.package_host import PackageProvider
from components.sections import ARGUMENTS
from tests.components.recording import recorded

_EXAMPLES = Path(__file__).parents[2] / "examples"
PLATFORM = f"{PACKAGE}:index:CodingPlatform"


@pytest.fixture(scope="module")
def provider() -> PackageProvider:
    return PackageProvider()


@pytest.fixture(scope="module")
def schema(provider: PackageProvider) -> dict[str, Any]:
    return dict(json.loads(str(provider.schema)))


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse as in a process that hosts components."""
    monkeypatch.setattr(spelling, "_of_the_wire", True)


def arguments(**more: Any) -> dict[str, Any]:
    """Return a platform's arguments as the wire brings them: numbers as floats, names in camelCase."""
    return {
        "hardware": {"accelerator": "L40S", "gpusPerNode": 2.0, "nodes": 2.0, "nodeNames": ["a", "b"]},
        "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", "maxNumSeqs": 16.0}],
        "access": {
            "host": "agents.example.internal",
            "tls": {"secretName": "agents-tls"},
            "developers": {"alice_b": {"team": "payments"}},
        },
        "developerKeys": {"alice_b": "a" * 40},
        "serverKey": "s" * 40,
    } | more


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_every_argument_has_the_name_on_the_wire_that_the_settings_have(
    schema: Mapping[str, Any], name: str
) -> None:
    resource = schema["resources"][f"{PACKAGE}:index:{name}"]
    described = ARGUMENTS[name]
    fields = described.section.model_fields.values()

    assert set(resource["inputProperties"]) == {
        *(str(field.alias) for field in fields),
        *(key.wire_name for key in described.keys),
    }
    assert set(resource["requiredInputs"]) == {
        *(str(field.alias) for field in fields if field.is_required()),
        *(key.wire_name for key in described.keys if key.required),
    }


def test_the_schema_says_what_things_are_without_the_indentation_of_code(schema: Mapping[str, Any]) -> None:
    told = [
        each["description"]
        for kind in {**schema["resources"], **schema["types"]}.values()
        for each in [kind, *kind.get("inputProperties", {}).values(), *kind["properties"].values()]
    ]

    assert [text for text in told if "\n " in text] == []
    assert any("\n" in text for text in told), "a long text has lines"


def test_names_are_turned_at_every_depth_and_those_that_the_user_chose_stay(
    provider: PackageProvider,
) -> None:
    found: Any = provider.map_inputs(arguments(), provider._component_defs["CodingPlatform"])

    assert found["hardware"]["gpus_per_node"] == 2
    assert found["models"][0]["max_num_seqs"] == 16
    assert found["access"]["tls"] == {"secret_name": "agents-tls"}
    assert found["access"]["developers"] == {"alice_b": {"team": "payments"}}


def test_names_are_turned_inside_outputs_which_the_sdk_alone_would_lose(provider: PackageProvider) -> None:
    definition = provider._component_defs["CodingPlatform"]
    inside = arguments(
        hardware=pulumi.Output.from_input({"gpusPerNode": 2.0, "nodes": pulumi.Output.from_input(2)})
    )

    alone = ComponentProvider.map_inputs(provider, inside, definition)
    found: Any = dict(provider.map_inputs(inside, definition))["hardware"]

    assert alone["hardware"] == {}
    assert asyncio.get_event_loop().run_until_complete(found.future()) == {"gpus_per_node": 2.0, "nodes": 2}


def test_null_is_nothing_said_and_what_no_component_knows_is_left_for_it_to_tell(
    provider: PackageProvider,
) -> None:
    found = provider.map_inputs(
        {"namespace": None, "nameSpace": "x"}, provider._component_defs["CodingPlatform"]
    )

    assert found == {"nameSpace": "x"}


def test_a_platform_is_made_and_its_attributes_go_back_in_wire_form(provider: PackageProvider) -> None:
    states = []

    recorder = recorded(lambda: states.append(provider.construct("platform", PLATFORM, arguments()).state))

    assert recorder.types()["platform"] == PLATFORM
    assert "platform-coder" in recorder.types()
    assert {"url", "anthropicUrl", "servedModels", "keySecrets"} <= set(states[0])


def test_the_example_in_yaml_gives_arguments_that_the_package_takes(provider: PackageProvider) -> None:
    """The file's own resource on mocks; that Pulumi's YAML host says it like this is tried on the cluster."""
    program = yaml.safe_load((_EXAMPLES / "yaml" / "Pulumi.yaml").read_text(encoding="utf-8"))
    config = {"port": 8443.0, "developerKeys": {"alice": "a" * 40, "bob": "b" * 40}, "serverKey": "s" * 40}
    states: list[dict[str, Any]] = []

    def declare() -> None:
        for name, resource in program["resources"].items():
            properties = filled(resource["properties"], config)
            package, _, noun = resource["type"].partition(":")
            states.append(dict(provider.construct(name, f"{package}:index:{noun}", properties).state))

    recorder = recorded(declare)

    assert set(config) <= set(program["config"])
    assert {f"${{platform.{name}}}" for name in states[0]} >= set(program["outputs"].values())
    (gateway,) = recorder.of_type("kubernetes:gateway.networking.k8s.io/v1:Gateway").values()
    assert gateway["spec"]["listeners"][0]["port"] == 8443


def filled(value: Any, config: Mapping[str, Any]) -> Any:
    """Return a value of a YAML program with its configuration in place of each `${name}`."""
    if isinstance(value, dict):
        return {name: filled(each, config) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, config) for each in value]
    if isinstance(value, str) and value.startswith("${"):
        return config[value[2:-1]]
    return float(value) if type(value) is int else value


def test_what_one_component_tells_in_wire_form_is_an_argument_of_the_next(provider: PackageProvider) -> None:
    server = {
        "role": "coder",
        "model": "Qwen/Qwen3.6-27B-FP8",
        "accelerator": "L40S",
        "gpusPerNode": 2.0,
        "namespace": "agents",
    }
    told: list[Any] = []

    def declare() -> pulumi.Output[Any]:
        coder = provider.construct("coder", f"{PACKAGE}:index:InferenceService", server).state["server"]
        ingress = {"host": "a.example", "tls": {"secretName": "t"}, "servers": [coder], "namespace": "agents"}
        provider.construct("way-in", f"{PACKAGE}:index:ExternalIngress", ingress)
        return pulumi.Output.from_input(coder).apply(told.append)

    recorder = recorded(declare)

    assert told[0]["name"] == "coder"
    assert told[0]["contextTokens"] > 0
    assert not any("_" in name for name in told[0])
    assert recorder.of_type("kubernetes:gateway.networking.k8s.io/v1:Gateway")


@pytest.mark.usefixtures("hosted")
def test_wrong_arguments_reach_the_engine_as_properties_with_their_places(provider: PackageProvider) -> None:
    wrong = arguments(hardware={"accelerator": "L4OS", "nodes": -1.0})

    with pytest.raises(InputPropertiesError) as refused:
        recorded(lambda: provider.construct("platform", PLATFORM, wrong))

    assert refused.value.message == "CodingPlatform 'platform' cannot be planned"
    details = refused.value.errors or []
    assert [each["property_path"] for each in details] == ["hardware.nodes", "hardware.accelerator"]
    assert "'L4OS'" in details[1]["reason"]
