"""What pods of model serving ask for beyond their need: every node, capabilities, a namespace without a standard."""

from __future__ import annotations

from collections.abc import Mapping

from ..graph import Graph, Violation, dig, items
from ..pods import Container, Pod, pods
from .pod_security import beyond_baseline, standard_of

# What the Pod Security Standard `restricted` lets a container add, and what vLLM's documentation asks for to bind its
# memory to a NUMA node (Kubernetes 1.34, vLLM 0.33; read 2026-11).
HARMLESS = frozenset({"NET_BIND_SERVICE", "SYS_NICE"})
# Parts of the names of resources and devices of fabrics, which lock memory (NVIDIA, Mellanox, AWS; read 2026-11).
_FABRICS = ("rdma", "infiniband", "roce", "hca", "/efa", "/ib")


def tolerations_name_their_taint(graph: Graph) -> list[Violation]:
    """A toleration of model serving names the taint it is for.

    Advisory. Without a key, `operator: Exists` takes every taint of the cluster. A key that is only known at run time
    is a name.
    """
    found = []
    for pod in pods(graph):
        for place, toleration in enumerate(items(dig(pod.spec, "tolerations"))):
            if dig(toleration, "operator") == "Exists" and dig(toleration, "key") in (None, ""):
                message = (
                    f"{pod.resource} tolerates every taint ({pod.field}.tolerations[{place}]): it may land on the"
                    " control plane, on nodes kept for others and on nodes that are going down."
                )
                change = "Name the taint of the GPU nodes there: {key: nvidia.com/gpu, operator: Exists}."
                found.append(Violation(resource=pod.resource, message=message, change=change))
    return found


def capabilities_are_not_added(graph: Graph) -> list[Violation]:
    """No container adds a capability, but for IPC_LOCK where a fabric locks memory.

    Advisory. What the namespace refuses is told by pods-pass-their-namespace, what a privileged container may by
    pods-leave-their-node-alone.
    """
    found = []
    for pod in pods(graph):
        if standard_of(graph, pod.resource) in ("restricted", "baseline"):
            continue
        for container in pod.containers:
            context = container.props.get("securityContext")
            added = {
                str(name) for name in items(dig(context, "capabilities", "add")) if isinstance(name, str)
            }
            needed = HARMLESS | ({"IPC_LOCK"} if _is_on_a_fabric(pod, container) else set())
            beyond = sorted(added - needed)
            if beyond and dig(context, "privileged") is not True:
                message = (
                    f"{pod.resource} adds {', '.join(beyond)}, which no model server needs"
                    f"{' without a fabric' if beyond == ['IPC_LOCK'] else ''}: whoever breaks into it has them too."
                )
                change = (
                    f"Remove {', '.join(beyond)} from {container.field}.securityContext.capabilities.add."
                )
                found.append(Violation(resource=pod.resource, message=message, change=change))
    return found


def _is_on_a_fabric(pod: Pod, container: Container) -> bool:
    """Whether a container talks over a fabric: its model is spread over pods, or it asks for a device of one."""
    names = [str(dig(volume, "hostPath", "path")) for volume in items(dig(pod.spec, "volumes"))]
    for part in ("limits", "requests"):
        amounts = dig(container.props, "resources", part)
        names += amounts if isinstance(amounts, Mapping) else []
    return pod.is_one_of_several or any(part in name.casefold() for name in names for part in _FABRICS)


def namespaces_enforce_a_standard(graph: Graph) -> list[Violation]:
    """A namespace of model servers is not set to `privileged` where its pods would pass the baseline.

    Advisory: the namespace may hold pods of others. Read is the label of a Namespace of the same program.
    """
    found = []
    for space in graph.of_kind("core", "Namespace"):
        inside = [pod for pod in pods(graph) if pod.resource.namespace == space.object_name]
        serving = sorted((pod for pod in inside if pod.serves), key=lambda pod: str(pod.resource))
        if not serving or standard_of(graph, serving[0].resource) != "privileged":
            continue
        if not any(beyond_baseline(pod) for pod in inside):
            message = (
                f"{space} enforces the Pod Security Standard privileged, so a pod of anybody who may create one there"
                f" gets its node, though {serving[0].resource} needs none of that."
            )
            change = (
                "Set pod-security.kubernetes.io/enforce to restricted, or to baseline, and mend the pods that it"
                " refuses."
            )
            found.append(Violation(resource=space, message=message, change=change))
    return found
