"""What the pods of model serving may do on their node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..graph import UNKNOWN, Graph, Resource, Value, Violation, dig, items, may_equal
from ..pods import Container, Pod, pods

ENFORCE = "pod-security.kubernetes.io/enforce"
# What the baseline of the Pod Security Standards lets a container add (Kubernetes 1.34, read 2026-11).
BASELINE_CAPABILITIES = frozenset(
    (
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
)
_CAPABILITIES = {"baseline": BASELINE_CAPABILITIES, "restricted": frozenset({"NET_BIND_SERVICE"})}
HOST_SWITCHES = ("hostNetwork", "hostPID", "hostIPC")
# Folders from which a container rules its node: as a whole, or with everything below. Sockets do so too.
NODE_FOLDERS = frozenset(
    (
        *("/", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/root", "/run", "/sys", "/usr"),
        *("/var", "/var/lib", "/var/run"),
    )
)
NODE_TREES = (
    *("/etc/kubernetes", "/proc", "/root/.kube", "/root/.ssh", "/var/lib/containerd", "/var/lib/docker"),
    *("/var/lib/etcd", "/var/lib/kubelet", "/var/lib/rancher"),
)


def pods_leave_their_node_alone(graph: Graph) -> list[Violation]:
    """No container is privileged, no pod joins its node's network, processes or IPC, or mounts the node's own folders.

    Pods that serve one model together may use the node's network, as their fabric can ask for it. Needs literals:
    a switch that is only known at run time is a violation.
    """
    found = []
    for pod in pods(graph):
        for what, field, fix in _reaches(pod):
            message = f"{pod.resource} {what}: whoever breaks into the pod has its node."
            change = f"{fix} ({field})."
            found.append(Violation(resource=pod.resource, message=message, change=change))
    return found


def _reaches(pod: Pod) -> Iterator[tuple[str, str, str]]:
    if pod.spec is UNKNOWN:
        yield "leaves its whole pod to be known at run time", pod.field, "Write it as plain values"
        return
    for switch in HOST_SWITCHES:
        value = dig(pod.spec, switch)
        if value in (True, UNKNOWN) and not (switch == "hostNetwork" and pod.is_one_of_several):
            fix = "Mount a memory-backed emptyDir at /dev/shm instead" if switch == "hostIPC" else "Remove it"
            yield f"{_says(value, switch)}", f"{pod.field}.{switch}", fix
    for container in pod.containers:
        value = dig(container.props, "securityContext", "privileged")
        if value in (True, UNKNOWN):
            field = f"{container.field}.securityContext.privileged"
            yield _says(value, "privileged"), field, "Remove it: the device plugin hands out GPUs without"
    for volume in items(dig(pod.spec, "volumes")):
        path = dig(volume, "hostPath", "path")
        if isinstance(path, str) and _is_of_the_node(path):
            field = f"{pod.field}.volumes[{dig(volume, 'name')}]"
            yield f"mounts {path} of its node", field, "Mount a folder of its own, a claim or an emptyDir"
        elif path is UNKNOWN:
            field = f"{pod.field}.volumes[{dig(volume, 'name')}]"
            yield "mounts a folder of its node that is only known at run time", field, "Write the path"


def _says(value: Value, switch: str) -> str:
    return f"leaves {switch} to be known at run time" if value is UNKNOWN else f"sets {switch}"


def _is_of_the_node(path: str) -> bool:
    clean = "/" + path.strip("/")
    if clean in NODE_FOLDERS or clean.endswith(".sock"):
        return True
    return any(clean == tree or clean.startswith(f"{tree}/") for tree in NODE_TREES)


def node_folders_are_read_only(graph: Graph) -> list[Violation]:
    """A folder of the node is mounted read-only where a model is served, or only a part of its own of it.

    Advisory: weights that another pod of the node wrote are code, and a writable folder outlives the pod.
    """
    found = []
    for pod in pods(graph):
        folders = {
            dig(volume, "name"): dig(volume, "hostPath", "path")
            for volume in items(dig(pod.spec, "volumes"))
            if isinstance(dig(volume, "hostPath", "path"), str) and isinstance(dig(volume, "name"), str)
        }
        for container in _serving(pod):
            for mount in items(container.props.get("volumeMounts")):
                name = dig(mount, "name")
                folder = folders.get(name) if isinstance(name, str) else None
                if folder is None or dig(mount, "readOnly") is True or dig(mount, "subPath") is not None:
                    continue
                if not _is_of_the_node(folder):
                    message = (
                        f"{pod.resource} can write to {folder} of its node, which outlives it and is shared by all"
                        " pods there."
                    )
                    place = f"{container.field}.volumeMounts[{name}]"
                    change = f"Set readOnly: true at {place}, or mount a subPath of its own."
                    found.append(Violation(resource=pod.resource, message=message, change=change))
    return found


def _serving(pod: Pod) -> list[Container]:
    return [container for container in pod.containers if ".initContainers[" not in container.field]


def pods_are_restricted(graph: Graph) -> list[Violation]:
    """Pods meet the `restricted` Pod Security Standard: no root, no new privileges, no capabilities, default seccomp.

    Advisory. A container that its runtime completes is judged by what is written. An image that needs root can't.
    """
    found = []
    for pod in pods(graph):
        missing = [] if pod.spec is UNKNOWN or pod.has_a_runtime else _missing(pod)
        if missing and standard_of(graph, pod.resource) != "restricted":
            message = f"{pod.resource} runs with more rights than it needs: {'; '.join(missing)}."
            change = (
                f"Set them in {pod.field}.securityContext and in that of each container; a model server needs a HOME"
                " that it can write to (HOME=/tmp)."
            )
            found.append(Violation(resource=pod.resource, message=message, change=change))
    return found


def pods_pass_their_namespace(graph: Graph) -> list[Violation]:
    """Pods meet the Pod Security Standard that their namespace enforces: else none is ever made.

    Read is the label of a Namespace of the same program. Needs literals for what that standard asks for.
    """
    found = []
    for pod in pods(graph):
        level = standard_of(graph, pod.resource)
        if level not in ("restricted", "baseline") or pod.spec is UNKNOWN:
            continue
        faults = beyond_baseline(pod, _CAPABILITIES[level])
        if level == "restricted" and not pod.has_a_runtime:
            faults += _missing(pod)
        if faults:
            message = (
                f"{pod.resource} is refused by its namespace, which enforces the Pod Security Standard {level}:"
                f" {'; '.join(faults)}. No pod starts."
            )
            change = f"Change {pod.field}, not the label of the namespace."
            found.append(Violation(resource=pod.resource, message=message, change=change))
    return found


def beyond_baseline(pod: Pod, allowed: frozenset[str] = BASELINE_CAPABILITIES) -> list[str]:
    """Return what keeps a pod from the Pod Security Standard `baseline`, with the capabilities that may be added."""
    faults = [f"{switch}" for switch in HOST_SWITCHES if dig(pod.spec, switch) is True]
    faults += [
        f"hostPath {dig(volume, 'hostPath', 'path')}"
        for volume in items(dig(pod.spec, "volumes"))
        if dig(volume, "hostPath") is not None
    ]
    for container in pod.containers:
        context = container.props.get("securityContext")
        if dig(context, "privileged") is True:
            faults.append(f"privileged in {container.field}")
        added = {str(name) for name in items(dig(context, "capabilities", "add"))} - allowed
        faults += [f"the capability {name} in {container.field}" for name in sorted(added)]
    return faults


def _missing(pod: Pod) -> list[str]:
    """Return what `restricted` asks for and the pod does not say, or only at run time."""
    of_pod = dig(pod.spec, "securityContext")
    faults: dict[str, None] = {}
    for container in pod.containers:
        own = container.props.get("securityContext")
        capabilities = dig(own, "capabilities", "drop")
        seccomp = dig(_either(own, of_pod, "seccompProfile"), "type")
        root = _either(own, of_pod, "runAsNonRoot")
        escalation = dig(own, "allowPrivilegeEscalation")
        for said, value, wanted in (
            (root is True, root, "runAsNonRoot: true"),
            (_either(own, of_pod, "runAsUser") != 0, None, "a runAsUser other than 0"),
            (escalation is False, escalation, "allowPrivilegeEscalation: false"),
            ("ALL" in items(capabilities), capabilities, "capabilities.drop: [ALL]"),
            (seccomp in ("RuntimeDefault", "Localhost"), seccomp, "seccompProfile.type: RuntimeDefault"),
        ):
            if not said:
                how = "is only known at run time" if value is UNKNOWN else "is missing"
                faults[f"{wanted} {how}"] = None
    return list(faults)


def _either(own: Value, of_pod: Value, key: str) -> Value:
    value = dig(own, key)
    return dig(of_pod, key) if value is None else value


def standard_of(graph: Graph, resource: Resource) -> Value:
    """Return the standard that the resource's namespace enforces, or may; None where the program does not say."""
    for space in graph.of_kind("core", "Namespace"):
        if may_equal(space.object_name, resource.namespace):
            labels = dig(space.props, "metadata", "labels")
            return labels.get(ENFORCE) if isinstance(labels, Mapping) else None
    return None
