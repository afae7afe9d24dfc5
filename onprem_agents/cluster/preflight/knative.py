"""Knative Serving, for `serving.mode: Knative`: it refuses fields of a pod until a feature flag allows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from onprem_agents.catalog import (
    DEFAULTS,
    FEATURES,
    KNATIVE_NAMESPACE,
    LONGEST_KEY,
    LONGEST_SECONDS,
    feature_value,
    features_needed,
)
from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.cluster.preflight.pods import server_pods
from onprem_agents.plan import PlatformPlan


def check_knative(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield the feature flags that the stack's pods need, and whether a turn may take as long as it is given."""
    if plan.settings.serving.mode != "Knative":
        return
    pods = [pod.spec for pod in server_pods(objects)]
    stated = (client.find("v1", "ConfigMap", FEATURES, KNATIVE_NAMESPACE) or {}).get("data") or {}
    for flag in dict.fromkeys(flag for pod in pods for flag, _ in features_needed(pod)):
        value = feature_value(flag, stated)
        yield Check.of(
            f"Knative's {flag}",
            holds=value != "disabled",
            found=value,
            fix=f"set {flag}: enabled in ConfigMap {FEATURES} of {KNATIVE_NAMESPACE}, or platform.serving.mode to "
            "Standard; Knative's webhook refuses the model server otherwise",
        )
    defaults = (client.find("v1", "ConfigMap", DEFAULTS, KNATIVE_NAMESPACE) or {}).get("data") or {}
    yield _request_cap(pods, defaults)


def _request_cap(pods: Sequence[Object], defaults: Mapping[str, str]) -> Check:
    said = str(defaults.get(LONGEST_KEY) or "")
    cap = int(said) if said.isdigit() else LONGEST_SECONDS
    wanted = max((int(pod.get("timeout") or 0) for pod in pods), default=0)
    return Check.of(
        f"Knative's {LONGEST_KEY}",
        holds=cap >= wanted,
        found=str(cap),
        fix=f"set it to {wanted} or more in ConfigMap {DEFAULTS} of {KNATIVE_NAMESPACE}, or lower "
        "platform.timeouts.longestTurnSeconds: a longer turn is refused as a revision",
    )
