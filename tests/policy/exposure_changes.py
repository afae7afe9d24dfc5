"""Changes of our own stacks that open, leak or wall off: what the tests of the pack `exposure` bend."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.policy.programs import put
from tests.policy.rendered import Change, Objects

ROUTE = "HTTPRoute/coding-agents-agents"
RULE = (ROUTE, "spec", "rules", 0)
POLICY = ("SecurityPolicy/coding-agents-keys", "spec")
GATEWAY = ("Gateway/coding-agents", "spec")
CLIENT = ("ClientTrafficPolicy/coding-agents", "spec")
ON_THE_GATEWAY = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "coding-agents"}]
TEAM_TOKEN = {
    "providers": [{"audiences": ["models"], "claimToHeaders": [{"claim": "team", "header": "X-Team"}]}]
}
PLAIN = {"name": "http", "port": 80, "protocol": "HTTP"}


def variable(name: str, value: Any) -> Change:
    def change(objects: Objects) -> None:
        container = objects["InferenceService/coder"]["spec"]["predictor"]["containers"][0]
        container["env"].append({"name": name, "value": value})

    return change


def plain_listener(objects: Objects) -> None:
    objects["Gateway/coding-agents"]["spec"]["listeners"].append(dict(PLAIN))


def words(*words: Any) -> Change:
    def change(objects: Objects) -> None:
        objects["InferenceService/coder"]["spec"]["predictor"]["containers"][0]["args"] += words

    return change


def service(**spec: Any) -> Change:
    labels = {"serving.kserve.io/inferenceservice": "coder"}
    return put(
        "Service/open",
        value={
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "open", "namespace": "coding-agents"},
            "spec": {"selector": labels, **spec},
        },
    )


def provider(host: Any) -> Change:
    """Return a change that gives the turns of the first rule a second way, to a host."""
    backend = {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": "other", "namespace": "coding-agents"},
        "spec": {"endpoints": [{"fqdn": {"hostname": host, "port": 443}}]},
    }

    def change(objects: Objects) -> None:
        objects["Backend/other"] = backend
        ref = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "other"}
        objects[ROUTE]["spec"]["rules"][0]["backendRefs"].append(ref)

    return change


def litellm(*, more_models: Sequence[Any] = (), **parts: Any) -> Change:
    """Return a change of LiteLLM's configuration."""

    def change(objects: Objects) -> None:
        data = objects["ConfigMap/translation-proxy"]["data"]
        content = json.loads(data["config.yaml"])
        content["model_list"] += more_models
        for key, value in parts.items():
            content[key] = {**content.get(key, {}), **value}
        data["config.yaml"] = json.dumps(content)

    return change


HOSTED_MODEL = {"model_name": "big", "litellm_params": {"model": "anthropic/claude-opus-5"}}


def into_envoys_own_namespace(objects: Objects) -> None:
    """Move the Gateway and what belongs to it, and let routes follow."""
    for each in objects.values():
        if each["kind"] in ("Gateway", "ClientTrafficPolicy", "EnvoyProxy"):
            each["metadata"]["namespace"] = "envoy-gateway-system"
        if each["kind"] == "HTTPRoute":
            for ref in each["spec"]["parentRefs"]:
                ref["namespace"] = "envoy-gateway-system"
