"""Changes to how a server of our own stacks is run."""

from __future__ import annotations

from tests.policy.programs import drop, put
from tests.policy.rendered import Change, Objects
from tests.policy.theirs import config_map

STACK, ON_KNATIVE, EIGHT = "feature-litellm-oci", "feature-knative-pvc", "multi-gpu"
OBJECT = ("InferenceService/coder",)
NOTES = (*OBJECT, "metadata", "annotations")
SERVER = (*OBJECT, "spec", "predictor")
CONTAINER = (*SERVER, "containers", 0)
STRATEGY = (*SERVER, "deploymentStrategy")
LABEL = (*OBJECT, "metadata", "labels", "kueue.x-k8s.io/queue-name")
COVERED = ("ClusterQueue/gpu", "spec", "resourceGroups", 0)
NODES = (*SERVER, "affinity", "nodeAffinity")
MAJOR = "nvidia.com/cuda.runtime-version.major"
LIMITS = (*CONTAINER, "resources", "limits")
STARTUP = (*CONTAINER, "startupProbe")
MODE = (*NOTES, "serving.kserve.io/deploymentMode")
THEIRS = drop(*OBJECT, "metadata", "labels", "onprem-coding-agents/stack")
CLASS = (*NOTES, "serving.kserve.io/autoscalerClass")


def flags(**flags: object) -> Change:
    """Return a change that adds Knative's feature flags, each without its prefix and with _ for -."""
    data = {f"kubernetes.podspec-{name.replace('_', '-')}": value for name, value in flags.items()}
    return put("ConfigMap/config-features", value=config_map("config-features", "knative-serving", **data))


def argument(option: str, value: object) -> Change:
    """Return a change that gives an option of the server another value."""

    def change(objects: Objects) -> None:
        args = objects["InferenceService/coder"]["spec"]["predictor"]["containers"][0]["args"]
        args[args.index(option) + 1] = value

    return change


def shared(**empty_dir: object) -> Change:
    """Return a change of the volume at /dev/shm."""

    def change(objects: Objects) -> None:
        volumes = objects["InferenceService/coder"]["spec"]["predictor"]["volumes"]
        next(volume for volume in volumes if volume["name"] == "shm")["emptyDir"] = empty_dir

    return change


def unmounted(objects: Objects) -> None:
    container = objects["InferenceService/coder"]["spec"]["predictor"]["containers"][0]
    container["volumeMounts"] = [each for each in container["volumeMounts"] if each["name"] != "shm"]


def quota(gpus: object) -> Change:
    """Return a change of the queue's quota of GPUs."""

    def change(objects: Objects) -> None:
        (flavor,) = objects["ClusterQueue/gpu"]["spec"]["resourceGroups"][0]["flavors"]
        next(each for each in flavor["resources"] if each["name"] == "nvidia.com/gpu")["nominalQuota"] = gpus

    return change


def uncovered(objects: Objects) -> None:
    (group,) = objects["ClusterQueue/gpu"]["spec"]["resourceGroups"]
    group["coveredResources"].remove("ephemeral-storage")
    for flavor in group["flavors"]:
        flavor["resources"] = [each for each in flavor["resources"] if each["name"] != "ephemeral-storage"]


def scaler(
    name: str = "scaler", target: str = "coder-predictor", kind: object = None, query: str = ""
) -> Change:
    """Return a change that adds a ScaledObject of KEDA with one query."""
    trigger = {"type": "prometheus", "metricType": kind, "metadata": {"query": query}}
    return put(
        f"ScaledObject/{name}",
        value={
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": {"name": name, "namespace": "coding-agents"},
            "spec": {"scaleTargetRef": {"name": target}, "minReplicaCount": 1, "triggers": [trigger]},
        },
    )


def term(operator: str, *values: str) -> dict[str, object]:
    return {"matchExpressions": [{"key": MAJOR, "operator": operator, "values": list(values)}]}


def required(*terms: dict[str, object]) -> Change:
    return put(
        *NODES, value={"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    )


SUM = "sum(vllm:num_requests_running{namespace='coding-agents'})"
ALL_FLAGS = dict.fromkeys(
    (
        *("nodeselector", "tolerations", "priorityclassname", "securitycontext"),
        *("persistent_volume_claim", "init_containers"),
    ),
    "enabled",
)
