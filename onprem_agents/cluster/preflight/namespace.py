"""What the stack's namespace allows, where it is there already: its quota, and the limits of a container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.cluster.preflight.nodes import requests_of
from onprem_agents.plan import PlatformPlan
from onprem_agents.units import parse_quantity


def check_namespace(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield the quotas that the stack's pods would exceed, and the limits that one of their containers would."""
    pods = list(_pods(objects))
    total = _total(pods)
    for quota in client.list("v1", "ResourceQuota", plan.namespace):
        yield _quota(quota, total)
    for limits in client.list("v1", "LimitRange", plan.namespace):
        yield _limits(limits, [pod for pod, _ in pods])


def _pods(objects: Sequence[Object]) -> Iterator[tuple[Object, int]]:
    """Yield each pod that is declared, with how often it runs."""
    for each in objects:
        if each["kind"] == "InferenceService":
            predictor = each["spec"]["predictor"]
            yield predictor, int(predictor.get("maxReplicas") or 1)
        elif each["kind"] == "Deployment":
            yield each["spec"]["template"]["spec"], int(each["spec"].get("replicas") or 1)
        elif each["kind"] == "Job":
            yield each["spec"]["template"]["spec"], 1


def _total(pods: Sequence[tuple[Object, int]]) -> dict[str, Fraction]:
    total: dict[str, Fraction] = {"pods": Fraction(sum(count for _, count in pods))}
    for pod, count in pods:
        for name, amount in requests_of(pod).items():
            for key in (name, f"requests.{name}"):
                total[key] = total.get(key, Fraction(0)) + count * amount
            # Requests equal limits in every pod of a model server.
            key = f"limits.{name}"
            total[key] = total.get(key, Fraction(0)) + count * amount
    return total


def _quota(quota: Object, total: Mapping[str, Fraction]) -> Check:
    hard = quota.get("spec", {}).get("hard") or {}
    over = [
        f"{name}: the stack needs {float(total[name]):g}, the quota is {float(parse_quantity(str(amount))):g}"
        for name, amount in hard.items()
        if name in total and total[name] > parse_quantity(str(amount))
    ]
    return Check.of(
        f"ResourceQuota {quota['metadata']['name']}",
        holds=not over,
        found="; ".join(over) or "the stack's pods stay below it",
        fix="let the quota be raised, or lower replicas in platform.models: pods above it are never made",
    )


def _limits(limits: Object, pods: Sequence[Object]) -> Check:
    over = [
        f"{name}: a container needs {float(amount):g}, at most {text} is allowed"
        for limit in limits.get("spec", {}).get("limits") or []
        if limit.get("type") in ("Container", "Pod")
        for name, text in (limit.get("max") or {}).items()
        for amount in [max((requests_of(pod).get(name, Fraction(0)) for pod in pods), default=Fraction(0))]
        if amount > parse_quantity(str(text))
    ]
    return Check.of(
        f"LimitRange {limits['metadata']['name']}",
        holds=not over,
        found="; ".join(over) or "the stack's containers stay below it",
        fix="let the limit be raised: the API server refuses the model server's pods",
    )
