"""What Kueue makes of a stack's objects, said again from its rules: which pods it would never admit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

Object = Mapping[str, Any]
GPU = "nvidia.com/gpu"
GPUS = frozenset({GPU, "amd.com/gpu", "huawei.com/Ascend910"})
LABEL = "kueue.x-k8s.io/queue-name"
# As Knative's queue-proxy asks where its defaults are on (serving 1.21): it is in each pod of that mode.
QUEUE_PROXY = {"cpu": "25m", "memory": "400Mi", "ephemeral-storage": "512Mi"}
_FACTORS = {"m": Fraction(1, 1000), "": Fraction(1), "k": Fraction(1000)} | {
    f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGTP", start=1)
}


def never_admitted(objects: Sequence[Object]) -> list[str]:
    """Return why model servers would stay gated, one sentence a reason."""
    return list(_reasons(objects))


def amount(text: str) -> Fraction:
    digits = text.rstrip("KMGTPimk")
    return Fraction(digits) * _FACTORS[text.removeprefix(digits)]


def quotas_of(cluster_queue: Object) -> dict[str, Fraction]:
    """Return the quota of each resource that a queue of one group covers, over all its flavors."""
    (group,) = cluster_queue["spec"]["resourceGroups"]
    found: dict[str, Fraction] = {}
    for flavor in group["flavors"]:
        assert group["coveredResources"] == [each["name"] for each in flavor["resources"]], (
            "the API server asks for it"
        )
        for each in flavor["resources"]:
            found[each["name"]] = found.get(each["name"], Fraction(0)) + amount(each["nominalQuota"])
    return found


def requests_of(service: Object) -> dict[str, Fraction]:
    """Return what one pod asks for: its containers together, or one init container that asks for more."""
    pod = service["spec"]["predictor"]
    found: dict[str, Fraction] = {}
    running = [each["resources"]["requests"] for each in pod["containers"]]
    if service["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Knative":
        running.append(QUEUE_PROXY)
    for requests in running:
        for name, text in requests.items():
            found[name] = found.get(name, Fraction(0)) + amount(text)
    for each in pod.get("initContainers") or []:
        for name, text in each["resources"]["requests"].items():
            found[name] = max(found.get(name, Fraction(0)), amount(text))
    return found | {"pods": Fraction(1)}


def _reasons(objects: Sequence[Object]) -> Iterator[str]:
    local = {each["metadata"]["name"]: each for each in objects if each["kind"] == "LocalQueue"}
    queues = {each["metadata"]["name"]: each for each in objects if each["kind"] == "ClusterQueue"}
    used: dict[str, dict[str, Fraction]] = {}
    most_surging: dict[tuple[str, str], Fraction] = {}
    for service in (each for each in objects if each["kind"] == "InferenceService"):
        name = service["metadata"]["name"]
        label = service["metadata"]["labels"].get(LABEL)
        if label is None:
            yield f"{name} is in no queue"
            continue
        if label not in local or local[label]["spec"]["clusterQueue"] not in queues:
            yield f"{name} is in queue {label}, which leads nowhere"
            continue
        queue = local[label]["spec"]["clusterQueue"]
        pod, replicas, surge = (
            requests_of(service),
            service["spec"]["predictor"]["maxReplicas"],
            _surge(service),
        )
        total = used.setdefault(queue, {})
        for resource, asked in pod.items():
            # Surge pods of several roles may wait for each other's GPUs; one of them finds some.
            pods = replicas if resource in GPUS else replicas + surge
            total[resource] = total.get(resource, Fraction(0)) + pods * asked
        if service["spec"]["predictor"].get("deploymentStrategy"):
            (gpu,) = GPUS & pod.keys()
            most_surging[queue, gpu] = max(most_surging.get((queue, gpu), Fraction(0)), surge * pod[gpu])
    for (queue, gpu), surging in most_surging.items():
        used[queue][gpu] += surging
    yield from _beyond(used, queues)


def _beyond(used: Mapping[str, Mapping[str, Fraction]], queues: Mapping[str, Object]) -> Iterator[str]:
    for queue, total in used.items():
        quotas = quotas_of(queues[queue])
        for resource, asked in total.items():
            if resource not in quotas:
                yield f"{queue} does not cover {resource}"
            elif quotas[resource] < asked:
                yield f"{queue} has {float(quotas[resource]):g} {resource}, the pods ask for {float(asked):g}"


def _surge(service: Object) -> int:
    predictor = service["spec"]["predictor"]
    if "deploymentStrategy" not in predictor:
        return int(predictor["maxReplicas"])  # Knative starts a whole new revision
    return int(predictor["deploymentStrategy"].get("rollingUpdate", {}).get("maxSurge", 0))
