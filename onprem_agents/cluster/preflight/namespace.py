"""What the stack's namespace allows, where it is there already: its quota, and the limits of a container."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.cluster.preflight.pods import Pod, containers_of, pods_of
from onprem_agents.plan import PlatformPlan, container_amounts, pod_requests
from onprem_agents.units import parse_quantity

# Kinds that a quota may also count by their plain name (Kubernetes, Resource Quotas, 1.36).
_PLAIN_COUNTS = ("configmaps", "persistentvolumeclaims", "secrets", "services")


def check_quotas(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield the quotas that the stack's pods, or its objects by their number, would exceed."""
    quotas = client.list("v1", "ResourceQuota", plan.namespace)
    if quotas:
        total = _total(pods_of(objects)) | _counts(objects, client)
        for quota in quotas:
            yield _quota(quota, total)


def check_limits(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield the limits that one of the stack's containers, pods or claims would not keep."""
    for limits in client.list("v1", "LimitRange", plan.namespace):
        yield _limits(limits, objects)


def _total(pods: Sequence[Pod]) -> dict[str, Fraction]:
    total: dict[str, Fraction] = {"pods": Fraction(sum(pod.count for pod in pods))}
    total["count/pods"] = total["pods"]
    for pod in pods:
        for name, amount in pod_requests(pod.spec).items():
            for key in (name, f"requests.{name}"):
                total[key] = total.get(key, Fraction(0)) + pod.count * amount
        for name, amount in pod_requests(pod.spec, "limits").items():
            key = f"limits.{name}"
            total[key] = total.get(key, Fraction(0)) + pod.count * amount
    return total


def _counts(objects: Sequence[Object], client: KubeClient) -> dict[str, Fraction]:
    """Return how many objects of each kind the stack declares, and the storage that its claims ask for."""
    served = {(resource.api_version, resource.kind): resource for resource in client.resources()}
    counts: Counter[str] = Counter()
    storage = Fraction(0)
    for each in objects:
        resource = served.get((each["apiVersion"], each["kind"]))
        if resource is not None and resource.namespaced:
            counts[f"count/{resource.plural}.{resource.group}".rstrip(".")] += 1
            if not resource.group and resource.plural in _PLAIN_COUNTS:
                counts[resource.plural] += 1
        if each["kind"] == "PersistentVolumeClaim":
            storage += parse_quantity(str(each["spec"]["resources"]["requests"]["storage"]))
    return {name: Fraction(count) for name, count in counts.items()} | {"requests.storage": storage}


def _quota(quota: Object, total: Mapping[str, Fraction]) -> Check:
    spec = quota.get("spec", {})
    over = [
        f"{name}: the stack needs {_plain(total[name])}, the quota is {amount}"
        for name, amount in (spec.get("hard") or {}).items()
        if name in total and total[name] > parse_quantity(str(amount))
    ]
    return Check.of(
        f"ResourceQuota {quota['metadata']['name']}",
        holds=not over,
        found="; ".join(over) or "the stack stays below it",
        fix="let the quota be raised, or lower replicas in platform.models: what is above it is never made",
        doubtful=bool(spec.get("scopes") or spec.get("scopeSelector")),  # it may not be about these pods
    )


def _limits(limits: Object, objects: Sequence[Object]) -> Check:
    pods = [pod.spec for pod in pods_of(objects)]
    asked = {
        "Container": [container_amounts(each) for pod in pods for each in containers_of(pod)],
        "Pod": [pod_requests(pod) for pod in pods],
        "PersistentVolumeClaim": [
            container_amounts(each["spec"]) for each in objects if each["kind"] == "PersistentVolumeClaim"
        ],
    }
    wrong = [
        told
        for limit in limits.get("spec", {}).get("limits") or []
        for told in _kept(limit, asked.get(limit.get("type", ""), []))
    ]
    return Check.of(
        f"LimitRange {limits['metadata']['name']}",
        holds=not wrong,
        found="; ".join(wrong) or "the stack's containers stay within it",
        fix="let the limits be changed for this namespace: the API server refuses the pods otherwise",
    )


def _kept(limit: Object, asked: Sequence[Mapping[str, Fraction]]) -> Iterator[str]:
    """Yield what the largest, or the smallest, of those that ask does not keep."""
    kind = str(limit.get("type", "")).lower()
    for name, most in (limit.get("max") or {}).items():
        largest = max((amounts[name] for amounts in asked if name in amounts), default=None)
        if largest is not None and largest > parse_quantity(str(most)):
            yield f"{name}: a {kind} needs {_plain(largest)}, at most {most} is allowed"
    for name, least in (limit.get("min") or {}).items():
        smallest = min((amounts[name] for amounts in asked if name in amounts), default=None)
        if smallest is not None and smallest < parse_quantity(str(least)):
            yield f"{name}: a {kind} asks for {_plain(smallest)}, at least {least} is wanted"


def _plain(amount: Fraction) -> str:
    return f"{float(amount / 2**30):g}Gi" if amount >= 2**30 else f"{float(amount):g}"
