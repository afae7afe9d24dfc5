"""The SDK's analyzer of component packages reads every component, and finds each property described."""

from __future__ import annotations

import pytest
from pulumi.provider.experimental.analyzer import Analyzer, PropertyDefinition
from pulumi.provider.experimental.component import ComponentProvider
from pydantic.alias_generators import to_camel

import components
from components.component import Component
from tests.components.component_samples import MINIMAL

PACKAGE = "onprem-coding-agents"
ALL = [found for name in components.__all__ if isinstance(found := getattr(components, name), type)]
COMPONENTS = [found for found in ALL if issubclass(found, Component)]


def test_the_package_exports_every_component_with_its_arguments() -> None:
    assert {found.__name__ for found in COMPONENTS} == set(MINIMAL)
    assert {f"{name}Args" for name in MINIMAL} <= set(components.__all__)


@pytest.mark.parametrize("component", COMPONENTS)
def test_at_most_five_arguments_are_required(component: type[Component]) -> None:
    found = Analyzer(PACKAGE).analyze([component])["component_definitions"][component.__name__]
    required = {name for name, each in found.inputs.items() if not each.optional}

    assert required == {to_camel(name) for name in MINIMAL[component.__name__]}
    assert len(required) <= 5


def test_every_property_of_every_component_and_type_is_described() -> None:
    result = Analyzer(PACKAGE).analyze(list(COMPONENTS))
    described: dict[str, PropertyDefinition] = {}
    for name, component in result["component_definitions"].items():
        assert component.description
        described |= {
            f"{name}.{key}": each for key, each in {**component.inputs, **component.outputs}.items()
        }
        assert component.outputs, name
    for name, found in result["type_definitions"].items():
        assert found.description
        described |= {f"{name}.{key}": each for key, each in found.properties.items()}

    assert [name for name, each in described.items() if not each.description] == []


def test_no_input_must_be_plain() -> None:
    result = Analyzer(PACKAGE).analyze(list(COMPONENTS))
    inputs = {
        f"{name}.{key}": each
        for name, component in result["component_definitions"].items()
        for key, each in component.inputs.items()
    }

    assert [name for name, each in inputs.items() if each.plain] == []


def test_the_sdk_hosts_all_of_them() -> None:
    provider = ComponentProvider(list(COMPONENTS), PACKAGE)

    assert all(f'"{PACKAGE}:index:{component.__name__}"' in str(provider.schema) for component in COMPONENTS)
