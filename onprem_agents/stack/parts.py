"""The arguments of each component that stands alone, and what one component tells the next: made of the settings.

Field, default and description stand where a stack's do; here is only what a part alone must say itself.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from onprem_agents.stack.access import (
    DEFAULT_GATEWAY_CLASS,
    DEFAULT_GATEWAY_REPLICAS,
    GatewayClass,
    GatewayReplicas,
    Listener,
)
from onprem_agents.stack.check import Check
from onprem_agents.stack.domain import (
    AgentName,
    CatalogName,
    ContextTokens,
    ForeignNamespace,
    LabelValue,
    ModelId,
    ObjectName,
    OutputTokens,
    PoolNamespace,
    Port,
    Prose,
    RoleName,
    ServedName,
    Temperature,
)
from onprem_agents.stack.hardware import (
    GpusPerNode,
    NodeCount,
    NodeNames,
    Taint,
    ToldMigStrategy,
    ToldShare,
    check_nodes,
)
from onprem_agents.stack.images import Images
from onprem_agents.stack.model_role import ModelRole
from onprem_agents.stack.network import DownloadProxy
from onprem_agents.stack.pods import PlatformName, PodIds, PulledImages
from onprem_agents.stack.section import Section
from onprem_agents.stack.settings import (
    PullSecrets,
    Queue,
    Serving,
    Timeouts,
    TurnSeconds,
)
from onprem_agents.stack.support import ToldSupport
from onprem_agents.stack.thinking import ServedThinking

ServiceNamespace = Annotated[
    ForeignNamespace | None,
    Field(description="Namespace of that Service. Left out: the one of what uses it; there is no other."),
]
AcceleratorName = Annotated[CatalogName, Field(description="Accelerator of the catalogue, e.g. L40S.")]
ProxySoftwareName = Annotated[
    Literal["litellm", "claude-code-router"],
    Field(
        description="What speaks the Anthropic API to Claude Code: litellm takes all requests, claude-code-router "
        "those of Claude Code alone."
    ),
]


class PoolArguments(Section):
    """Existing nodes of one kind, made ready for model servers."""

    accelerator: AcceleratorName
    namespace: PoolNamespace = Field(
        description="Existing namespace of the model servers, one pool each; the cluster-wide names are made of it."
    )
    gpus_per_node: GpusPerNode = Field(default=1, description="GPUs in each node.")
    nodes: NodeCount | None = Field(
        default=None, description="Nodes in the pool. Left out: as many as 'nodeNames' lists, else 1."
    )
    node_names: NodeNames = ()
    taint: Taint = True
    mig_strategy: ToldMigStrategy = "single"
    share: ToldShare = None
    queue: Queue | None = Field(
        default=None, description="Kueue objects for the pool. Left out: none are made."
    )
    platform: PlatformName = Field(
        default="upstream",
        description="What the cluster is made of: it tells the resource by which its HAMi counts shares.",
    )

    @model_validator(mode="after")
    def _one_size(self) -> PoolArguments:
        check_nodes(self.nodes, self.node_names)
        return self


class ServerArguments(ModelRole, Serving, Timeouts):
    """One model server: its model, and the nodes that it may use."""

    accelerator: AcceleratorName
    gpus_per_node: GpusPerNode = Field(description="GPUs in each node.")
    namespace: ForeignNamespace = Field(
        description="Existing namespace; several servers may share it under different roles."
    )
    nodes: NodeCount | None = Field(
        default=None,
        description="Nodes that the server may use. Left out: as many as 'nodeNames' lists, else 1.",
    )
    node_names: NodeNames = Field(
        default=(),
        description="The nodes of a pool that lists them: pods then go by the pool's label. Left out: they go by "
        "the label that NVIDIA's GPU feature discovery sets.",
    )
    mig_strategy: ToldMigStrategy = "single"
    share: ToldShare = None
    priority_class: ObjectName | None = Field(
        default=None, description="Existing PriorityClass of the pods, such as a pool's. Left out: none."
    )
    local_queue: LabelValue | None = Field(
        default=None,
        description="Kueue's LocalQueue that admits the pods, such as a pool's. Left out: none.",
    )
    key_secret: ObjectName | None = Field(
        default=None,
        description="Existing Secret with the server's key: bare as apiKey, behind 'Bearer ' as credential. Left out: "
        "one is made of the key that is given; without a key the server asks for none.",
    )

    platform: PlatformName = "upstream"
    images: PulledImages = Images()
    pod_ids: PodIds = "fixed"
    download_proxy: DownloadProxy | None = Field(
        default=None,
        description="A company's HTTP proxy between the download and the weights. Left out: none.",
    )

    @model_validator(mode="after")
    def _one_size(self) -> ServerArguments:
        check_nodes(self.nodes, self.node_names)
        return self


class ServerReference(Section):
    """A model server that others lead to: ours, or any Service that speaks the agents' API.

    What is left out besides name, service and port is what developers' machines are then not told.
    """

    name: ServedName = Field(description="The served model: what clients send as 'model'.")
    service: LabelValue = Field(description="Name of the Service in front of the server.")
    port: Port = Field(default=80, description="TCP port of that Service.")
    namespace: ServiceNamespace = None
    mode: Literal["Standard", "Knative"] = Field(
        default="Standard", description="KServe's deployment mode; Knative's servers go by their host name."
    )
    replicas: Annotated[int, Field(strict=True, ge=1, le=256)] = Field(
        default=1, description="Model servers behind that Service: with several a session keeps to one."
    )
    key_secret: ObjectName | None = Field(
        default=None,
        description="Existing Secret with the server's key, bare as apiKey, behind 'Bearer ' as credential. Left out: "
        "the server asks for none.",
    )
    role: RoleName | None = Field(
        default=None, description="The name that developers' machines know it by. Left out: 'name'."
    )
    model_id: ModelId | None = Field(
        default=None, description="The model's public name, such as a Hugging Face id. Left out: 'name'."
    )
    context_tokens: ContextTokens | None = Field(
        default=None,
        description="Longest prompt and answer together, in tokens. Left out: nobody knows, and no connection "
        "contract is published.",
    )
    max_output_tokens: OutputTokens | None = Field(
        default=None,
        description="Longest answer that clients may ask for, in tokens. Left out: an eighth of 'contextTokens', at "
        "most 16384.",
    )
    reasoning: bool = Field(default=False, description="Whether the model thinks before it answers.")
    thinking: ServedThinking | None = Field(
        default=None,
        description="How much it thinks, which agents keep to. Left out: nobody knows, and agents ask for nothing.",
    )
    tool_calling: bool = Field(default=True, description="Whether the server parses the model's tool calls.")
    namespace_tools: bool = Field(
        default=False,
        description="Whether the server takes tools in namespaces, as vLLM does since 0.32.0; Codex then has "
        "sub-agents.",
    )
    vision: bool = Field(default=False, description="Whether the server takes images beside text.")
    temperature: Temperature | None = Field(
        default=None,
        description="Sampling temperature that agents use. Left out: that of the server's own configuration.",
    )
    unsupported_reasons: dict[AgentName, Prose] = Field(
        default={},
        description="Why an agent cannot work with it, for each agent that cannot. Left out: what follows from "
        "the limits above.",
    )
    longest_turn_seconds: TurnSeconds | None = Field(
        default=None,
        description="Longest turn that the server is made for, in seconds. Left out: what its user says.",
    )


class ProxyReference(Section):
    """A translation proxy that an ingress leads to."""

    software: ProxySoftwareName
    service: LabelValue = Field(description="Name of the proxy's Service.")
    port: Port = Field(description="TCP port of that Service.")
    namespace: ServiceNamespace = None
    key_secret: ObjectName = Field(
        description="Secret with the proxy's key, bare as apiKey, behind 'Bearer ' as credential."
    )


Servers = Annotated[
    tuple[ServerReference, ...],
    Field(min_length=1, max_length=16, description="The model servers behind it, the main one first."),
]
TurnOfServers = Annotated[
    TurnSeconds | None,
    Field(
        description="Longest turn of an agent, in seconds. Left out: the longest that a server says, else 600."
    ),
]


class IngressArguments(Listener):
    """The way in from outside the cluster to model servers of one namespace."""

    servers: Servers
    namespace: ForeignNamespace = Field(
        description="Existing namespace of Gateway, routes and servers; one ingress each."
    )
    gateway_class: GatewayClass = DEFAULT_GATEWAY_CLASS
    gateway_replicas: GatewayReplicas = DEFAULT_GATEWAY_REPLICAS
    proxy: ProxyReference | None = Field(
        default=None,
        description="Translation proxy in front of the servers. Left out: none, they speak each agent's API.",
    )
    longest_turn_seconds: TurnOfServers = None
    developers: Annotated[int, Field(strict=True, ge=1, le=5000)] = Field(
        default=16, description="Developers who will call: limits of connections are made for so many."
    )
    images: PulledImages = Images()
    image_pull_secrets: PullSecrets = ()
    pod_ids: PodIds = "fixed"
    support: ToldSupport = None


class IngressReference(Section):
    """An ingress whose routes ask for a key."""

    namespace: ForeignNamespace = Field(description="Namespace of the Gateway and its routes.")
    gateway: ObjectName = Field(description="Name of the Gateway.")
    routes: Annotated[tuple[ObjectName, ...], Field(min_length=1, max_length=16)] = Field(
        description="Names of the HTTPRoutes that nobody may use without a key."
    )


class AuthArguments(Section):
    """Who may call: the keys are given beside these arguments."""

    ingress: IngressReference = Field(description="The ingress whose routes ask for a key.")


class ProxyArguments(Section):
    """A translation proxy in front of model servers of one namespace."""

    servers: Servers
    software: ProxySoftwareName
    namespace: ForeignNamespace = Field(
        description="Existing namespace of proxy and servers; one proxy each."
    )
    longest_turn_seconds: TurnOfServers = None
    images: PulledImages = Images()
    pod_ids: PodIds = "fixed"
    image_pull_secrets: PullSecrets = ()


class CheckArguments(Check):
    """The check of a deployed platform, by the contract that it promises and a developer's key."""

    connection: dict[str, Any] = Field(
        description="The platform's connection contract, as an ingress or a platform tells it: the check comes after "
        "all that it comes from."
    )
    models: tuple[ServedName, ...] = Field(
        default=(),
        description="The served models to check, as each model server tells its own once it is loaded: the check "
        "comes after that. Left out: all of the contract.",
    )
    uncached_models: tuple[ServedName, ...] = Field(
        default=(),
        description="The served models that keep no prefix of a prompt on purpose: of them no reuse is expected. Left "
        "out: none.",
    )
