"""The pods that a stack declares, as the scheduler sees them: requests, tolerations, the nodes that they ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from onprem_agents.cluster.preflight.check import Object


@dataclass(frozen=True, kw_only=True)
class Pod:
    """One kind of pod: who makes it, how often, and its spec."""

    owner: str
    count: int
    spec: Object
    serves: bool
    """Whether it is a model server."""


def pods_of(objects: Sequence[Object]) -> list[Pod]:
    """Return every kind of pod that the objects declare."""
    return list(_pods(objects))


def server_pods(objects: Sequence[Object]) -> list[Pod]:
    """Return those of model servers."""
    return [pod for pod in _pods(objects) if pod.serves]


def _pods(objects: Sequence[Object]) -> Iterator[Pod]:
    for each in objects:
        name = each["metadata"]["name"]
        if each["kind"] == "InferenceService":
            predictor = each["spec"]["predictor"]
            count = int(predictor.get("maxReplicas") or 1)
            yield Pod(owner=name, count=count, spec=predictor, serves=True)
        elif each["kind"] == "Deployment":
            spec = each["spec"]
            count = int(spec.get("replicas") or 1)
            yield Pod(owner=name, count=count, spec=spec["template"]["spec"], serves=False)
        elif each["kind"] == "Job":
            yield Pod(owner=name, count=1, spec=each["spec"]["template"]["spec"], serves=False)


def containers_of(pod: Object) -> Iterator[Object]:
    """Yield all containers of a pod, those that run before the others included."""
    yield from pod.get("initContainers") or []
    yield from pod.get("containers") or []


def tolerates(pod: Object, taint: Mapping[str, str]) -> bool:
    """Whether a pod may run on a node with that taint (Kubernetes, taints and tolerations)."""
    return any(_matches(toleration, taint) for toleration in pod.get("tolerations") or [])


def _matches(toleration: Mapping[str, str], taint: Mapping[str, str]) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("key") not in (None, "", taint["key"]):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")
