"""What the operations of one configured provider share."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

from embedded.kube import KubeWriter
from embedded.plugins.kubernetes.engine import Engine
from embedded.plugins.kubernetes.identity import Identity
from embedded.plugins.kubernetes.secrecy import redact
from embedded.plugins.kubernetes.settings import Settings
from embedded.plugins.kubernetes.waiting import Waiter
from embedded.plugins.kubernetes.wire import Object
from onprem_agents.cluster import ApiError
from onprem_agents.errors import ClusterError


@dataclass
class Memory:
    """What this process has seen of the stack, needed where one call does not tell enough."""

    uids: dict[str, str] = field(default_factory=dict)
    """By URN: the object that the state knows."""
    replaced: set[str] = field(default_factory=set)
    """URNs of which `Diff` said that they must be replaced."""
    taken_over: set[str] = field(default_factory=set)
    """Uids of objects that `Create` found and took over: what stands for them in the state is in use."""
    scopes: dict[tuple[str, str], bool] = field(default_factory=dict)
    """By group and kind: whether a CustomResourceDefinition of the program makes namespaced objects."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """Settings, client and the engine's ear of one configured provider."""

    settings: Settings
    client: KubeWriter
    engine: Engine
    cancelled: threading.Event
    memory: Memory = field(default_factory=Memory)

    @property
    def namespace(self) -> str:
        """The namespace of objects that name none."""
        return self.settings.namespace or self.client.namespace

    def waiter(self, urn: str, secrets: Iterable[str]) -> Waiter:
        """Return a waiter whose messages go to the line of `urn`."""
        texts = tuple(secrets)
        return Waiter(
            client=self.client,
            cancelled=self.cancelled,
            tell=lambda message: self.engine.status(urn, redact(message, texts)),
        )

    def namespaced(self, who: Identity) -> bool | None:
        """Whether objects of this kind live in a namespace; None when neither server nor program knows it."""
        try:
            return self.client.resource(who.api_version, who.kind).namespaced
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return self.memory.scopes.get((who.group, who.kind))

    def served(self, who: Identity) -> bool:
        """Whether the API server serves this kind now."""
        try:
            self.client.resource(who.api_version, who.kind)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def find(self, who: Identity) -> Object | None:
        """Read the object, None when it is not there."""
        return self.client.find(who.api_version, who.kind, who.name, who.namespace or None)

    def gives_up(self, urn: str, error: ClusterError) -> bool:
        """Whether an object counts as gone because its cluster cannot be reached (`deleteUnreachable`)."""
        if not self.settings.delete_unreachable or isinstance(error, ApiError) or self.client.ready():
            return False
        self.engine.warn(urn, f"counted as deleted, as `deleteUnreachable` says: {error}")
        return True

    def stop_if_cancelled(self) -> None:
        """Raise ClusterError when the engine asked to stop."""
        if self.cancelled.is_set():
            raise ClusterError("cancelled")
