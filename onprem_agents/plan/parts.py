"""The parts of a plan: what one component declares, and exactly what its manifests read.

A platform is composed of them; each can also be planned alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from onprem_agents.catalog import KserveRelease
from onprem_agents.contract.connection import Connection
from onprem_agents.plan.names import (
    AGENTS_ROUTE,
    CONNECTION_ROUTE,
    GATEWAY_NAME,
    MODELS_ROUTE,
    PROXY_KEY_SECRET,
    SERVER_KEY_SECRET,
    ai_route_names,
    priority_class_of,
)
from onprem_agents.plan.pool import Pool
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.plan.timeouts import TimeoutChain
from onprem_agents.stack.access import Tls
from onprem_agents.stack.check import Check
from onprem_agents.stack.domain import Translation
from onprem_agents.stack.gateway_service import GatewayService
from onprem_agents.stack.images import Images
from onprem_agents.stack.network import DownloadProxy
from onprem_agents.stack.parts import ProxyReference, ServerReference
from onprem_agents.stack.pods import PodIds

ProxySoftwareName = Literal["litellm", "claude-code-router"]
_HTTPS_PORT = 443


@dataclass(frozen=True, kw_only=True)
class Part:
    """What all parts have in common. `notes` are what a reader should know or do although the plan holds."""

    stack: str
    namespace: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Queues:
    """Kueue's objects for a pool."""

    cluster_queue: str
    local_queue: str
    owns_cluster_queue: bool
    """Whether the ClusterQueue and its flavor are the part's own to make."""


@dataclass(frozen=True, kw_only=True)
class PoolPart(Part):
    """The nodes of pools, a priority class, and queues where they are wanted."""

    pools: tuple[Pool, ...]
    queues: Queues | None
    free_gpus: int
    """Most GPUs left on one node of any pool when every replica runs; all of a node where nobody knows of replicas."""

    @property
    def names(self) -> str:
        """The names of the pools, with commas between them."""
        return ", ".join(pool.name for pool in self.pools)

    @property
    def accelerators(self) -> str:
        """The accelerators of the pools, each once, with commas between them."""
        return ", ".join(dict.fromkeys(pool.accelerator.name for pool in self.pools))

    @property
    def gpus_per_node(self) -> int:
        """GPUs in each node; of the largest node where there are pools of several kinds."""
        return max(pool.gpus_per_node for pool in self.pools)

    @property
    def nodes(self) -> int:
        """All nodes."""
        return sum(pool.nodes for pool in self.pools)

    @property
    def gpus(self) -> int:
        """All GPUs."""
        return sum(pool.gpus for pool in self.pools)

    @property
    def priority_class(self) -> str:
        """The priority class of the servers' pods."""
        return priority_class_of(self.namespace)


@dataclass(frozen=True, kw_only=True)
class ServerPart(Part):
    """One role's model server."""

    serving: ServingPlan
    mode: Literal["Standard", "Knative"]
    image_pull_secrets: tuple[str, ...]
    service_account: str | None
    storage_secret: str | None
    priority_class: str | None
    local_queue: str | None
    key_secret: str | None
    """Where the pods find the key that they ask for; None where they ask for none."""
    owns_key: bool
    """Whether that Secret is the part's own to make."""
    images: Images
    pod_ids: PodIds
    download_proxy: DownloadProxy | None
    """What the container that downloads the weights goes through."""
    labels: Mapping[str, str]
    """Of the InferenceService, for the console of the platform that the cluster is."""
    annotations: Mapping[str, str]
    kserve: KserveRelease
    """The cluster's release of KServe."""

    @property
    def pool(self) -> Pool:
        """The nodes that it is served on."""
        return self.serving.pool

    @property
    def most_pods(self) -> int:
        """Pods that are there at once while a new version replaces the old one: Knative starts all of them first."""
        replicas = self.serving.replicas
        return replicas + (replicas if self.mode == "Knative" else self.serving.rollout.max_surge)

    @property
    def mode_in_its_words(self) -> str:
        """The mode as that release spells it."""
        return self.kserve.spelling[self.mode]


@dataclass(frozen=True, kw_only=True)
class IngressPart(Part):
    """Gateway, certificate, routes and limits."""

    host: str
    port: int
    tls: Tls
    software: Literal["envoy-gateway", "envoy-ai-gateway"]
    gateway_class: str
    servers: tuple[ServerReference, ...]
    proxy: ProxyReference | None
    timeouts: TimeoutChain
    request_body_mib: int
    """Largest request body that the gateway takes; a 32 KiB default cuts every real prompt."""
    developers: int
    connection: Connection | None
    """What developers' machines are told; None where a server does not tell enough of itself."""
    alone: bool
    """Whether no platform is around it: everything is denied until somebody declares who may call."""
    service: GatewayService | None
    """The Service in front of Envoy; None where the GatewayClass decides."""
    images: Images
    image_pull_secrets: tuple[str, ...]
    pod_ids: PodIds
    gateway_replicas: int
    """Envoys behind the Gateway; 1 leaves their number to the GatewayClass."""
    model_aliases: tuple[str, ...]
    """Beginnings of names, with `*` for the rest, that lead to the first server."""
    keeps_sessions: bool
    """Whether all turns of a session go to the same replica."""
    balances_sessions: bool
    """Whether a turn goes elsewhere while that replica has more than its share of requests."""

    @property
    def url(self) -> str:
        """The base address for OpenAI clients."""
        return f"{self.anthropic_url}/v1"

    @property
    def anthropic_url(self) -> str:
        """The base address for Anthropic clients."""
        return base_address(self.host, self.port)

    @property
    def translation(self) -> Translation:
        """What speaks the Anthropic API to Claude Code."""
        return "native" if self.proxy is None else self.proxy.software

    @property
    def gateway(self) -> str:
        """Name of the Gateway."""
        return GATEWAY_NAME

    @property
    def agent_routes(self) -> tuple[str, ...]:
        """The HTTPRoutes that lead to servers."""
        return ai_route_names(len(self.servers)) if self.software == "envoy-ai-gateway" else (AGENTS_ROUTE,)

    @property
    def protected_routes(self) -> tuple[str, ...]:
        """The HTTPRoutes that ask for a key: all but the one of the connection contract."""
        return self.agent_routes if self.software == "envoy-ai-gateway" else (AGENTS_ROUTE, MODELS_ROUTE)

    @property
    def open_routes(self) -> tuple[str, ...]:
        """The HTTPRoutes that ask for nothing."""
        return () if self.connection is None else (CONNECTION_ROUTE,)


@dataclass(frozen=True, kw_only=True)
class KeySecret:
    """A Secret made of the key between gateway and servers; `prefix` is what its reader wants in front."""

    name: str
    prefix: str = ""


SERVERS_KEY = KeySecret(name=SERVER_KEY_SECRET)
PROXY_KEY = KeySecret(name=PROXY_KEY_SECRET, prefix="sk-")
"""LiteLLM wants keys that begin with sk- (1.109.1, 2026-11)."""


@dataclass(frozen=True, kw_only=True)
class AuthPart(Part):
    """Who may call, by which routes."""

    gateway: str
    routes: tuple[str, ...]
    developers: tuple[str, ...]
    key_secrets: tuple[KeySecret, ...] = ()
    """Secrets that a platform's servers share; a server that stands alone has its own."""


@dataclass(frozen=True, kw_only=True)
class ProxyPart(Part):
    """A translation proxy in front of servers."""

    software: ProxySoftwareName
    servers: tuple[ServerReference, ...]
    timeouts: TimeoutChain
    owns_key: bool
    """Whether the Secret with the proxy's key is the part's own to make."""
    images: Images
    pod_ids: PodIds
    image_pull_secrets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OperatorPart(Part):
    """The account of an agent that operates a platform."""

    service_account: str
    updates_models: bool
    """Whether it may change the model servers that are there."""


@dataclass(frozen=True, kw_only=True)
class CheckPart:
    """What is checked of a deployed platform; it declares no object."""

    stack: str
    connection: Connection
    roles: tuple[str, ...]
    uncached_roles: tuple[str, ...]
    """The roles that keep no prefix of a prompt on purpose."""
    settings: Check


def base_address(host: str, port: int) -> str:
    """Return where clients find a gateway; the port of HTTPS is never told."""
    return f"https://{host}" if port == _HTTPS_PORT else f"https://{host}:{port}"
