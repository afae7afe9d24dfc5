"""The settings of the Service in front of the gateway: how it gets an address that developers reach."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from onprem_agents.stack.domain import AnnotationText, IpAddress, LabelKey, Port
from onprem_agents.stack.section import Section, contradiction

# The API server's --service-node-port-range where nobody changed it (Kubernetes 1.36).
NODE_PORTS = range(30000, 32768)


class GatewayService(Section):
    """The Service that Envoy Gateway makes in front of Envoy.

    Developers always connect to 'host' and 'port' of 'access'. With a NodePort they reach a node there where 'port'
    is one of the nodes' ports, such as 30443; else something of yours passes 'port' on to 'nodePort' of the nodes.
    """

    type: Literal["LoadBalancer", "NodePort", "ClusterIP"] = Field(
        default="LoadBalancer",
        description="Kind of the Service: LoadBalancer needs something in the cluster that gives it an address, such "
        "as MetalLB; NodePort listens on every node; ClusterIP is for what is in the cluster already.",
    )
    addresses: Annotated[tuple[IpAddress, ...], Field(max_length=16)] = Field(
        default=(),
        description="Addresses of the gateway: external addresses of the Service, which something must lead to the "
        "nodes, or the one cluster address of a ClusterIP. Left out: what the cluster gives.",
    )
    load_balancer_class: LabelKey | None = Field(
        default=None,
        description="Class of what gives a LoadBalancer its address. Left out: the cluster's default.",
    )
    annotations: dict[LabelKey, AnnotationText] = Field(
        default={},
        max_length=64,
        description="Annotations of the Service, such as those by which MetalLB picks an address. Left out: none.",
    )
    node_port: Port | None = Field(
        default=None,
        description="The port of the nodes. Left out: the listener's where that is from 30000 to 32767, else one that "
        "the cluster picks.",
    )

    @model_validator(mode="after")
    def _fitting(self) -> GatewayService:
        if self.load_balancer_class is not None and self.type != "LoadBalancer":
            raise contradiction(
                f"'loadBalancerClass' beside the type {self.type}",
                "only a Service of type LoadBalancer is served by such a class",
                "remove 'loadBalancerClass', or set 'type' to LoadBalancer",
            )
        if self.node_port is not None and self.type != "NodePort":
            raise contradiction(
                f"'nodePort' beside the type {self.type}",
                "the port of the nodes belongs to a Service of type NodePort",
                "remove 'nodePort', or set 'type' to NodePort",
            )
        if self.type == "ClusterIP" and len(self.addresses) > 1:
            raise contradiction(
                f"{len(self.addresses)} addresses of a ClusterIP",
                "Envoy Gateway gives such a Service the first one alone",
                "keep one of them",
            )
        if len(set(self.addresses)) != len(self.addresses):
            raise contradiction(
                ", ".join(self.addresses), "'addresses' names one twice", "name each address once"
            )
        return self

    def check_port(self, port: int) -> None:
        """Refuse a port of the nodes that contradicts the port which developers are told."""
        if self.node_port is not None and port in NODE_PORTS and port != self.node_port:
            raise contradiction(
                f"'nodePort' {self.node_port} beside 'port' {port}",
                "'port', which developers are told, is a port of the nodes, and the nodes would listen on another",
                f"remove 'nodePort', or set 'port' to {self.node_port}, or to that of what stands before the nodes",
            )

    def port_of_nodes(self, port: int) -> int | None:
        """Return the port that each node listens on for a listener's port; None where the cluster picks one."""
        if self.type != "NodePort":
            return None
        return self.node_port or (port if port in NODE_PORTS else None)

    @property
    def waits_for_an_address(self) -> bool:
        """Whether the gateway comes up only where something gives its Service an address."""
        return self.type == "LoadBalancer" and not self.addresses
