"""The component package: the components for programs in any language, hosted by the SDK's own provider.

Arguments come in wire form. They are handed to the components as a Python program writes them, so that there is one
door for all; values stay what they are, and the components judge them.
"""

import json
import sys
from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

import pulumi
from pulumi.provider import ConstructResult, main
from pulumi.provider.experimental.analyzer import ComponentDefinition, PropertyDefinition
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.experimental.host import components_from_module
from pulumi.provider.server import ComponentInitError

from onprem_agents import __version__

from .component import PACKAGE
from .spelling import speak_as_package

# All that the folder exports; its name is another one where the package is installed.
COMPONENTS = tuple(components_from_module(sys.modules[__name__.rpartition(".")[0]]))


def serve() -> None:
    """Announce the provider on stdout and answer the engine until it hangs up."""
    speak_as_package()
    main(PackageProvider(), sys.argv[1:])


class PackageProvider(ComponentProvider):
    """The SDK's provider, with names turned at every depth and refusals told without a traceback.

    The SDK's own mapping (3.272, `provider/experimental/component.py`, read 2026-11) drops a nested value that is
    an Output, fails at a number that is one, and stops at the first argument that is missing.
    """

    def __init__(self) -> None:
        """Infer the schema from the components' types."""
        super().__init__(list(COMPONENTS), PACKAGE, version=__version__)
        self.schema = json.dumps(json.loads(str(self.schema), object_hook=_dedented))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Make a component. A refusal goes to the engine as it is, and is told by it without a traceback."""
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            raise error.inner from None

    def map_inputs(self, inputs: pulumi.Inputs, component_def: ComponentDefinition) -> pulumi.Inputs:
        """Return arguments as Python writes them; what is wrong, unknown or missing is for the component to tell."""
        return self._renamed(inputs, component_def.inputs, component_def.inputs_mapping)

    def get_state(
        self, instance: pulumi.ComponentResource, component_def: ComponentDefinition
    ) -> dict[str, Any]:
        """Return a component's attributes in wire form."""
        names = component_def.outputs_mapping
        attributes = {name: getattr(instance, name) for name in names.values()}
        return self._renamed(attributes, component_def.outputs, names, wire=True)

    def _renamed(
        self,
        values: Mapping[str, Any],
        definitions: Mapping[str, PropertyDefinition],
        python_names: Mapping[str, str],
        *,
        wire: bool = False,
    ) -> dict[str, Any]:
        """Return values with each name as Python writes it or, with `wire`, as the wire does."""
        found = {}
        wire_names = {each: name for name, each in python_names.items()}
        for name, value in values.items():
            wire_name = wire_names.get(name, name) if wire else name
            if value is not None:  # null is nothing said, as Pulumi reads it
                new_name = wire_name if wire else python_names.get(name, name)
                found[new_name] = self._value(value, definitions.get(wire_name), wire=wire)
        return found

    def _value(self, value: Any, definition: PropertyDefinition | None, *, wire: bool) -> Any:
        if definition is None:
            return value
        if isinstance(value, pulumi.Output):
            return value.apply(
                lambda known: self._value(known, definition, wire=wire), run_with_unknowns=True
            )
        if isinstance(value, Mapping) and definition.additional_properties is not None:
            inner = definition.additional_properties
            return {name: self._value(each, inner, wire=wire) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(each, definition.items, wire=wire) for each in value]
        kind = self.get_type_definition(definition) if definition.ref else None
        if isinstance(value, Mapping) and kind is not None:
            return self._renamed(value, kind.properties, kind.properties_mapping, wire=wire)
        return value


def _dedented(values: dict[str, Any]) -> dict[str, Any]:
    """Return an object of the schema with its text as it reads, without the indentation of a docstring."""
    text = values.get("description")
    return values | {"description": cleandoc(text)} if isinstance(text, str) else values
