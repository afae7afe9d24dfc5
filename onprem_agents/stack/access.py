"""The settings of who may call, and under which name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from onprem_agents.stack.domain import (
    AgentName,
    DeveloperName,
    ForeignNamespace,
    HostName,
    Label,
    ObjectName,
    PlainText,
    Port,
    PublishedName,
)
from onprem_agents.stack.gateway_service import GatewayService
from onprem_agents.stack.section import Section, contradiction


class Tls(Section):
    """The certificate of the external listener: a cert-manager issuer or an existing Secret."""

    issuer: PublishedName | None = Field(
        default=None,
        description="cert-manager issuer that signs the certificate. Left out: 'secretName' must be said.",
    )
    issuer_kind: Literal["ClusterIssuer", "Issuer"] = Field(
        default="ClusterIssuer", description="Kind of that issuer."
    )
    secret_name: PublishedName | None = Field(
        default=None, description="Existing Secret with the certificate. Left out: 'issuer' must be said."
    )
    secret_namespace: ForeignNamespace | None = Field(
        default=None,
        description="Namespace of that Secret; a ReferenceGrant there must allow it. Left out: the stack's own.",
    )
    reference_grant: bool = Field(
        default=False,
        description="Make that ReferenceGrant, in the Secret's namespace, where whoever deploys may write there. "
        "Otherwise that namespace's owner does; 'onprem-agents preflight' tells its YAML.",
    )
    ca_hint: PlainText | None = Field(
        default=None,
        description="Where developers find the CA file of a private issuer; it is published in the contract. Left "
        "out: the certificate is one that machines trust anyway.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Tls:
        if (self.issuer is None) == (self.secret_name is None):
            raise contradiction(
                "both" if self.issuer else "neither",
                "say either 'issuer' (cert-manager) or 'secretName' (an existing Secret)",
                "keep one of the two",
            )
        if self.secret_namespace is not None and self.secret_name is None:
            raise contradiction(
                "'secretNamespace' beside 'issuer'",
                "'secretNamespace' only goes with 'secretName': cert-manager writes into the stack's own namespace",
                "remove 'secretNamespace'",
            )
        if self.reference_grant and self.secret_namespace is None:
            raise contradiction(
                "'referenceGrant' without 'secretNamespace'",
                "a Secret of the stack's own namespace needs no grant",
                "name the Secret's namespace in 'secretNamespace', or remove 'referenceGrant'",
            )
        return self


class Developer(Section):
    """One developer; the key itself lives in the secret `developerKeys`."""

    team: Label | None = Field(
        default=None, description="The developer's team; the report counts developers by it. Left out: none."
    )


MODEL_ALIASES = ("claude-*", "gpt-*")
"""What names of hosted models begin with: in a repository's agents and commands Claude Code 2.1.330 takes them whole,
and asks for them whatever its own settings say; plugins and scripts name OpenAI's as well (2026-11)."""

GatewayClass = Annotated[ObjectName, Field(description="Existing GatewayClass that Envoy Gateway serves.")]
DEFAULT_GATEWAY_CLASS = "envoy-gateway"
GatewayReplicas = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=32,
        description="Envoys behind the Gateway, on nodes of their own where there are enough; one stays up while nodes "
        "are drained. 1 leaves their number to the GatewayClass.",
    ),
]
DEFAULT_GATEWAY_REPLICAS = 2


class Listener(Section):
    """What developers connect to: name, port and certificate, and what else a model may be called there."""

    host: HostName = Field(
        description="DNS name that developers connect to: the gateway listens for it, and the certificate is for it."
    )
    port: Port = Field(default=443, description="TCP port of the gateway's HTTPS listener.")
    tls: Tls = Field(description="The certificate of the HTTPS listener.")
    gateway_service: GatewayService | None = Field(
        default=None,
        description="The Service in front of Envoy. Left out: as the GatewayClass's own EnvoyProxy says, else a "
        "LoadBalancer.",
    )

    model_aliases: bool = Field(
        default=True,
        description=f"Whether names of hosted models, {' and '.join(MODEL_ALIASES)}, lead to the first role: "
        "repositories bring agents and commands that ask for them. Otherwise those get 404.",
    )

    session_affinity: bool = Field(
        default=True,
        description="Whether all turns of a session go to the same replica, whose prefix cache knows them, where there "
        "are several and the gateway itself chooses among them. Otherwise to one of those with the fewest requests.",
    )
    balanced_sessions: bool = Field(
        default=False,
        description="Whether a turn leaves its session's replica while that works on more than 1.25 times its share of "
        "all requests. It takes an EnvoyPatchPolicy, so Envoy Gateway's configuration must say "
        "'extensionApis.enableEnvoyPatchPolicy: true'; whoever may write such objects decides all that Envoy does.",
    )

    @model_validator(mode="after")
    def _port_of_the_nodes(self) -> Listener:
        if self.gateway_service is not None:
            self.gateway_service.check_port(self.port)
        return self

    @model_validator(mode="after")
    def _bound_of_something(self) -> Listener:
        if self.balanced_sessions and not self.session_affinity:
            raise contradiction(
                "'balancedSessions' beside 'sessionAffinity: false'",
                "without affinity each turn goes to a replica with few requests anyway",
                "remove one of the two",
            )
        return self


class Access(Listener):
    """Who may call the models, and under which name."""

    developers: dict[DeveloperName, Developer] = Field(
        min_length=1,
        max_length=5000,
        description="Everyone who may call, by name; each needs a key in the secret 'developerKeys'.",
    )
    agents: Annotated[tuple[AgentName, ...], Field(max_length=64)] | None = Field(
        default=None,
        description="The agents that developers use, e.g. [opencode, claude]: plan and setup keep to these, and a "
        "stack that serves none of them is refused. An empty list: other clients alone. Left out: all that are known.",
    )
    gateway: Literal["envoy-gateway", "envoy-ai-gateway"] = Field(
        default="envoy-gateway",
        description="Software of the gateway; envoy-ai-gateway counts tokens and needs its controller.",
    )
    gateway_class: GatewayClass = DEFAULT_GATEWAY_CLASS
    gateway_namespace: ForeignNamespace = Field(
        default="envoy-gateway-system",
        description="Namespace in which Envoy Gateway runs its proxies: only from there are pods reachable, and from "
        "the stack's own, where it runs them in the Gateway's.",
    )
    gateway_replicas: GatewayReplicas = DEFAULT_GATEWAY_REPLICAS
