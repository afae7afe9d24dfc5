"""What a stack declares, in parts: objects that one component declares together, and what must exist before them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from onprem_agents.manifests.meta import Manifest

ComponentName = Literal[
    "CodingPlatform", "GpuNodePool", "GatewayAuth", "InferenceService", "TranslationProxy", "ExternalIngress"
]
"""The component class that declares a bundle."""

Group = Literal[
    "namespace",
    "pool",
    "network",
    "server-keys",
    "developer-keys",
    "model-files",
    "model-cache",
    "model-server",
    "model-budget",
    "proxy",
    "key-check",
    "listener",
    "guard",
    "gateway",
    "routes",
    "operator",
    "admission",
]
"""What the objects of a bundle are for; a group that goes with a role comes once for each."""

StackSecret = Literal["serverKey", "developerKeys"]


@dataclass(frozen=True, kw_only=True)
class KeyValue:
    """One value of a Secret: a key of the stack's secrets, with what stands before it.

    A developer has one key or two; `position` says which of them is meant.
    """

    source: StackSecret
    developer: str | None = None
    position: int = 0
    prefix: str = ""

    @property
    def marker(self) -> str:
        """What is shown instead. It differs for each key, as keys do: Envoy Gateway refuses equal ones."""
        of = self.source if self.developer is None else f"{self.source}: {self.developer}"
        return f"<from the stack's secret {of}>"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """An object that the stack owns."""

    manifest: Manifest
    replace_on_changes: tuple[str, ...] = ()
    """Properties that the API server lets nobody change. The name stays, so the old object must go first."""
    label: str | None = None
    """The end of its resource's name where that is not its own; a state knows it by this."""

    @property
    def resource_label(self) -> str:
        """The end of the name by which the engine's state knows it."""
        return self.label or str(self.manifest["metadata"]["name"])

    def shown(self) -> Manifest:
        """Return it in wire format, without any key."""
        return self.manifest


@dataclass(frozen=True, kw_only=True)
class DeclaredPatch(Declared):
    """Fields of an object that somebody else owns: they are taken back when the stack goes."""


@dataclass(frozen=True, kw_only=True)
class DeclaredSecret(Declared):
    """A Secret whose values exist only inside the engine."""

    values: Mapping[str, KeyValue]

    def shown(self) -> Manifest:
        """Return it with a marker where a first key stands; whether there is a second one only the engine knows."""
        markers = {name: value.marker for name, value in self.values.items() if value.position == 0}
        return self.manifest | {"stringData": markers}


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Objects that are declared together. What a group of `after` holds for another role is not waited for."""

    group: Group
    component: ComponentName
    role: str | None = None
    objects: tuple[Declared, ...]
    after: tuple[Group, ...] = ()


def plain(manifests: Iterable[Manifest]) -> tuple[Declared, ...]:
    """Return objects that are declared as they are."""
    return tuple(Declared(manifest=manifest) for manifest in manifests)
