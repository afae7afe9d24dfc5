"""The embedded cluster: real control plane and controllers, simulated nodes, all on the loopback."""

from embedded.cluster.cluster import BINARIES, Cluster, ClusterNeeds, Part
from embedded.cluster.nodes import CONTROL_NODE, NodeSpec

__all__ = ["BINARIES", "CONTROL_NODE", "Cluster", "ClusterNeeds", "NodeSpec", "Part"]
