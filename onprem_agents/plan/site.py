"""What is around a stack, against what the stack asks for: the way in to the gateway, users that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onprem_agents.errors import Problem
from onprem_agents.stack.access import Access
from onprem_agents.stack.pods import PodIds
from onprem_agents.stack.settings import ModelRole


def ways_in(access: Access) -> Iterator[str]:
    """Yield what must lead developers to the gateway, where no load balancer of the cluster does."""
    service = access.gateway_service
    if service is None or service.waits_for_an_address:
        return
    told = f"developers connect to {access.host}:{access.port}"
    nodes = service.port_of_nodes(access.port)
    if service.type == "ClusterIP":
        yield f"{told}, which only the cluster's own network reaches: the gateway's Service is a ClusterIP"
    elif service.addresses:
        yield f"{told}, and your network must lead {', '.join(service.addresses)} to the nodes"
    elif nodes == access.port:
        yield f"{told}, so the name must lead to nodes: each listens on that port itself"
    else:
        port = "a port that Kubernetes picks (say nodePort to fix it)" if nodes is None else f"port {nodes}"
        yield f"{told}, so something of yours must listen there and pass connections on to {port} of the nodes"


def folders_of_nobody(models: Sequence[ModelRole], pod_ids: PodIds) -> Iterator[Problem]:
    """Yield the folders of nodes that no pod could write to, for nobody knows its user beforehand."""
    for index, role in enumerate(models):
        if pod_ids == "platform" and role.cache is not None and role.cache.host_path is not None:
            yield Problem(
                where=f"platform.models[{index}].cache.hostPath",
                cause="contradiction",
                found=f"{role.cache.host_path.path} beside podIds platform",
                why="a node's folder must belong to the user of the pods, whom the platform picks when they start",
                fix="keep the weights on a claim (cache: {pvc: {}}), or set platform.podIds to fixed",
            )
