"""Bundles on their way to the engine: what is declared, by whom, and after what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from onprem_agents.manifests import Bundle, Declared, DeclaredPatch, DeclaredSecret
from onprem_agents.manifests.bundle import Group

from .component import Component
from .keys import Keys
from .kubernetes_object import KubernetesObject


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What is to be declared, and the resources that were made of it so far."""

    bundles: Sequence[Bundle]
    keys: Keys
    after: tuple[pulumi.Output[Any], ...] = ()
    """What all of it waits for: the resources behind the arguments, and the check of the keys."""
    _made: dict[tuple[Group, str | None], list[KubernetesObject]] = field(default_factory=dict, init=False)

    def declare(self, parent: Component, name: str, *, role: str | None = None) -> None:
        """Declare the bundles of a component, in their order, as its children."""
        component = type(parent).__name__
        for bundle in self.bundles:
            if bundle.component == component and bundle.role == role:
                options = parent.child_options([*self._before(bundle), *self.after])
                self._made[bundle.group, bundle.role] = [
                    KubernetesObject(
                        f"{name}-{each.resource_label}",
                        self._inputs(each),
                        _of_object(each, options),
                        patch=isinstance(each, DeclaredPatch),
                    )
                    for each in bundle.objects
                ]

    def made(self) -> pulumi.Output[None]:
        """Return an Output of nothing: known at once, and whatever takes it comes after the objects so far."""
        nothing: pulumi.Output[None] = pulumi.Output.from_input(None)
        objects: set[pulumi.Resource] = {resource for made in self._made.values() for resource in made}
        return pulumi.Output(objects, nothing.future(), nothing.is_known())

    def last_urn(self) -> pulumi.Output[str]:
        """Return the URN of the last object, as soon as all of them are there; empty where there is none."""
        urns = [resource.urn for made in self._made.values() for resource in made]
        return pulumi.Output.all(*urns).apply(lambda found: str(found[-1]) if found else "")

    def _before(self, bundle: Bundle) -> list[pulumi.Resource]:
        """Return what must exist before a bundle; a `KeyError` means that components are made in a wrong order."""
        return [
            resource
            for other in self.bundles
            if other.group in bundle.after and other.role in (None, bundle.role)
            for resource in self._made[other.group, other.role]
        ]

    def _inputs(self, declared: Declared) -> Mapping[str, Any]:
        """Return the object with a Secret's values in `data`.

        In `stringData` a server-side apply would never remove a key that is gone: a developer's old key would stay
        beside the new one, equal to it, and Envoy Gateway 1.9 then answers 500 to all.
        """
        if not isinstance(declared, DeclaredSecret):
            return declared.manifest
        return declared.manifest | {"data": self.keys.data(declared)}


def _of_object(declared: Declared, options: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Return the options of an object: where the API server lets nobody change something, the object is made anew."""
    if not declared.replace_on_changes:
        return options
    anew = pulumi.ResourceOptions(
        replace_on_changes=list(declared.replace_on_changes), delete_before_replace=True
    )
    return pulumi.ResourceOptions.merge(options, anew)
