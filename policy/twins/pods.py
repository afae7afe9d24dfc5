"""Twins of the pack `supply-chain`: what the pods of model serving may do on their node."""

from __future__ import annotations

from ..rules.pod_rights import HARMLESS
from ..rules.pod_security import BASELINE_CAPABILITIES, ENFORCE, HOST_SWITCHES, NODE_FOLDERS, NODE_TREES
from .scope import PODS, containers_of
from .twin import Twin, get, text, texts

_LEVEL = f'namespaceObject.metadata.?labels[?{text(ENFORCE)}].orValue("")'
# Pods that serve one model together may use the node's network.
_SEVERAL = (
    'request.kind.kind == "LeaderWorkerSet" || object.?spec.?predictor.?workerSpec.hasValue()'
    ' || (request.kind.kind == "LLMInferenceService" && object.?spec.?worker.hasValue())'
)


def _node_folder() -> str:
    """Return the regular expression of folders from which a container rules its node."""
    folders = "|".join(sorted(folder.strip("/") for folder in NODE_FOLDERS))
    trees = "|".join(tree.strip("/").replace(".", "[.]") for tree in NODE_TREES)
    return text(f"(?s)^/*(?:(?:{folders})|.*[.]sock|(?:{trees})(?:/.*)?)/*$")


def _reaches() -> str:
    found = [
        f'variables.podSpecs.exists(p, p.?{switch}.orValue(false) == true) ? ["sets {switch}"] : []'
        for switch in HOST_SWITCHES
        if switch != "hostNetwork"
    ]
    found.append(
        f"!({_SEVERAL}) && variables.podSpecs.exists(p, p.?hostNetwork.orValue(false) == true)"
        ' ? ["sets hostNetwork"] : []'
    )
    privileged = "c.?securityContext.?privileged.orValue(false) == true"
    found.append(f'variables.containers.exists(c, {privileged}) ? ["sets privileged"] : []')
    volumes = get("p", "volumes", default="[]")
    folder = f"v.?hostPath.?path.hasValue() && v.hostPath.path.matches({_node_folder()})"
    found.append(
        f'variables.podSpecs.exists(p, {volumes}.exists(v, {folder})) ? ["mounts a folder of its node\'s own"] : []'
    )
    return " + ".join(f"({each})" for each in found)


def _writable() -> str:
    folder = f"v.?hostPath.?path.hasValue() && !v.hostPath.path.matches({_node_folder()})"
    serving = f"({get('p', 'containers', default='[]')} + (p.?model.hasValue() ? [p.model] : []))"
    mounts = get("c", "volumeMounts", default="[]")
    writes = "m.name == v.name && m.?readOnly.orValue(false) != true && !m.?subPath.hasValue()"
    volumes = get("p", "volumes", default="[]")
    return (
        f"variables.podSpecs.exists(p, {volumes}.exists(v, {folder} && {serving}.exists(c,"
        f' {mounts}.exists(m, {writes})))) ? ["can write to a folder of its node"] : []'
    )


def _either(key: str, default: str) -> str:
    own = "c.?securityContext.?"
    return f"{own}{key}.orValue(p.?securityContext.?{key}.orValue({default}))"


def _restricted() -> str:
    """Whether a container `c` of a pod `p` meets the standard `restricted`."""
    return " && ".join(
        (
            f"{_either('runAsNonRoot', 'false')} == true",
            f"{_either('runAsUser', '1')} != 0",
            "c.?securityContext.?allowPrivilegeEscalation.orValue(true) == false",
            f'"ALL" in {get("c", "securityContext", "capabilities", "drop", default="[]")}',
            f'{_either("seccompProfile", "{}")}.?type.orValue("") in ["RuntimeDefault", "Localhost"]',
        )
    )


def _unrestricted() -> str:
    """Whether some container has more rights; what a runtime or a preset completes may get the rest there."""
    completed = 'request.kind.kind == "LLMInferenceService" || p.?model.hasValue()'
    return (
        f"variables.podSpecs.exists(p, !({completed}) && {containers_of('p')}.exists(c, !({_restricted()})))"
    )


def _beyond_baseline() -> str:
    switches = " || ".join(f"p.?{switch}.orValue(false) == true" for switch in HOST_SWITCHES)
    added = get("c", "securityContext", "capabilities", "add", default="[]")
    context = (
        "c.?securityContext.?privileged.orValue(false) == true"
        f" || {added}.exists(a, !(a in {texts(sorted(BASELINE_CAPABILITIES))}))"
    )
    return (
        f"variables.podSpecs.exists(p, {switches}"
        f" || {get('p', 'volumes', default='[]')}.exists(v, v.?hostPath.hasValue()))"
        f" || variables.containers.exists(c, {context})"
    )


def _capabilities() -> str:
    """What is added beyond need, where no standard refuses it; a fabric that locks memory may be anywhere."""
    added = get("c", "securityContext", "capabilities", "add", default="[]")
    harmless = texts(sorted({*HARMLESS, "IPC_LOCK"}))
    beyond = f'{added}.filter(a, !(a in {harmless})).join(", ")'
    unprivileged = "c.?securityContext.?privileged.orValue(false) != true"
    return (
        f'{_LEVEL} in ["baseline", "restricted"] ? [] : variables.containers.filter(c, {unprivileged})'
        f'.map(c, {beyond}).filter(t, t != "").map(t, "adds " + t)'
    )


def _tolerations() -> str:
    all_taints = 't.?operator.orValue("") == "Exists" && t.?key.orValue("") == ""'
    tolerations = get("p", "tolerations", default="[]")
    return f'variables.podSpecs.exists(p, {tolerations}.exists(t, {all_taints})) ? ["tolerates every taint"] : []'


TWINS = (
    Twin(
        policy="pods-leave-their-node-alone",
        on=PODS,
        about_pods=True,
        faults=_reaches(),
        why="whoever breaks into the pod has its node. Remove it: the device plugin hands out GPUs without, and a"
        " memory-backed emptyDir at /dev/shm does instead of hostIPC.",
    ),
    Twin(
        policy="node-folders-are-read-only",
        on=PODS,
        about_pods=True,
        faults=_writable(),
        why="it outlives the pod and is shared by all pods there. Set readOnly: true at the mount, or mount a subPath"
        " of its own.",
    ),
    Twin(
        policy="pods-are-restricted",
        on=PODS,
        about_pods=True,
        faults=f'({_LEVEL} != "restricted" && {_unrestricted()}) ? ["runs with more rights than it needs"] : []',
        why="what breaks out of a server has them too. Set runAsNonRoot: true, allowPrivilegeEscalation: false,"
        " capabilities.drop: [ALL] and seccompProfile.type: RuntimeDefault.",
    ),
    Twin(
        policy="pods-pass-their-namespace",
        on=PODS,
        about_pods=True,
        faults=(
            f'({_LEVEL} in ["baseline", "restricted"] && ({_beyond_baseline()})'
            f' || {_LEVEL} == "restricted" && {_unrestricted()})'
            ' ? ["asks for more than the Pod Security Standard that its namespace enforces"] : []'
        ),
        why="no pod of it would start. Change the pod's fields, not the label of the namespace.",
    ),
    Twin(
        policy="capabilities-are-not-added",
        on=PODS,
        about_pods=True,
        faults=_capabilities(),
        why="no model server needs it, and whoever breaks into it has it too. Remove it from"
        " securityContext.capabilities.add.",
    ),
    Twin(
        policy="tolerations-name-their-taint",
        on=PODS,
        about_pods=True,
        faults=_tolerations(),
        why="it may land on the control plane, on nodes kept for others and on nodes that are going down. Name the"
        " taint of the GPU nodes: {key: nvidia.com/gpu, operator: Exists}.",
    ),
)
