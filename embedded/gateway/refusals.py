"""What was declared and is not in force: objects that Envoy Gateway refused, configuration that Envoy refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from onprem_agents.cluster import KubeClient

_GATEWAY_API = "gateway.networking.k8s.io/v1"
_ENVOY_GATEWAY = "gateway.envoyproxy.io/v1alpha1"
_KINDS = (
    (_GATEWAY_API, "Gateway"),
    (_GATEWAY_API, "HTTPRoute"),
    (_ENVOY_GATEWAY, "SecurityPolicy"),
    (_ENVOY_GATEWAY, "ClientTrafficPolicy"),
    (_ENVOY_GATEWAY, "BackendTrafficPolicy"),
    (_ENVOY_GATEWAY, "EnvoyExtensionPolicy"),
    (_ENVOY_GATEWAY, "EnvoyPatchPolicy"),
)
# Envoy 1.39.1 says in its log: delta config for type.googleapis.com/… rejected: Error adding/updating … .
_REJECTED = re.compile(r"config for type\.googleapis\.com/\S*?(\w+) rejected: (.+)")
_MESSAGE_CHARS = 300


def refused_objects(client: KubeClient, namespace: str) -> list[str]:
    """Return a sentence for each object of the namespace that Envoy Gateway does not accept as it is now."""
    found = []
    for api_version, kind in _KINDS:
        for each in client.list(api_version, kind, namespace):
            name, generation = each["metadata"]["name"], each["metadata"].get("generation")
            for condition in _conditions(each.get("status") or {}):
                stale = condition.get("observedGeneration", generation) != generation
                if condition["status"] == "False" and not stale:
                    message = " ".join(str(condition.get("message", "")).split())[:_MESSAGE_CHARS].rstrip(
                        " ."
                    )
                    found.append(f"{kind} {name} is not {condition['type']}: {message}")
    return list(dict.fromkeys(found))


def refused_by_envoy(log: Path, since_bytes: int) -> str | None:
    """Return what Envoy refused last, by its log from that place on; None when it took everything."""
    try:
        with log.open("rb") as file:
            file.seek(since_bytes if log.stat().st_size >= since_bytes else 0)
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return None
    told = _REJECTED.findall(text)
    return f"Envoy refused its {told[-1][0]}: {told[-1][1][:_MESSAGE_CHARS]}" if told else None


def _conditions(status: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from status.get("conditions") or ()
    for part in ("parents", "ancestors", "listeners"):
        for each in status.get(part) or ():
            yield from each.get("conditions") or ()
