"""The plan of a whole stack: one value that manifests, policies, outputs and reports are made from.

Its parts are what components declare; alone or together they are derived by the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onprem_agents.catalog import load_catalog
from onprem_agents.contract.connection import Connection
from onprem_agents.plan.affinity import keeps_sessions
from onprem_agents.plan.derive_pool import queues_for
from onprem_agents.plan.images import ImageUse, each_once, gateway_images, proxy_images, server_images
from onprem_agents.plan.names import SERVER_KEY_SECRET, priority_class_of
from onprem_agents.plan.parts import (
    PROXY_KEY,
    SERVERS_KEY,
    AuthPart,
    CheckPart,
    IngressPart,
    OperatorPart,
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
    pools: tuple[Pool, ...]
    placements: tuple[Placement, ...]
    """What is left of the pool beside it."""
    serving: tuple[ServingPlan, ...]
    timeouts: TimeoutChain
    connection: Connection
    """What developers' machines are told."""
    request_body_mib: int
    """Largest request body that the gateway takes; a 32 KiB default cuts every real prompt."""
    site: tuple[str, ...]
    """What the cluster's make and the way in to it mean for the stack, in words."""
    marks: tuple[tuple[dict[str, str], ...], ...]
    """Labels and annotations of each model server for the platform's console."""

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
    def images(self) -> tuple[ImageUse, ...]:
        """Every image that the stack's pods are made of."""
        return images_of(self.settings, self.serving)

    @property
    def pool_part(self) -> PoolPart:
        """The nodes."""
        return PoolPart(
            stack=self.stack,
            namespace=self.namespace,
            pools=self.pools,
            queues=queues_for(self.queue, self.namespace),
            free_gpus=max(placement.largest_free for placement in self.placements),
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
                mode=settings.mode,
                image_pull_secrets=settings.image_pull_secrets,
                service_account=settings.service_account,
                storage_secret=settings.storage_secret,
                priority_class=priority_class_of(self.namespace),
                local_queue=self.queue.local_queue if self.queue is not None else None,
                key_secret=SERVER_KEY_SECRET,
                owns_key=False,
                images=self.settings.images,
                pod_ids=self.settings.pod_ids,
                download_proxy=self.settings.network.proxy,
                labels=labels,
                annotations=annotations,
                kserve=load_catalog().kserve(settings.kserve),
            )
            for serving, (labels, annotations) in zip(self.serving, self.marks, strict=True)
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
            service=access.gateway_service,
            images=self.settings.images,
            image_pull_secrets=self.settings.serving.image_pull_secrets,
            pod_ids=self.settings.pod_ids,
            gateway_replicas=access.gateway_replicas,
            model_aliases=self.connection.model_aliases,
            keeps_sessions=keeps_sessions(access, self.servers, access.gateway, self.settings.translation),
            balances_sessions=access.balanced_sessions,
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
            images=self.settings.images,
            pod_ids=self.settings.pod_ids,
            image_pull_secrets=self.settings.serving.image_pull_secrets,
        )

    @property
    def operator_part(self) -> OperatorPart | None:
        """The account of an agent that operates the platform, None where the stack has none."""
        operator = self.settings.operator
        if operator is None:
            return None
        return OperatorPart(
            stack=self.stack,
            namespace=self.namespace,
            service_account=operator.service_account,
            updates_models=operator.updates_models,
        )

    @property
    def check_part(self) -> CheckPart | None:
        """The check after the update, None where the stack asks for none."""
        check = self.settings.check
        if check is None:
            return None
        return CheckPart(
            stack=self.stack,
            connection=self.connection,
            roles=tuple(role.role for role in self.connection.roles),
            uncached_roles=self.uncached_roles,
            settings=check,
        )

    @property
    def uncached_roles(self) -> tuple[str, ...]:
        """The roles whose servers keep no prefix of a prompt."""
        return tuple(each.role for each in self.serving if not each.flags.enable_prefix_caching)


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


def images_of(settings: Platform, serving: Sequence[ServingPlan]) -> tuple[ImageUse, ...]:
    """Return every image that a platform's pods are made of, each once."""
    images, translation = settings.images, settings.translation
    uses = [use for role in serving for use in server_images(role, settings.serving, images)]
    if translation != "native":
        uses += proxy_images(translation, images)
    return each_once([*uses, *gateway_images(images)])
