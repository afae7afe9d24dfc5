"""Plans to render manifests from: one small stack, changed section by section."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from onprem_agents.manifests import Manifest
from onprem_agents.plan import PlatformPlan, ProxyPart, plan_stack

STACK: dict[str, Any] = {
    "hardware": {"accelerator": "L40S", "gpusPerNode": 2, "nodes": 2},
    "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", "context": 65536}],
    "access": {
        "host": "agents.example.internal",
        "tls": {"secretName": "agents-tls"},
        "developers": {"alice": {}, "bob": {}},
    },
}
FAST = {"role": "fast", "model": "google/gemma-4-E4B-it", "context": 65536}


def planned(
    *, model: dict[str, Any] | None = None, second_role: bool = False, **sections: Any
) -> PlatformPlan:
    """Plan the small stack; `model` changes its role, other sections are merged one level deep."""
    raw = deepcopy(STACK)
    raw["models"][0].update(model or {})
    if second_role:
        raw["models"].append(dict(FAST))
    for name, value in sections.items():
        section = raw.get(name)
        raw[name] = section | value if isinstance(section, dict) else value
    return plan_stack(raw, stack="test")


def proxy_part(plan: PlatformPlan) -> ProxyPart:
    """Return the proxy of a plan that has one."""
    assert plan.proxy_part is not None
    return plan.proxy_part


def of_kind(documents: list[Manifest], kind: str) -> dict[str, Manifest]:
    """Return the documents of one kind by name."""
    return {document["metadata"]["name"]: document for document in documents if document["kind"] == kind}


def pod_specs(documents: list[Manifest]) -> dict[str, Manifest]:
    """Return every pod spec that the documents hold, by the name of what makes the pods."""
    found = {
        name: service["spec"]["predictor"] for name, service in of_kind(documents, "InferenceService").items()
    }
    for name, deployment in of_kind(documents, "Deployment").items():
        found[name] = deployment["spec"]["template"]["spec"]
    return found


def containers(pod: Manifest) -> Iterator[Manifest]:
    """Yield all containers of a pod spec."""
    yield from pod.get("initContainers", ())
    yield from pod["containers"]
