"""The bundles of one stack on their way to the engine: what is declared, by whom, and after what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from onprem_agents.manifests import Bundle, Declared, DeclaredPatch, DeclaredSecret, KeyValue
from onprem_agents.manifests.bundle import ComponentName, Group

from .kubernetes_object import KubernetesObject

KeyData = Callable[[KeyValue], "pulumi.Output[str] | None"]
"""How a component finds a key; None for a second one that nobody has."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What is to be declared, and the resources that were made of it so far."""

    bundles: Sequence[Bundle]
    _made: dict[tuple[Group, str | None], list[KubernetesObject]] = field(default_factory=dict, init=False)

    def has(self, component: ComponentName) -> bool:
        """Return whether a component has anything to declare."""
        return any(bundle.component == component for bundle in self.bundles)

    def declare(
        self,
        parent: pulumi.ComponentResource,
        name: str,
        *,
        role: str | None = None,
        key_data: KeyData | None = None,
    ) -> None:
        """Declare the bundles of a component, in their order, as its children."""
        component = type(parent).__name__
        for bundle in self.bundles:
            if bundle.component == component and bundle.role == role:
                options = pulumi.ResourceOptions(parent=parent, depends_on=self._before(bundle))
                self._made[bundle.group, bundle.role] = [
                    KubernetesObject(
                        f"{name}-{each.resource_label}",
                        _inputs(each, key_data),
                        options,
                        patch=isinstance(each, DeclaredPatch),
                    )
                    for each in bundle.objects
                ]

    def _before(self, bundle: Bundle) -> list[pulumi.Resource]:
        """Return what must exist before a bundle; a `KeyError` means that components are made in a wrong order."""
        return [
            resource
            for other in self.bundles
            if other.group in bundle.after and other.role in (None, bundle.role)
            for resource in self._made[other.group, other.role]
        ]


def _inputs(declared: Declared, key_data: KeyData | None) -> Mapping[str, Any]:
    """Return the object with a Secret's values in `data`.

    In `stringData` a server-side apply would never remove a key that is gone: a developer's old key would stay
    beside the new one, equal to it, and Envoy Gateway 1.9 then answers 500 to all.
    """
    if not isinstance(declared, DeclaredSecret):
        return declared.manifest
    if key_data is None:
        raise TypeError(f"{declared.resource_label} is a Secret, and its component knows no key")
    data = {name: key_data(value) for name, value in declared.values.items()}
    return declared.manifest | {"data": {name: each for name, each in data.items() if each is not None}}
