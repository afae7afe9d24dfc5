"""The plan of a whole stack: one value that manifests, policies, outputs and reports are made from.

Its parts are what components declare; alone or together they are derived by the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onprem_agents.catalog import load_catalog
from onprem_agents.contract.connection import Connection
from onprem_agents.plan.derive_pool import queues_for, quota_for
from onprem_agents.plan.names import SERVER_KEY_SECRET, priority_class_of
from onprem_agents.plan.parts import (
    PROXY_KEY,
    SERVERS_KEY,
    AuthPart,
    IngressPart,
    PoolPart,
    ProxyPart,
    ServerPart,
)
from onprem_agents.plan.pool import Placement, Pool
from onprem_agents.plan.references import proxy_to, reference_to
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.plan.timeouts import TimeoutChain
from onprem_agents.stack.parts import ProxyReference, ServerReference
from onprem_agents.stack.settings import Access, Platform, Queue


@dataclass(frozen=True, kw_only=True)
class PlatformPlan:
    """Everything that is decided about one stack."""

    stack: str
    settings: Platform
    pool: Pool
    placement: Placement
    serving: tuple[ServingPlan, ...]
    timeouts: TimeoutChain
    connection: Connection
    """What developers' machines are told."""
    request_body_mib: int
    """Largest request body that the gateway takes; a 32 KiB default cuts every real prompt."""

    @property
    def namespace(self) -> str:
        """Namespace of everything that the stack declares."""
        return self.settings.namespace

    @property
    def access(self) -> Access:
        """The access section."""
        return self.settings.access

    @property
    def queue(self) -> Queue | None:
        """The Kueue section, if the stack has one."""
        return self.settings.queue

    @property
    def developers(self) -> tuple[str, ...]:
        """Names of the developers in a fixed order."""
        return tuple(sorted(self.settings.access.developers))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know or do although the plan holds."""
        return tuple(f"{serving.role}: {note}" for serving in self.serving for note in serving.notes)

    @property
    def main(self) -> ServingPlan:
        """The first role: what an agent uses unless told otherwise."""
        return self.serving[0]

    @property
    def pool_part(self) -> PoolPart:
        """The nodes, with quota for every replica and a surge pod."""
        return PoolPart(
            stack=self.stack,
            namespace=self.namespace,
            pool=self.pool,
            queues=queues_for(self.queue, self.namespace, quota_for(self.pool, self.serving)),
            free_gpus=self.placement.largest_free,
        )

    @property
    def server_parts(self) -> tuple[ServerPart, ...]:
        """One model server for each role, all with the key that the platform shares."""
        settings = self.settings.serving
        return tuple(
            ServerPart(
                stack=self.stack,
                namespace=self.namespace,
                notes=serving.notes,
                serving=serving,
                pool=self.pool,
                mode=settings.mode,
                image_pull_secrets=settings.image_pull_secrets,
                service_account=settings.service_account,
                storage_secret=settings.storage_secret,
                priority_class=priority_class_of(self.namespace),
                local_queue=self.queue.local_queue if self.queue is not None else None,
                key_secret=SERVER_KEY_SECRET,
                owns_key=False,
                kserve=load_catalog().kserve(settings.kserve),
            )
            for serving in self.serving
        )

    @property
    def servers(self) -> tuple[ServerReference, ...]:
        """The model servers as gateway and proxy see them."""
        return references_of(self.settings, self.serving)

    @property
    def proxy(self) -> ProxyReference | None:
        """The translation proxy as the gateway sees it, None in native mode."""
        translation = self.settings.translation
        return None if translation == "native" else proxy_to(translation, self.namespace)

    @property
    def ingress_part(self) -> IngressPart:
        """The way in; the key check of the platform is declared before its routes."""
        access = self.access
        return IngressPart(
            stack=self.stack,
            namespace=self.namespace,
            host=access.host,
            port=access.port,
            tls=access.tls,
            software=access.gateway,
            gateway_class=access.gateway_class,
            servers=self.servers,
            proxy=self.proxy,
            timeouts=self.timeouts,
            request_body_mib=self.request_body_mib,
            developers=len(self.developers),
            connection=self.connection,
            alone=False,
            gateway_replicas=access.gateway_replicas,
        )

    @property
    def auth_part(self) -> AuthPart:
        """Who may call, with the Secrets that all servers of the platform share."""
        ingress = self.ingress_part
        return AuthPart(
            stack=self.stack,
            namespace=self.namespace,
            gateway=ingress.gateway,
            routes=ingress.protected_routes,
            developers=self.developers,
            key_secrets=(SERVERS_KEY,) if self.proxy is None else (SERVERS_KEY, PROXY_KEY),
        )

    @property
    def proxy_part(self) -> ProxyPart | None:
        """The translation proxy, None in native mode."""
        translation = self.settings.translation
        if translation == "native":
            return None
        return ProxyPart(
            stack=self.stack,
            namespace=self.namespace,
            software=translation,
            servers=self.servers,
            timeouts=self.timeouts,
            owns_key=False,
        )


def references_of(settings: Platform, serving: Sequence[ServingPlan]) -> tuple[ServerReference, ...]:
    """Return a platform's model servers as gateway and proxy see them."""
    return tuple(
        reference_to(
            role,
            namespace=settings.namespace,
            mode=settings.serving.mode,
            key_secret=SERVER_KEY_SECRET,
        )
        for role in serving
    )
