"""A stack's objects, changed so that servers on this machine's loopback answer instead of its simulated pods.

The gateway's own proxy runs on this machine, so Envoy Gateway's Backends may name a loopback address. Nothing but
the ways behind the gateway changes: who may call, limits and times stay what the stack declares.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from onprem_agents.manifests import Manifest
from onprem_agents.manifests.endpoints import backend_name, server_host, server_url
from onprem_agents.manifests.external_ingress import COMPONENT
from onprem_agents.manifests.meta import manifest
from onprem_agents.plan import PROXY_NAME, PlatformPlan

_API = "gateway.envoyproxy.io/v1alpha1"


@dataclass(frozen=True, kw_only=True)
class Redirect:
    """Where requests go: addresses `http://127.0.0.1:PORT` of the server of all roles and of the translation proxy."""

    server: str
    proxy: str | None = None

    @classmethod
    def read(cls, file: Path) -> Redirect:
        """Read what `write` wrote."""
        return cls(**json.loads(file.read_text(encoding="utf-8")))

    def write(self, file: Path) -> None:
        """Write it down as JSON."""
        file.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def redirected(plan: PlatformPlan, objects: Sequence[Manifest], redirect: Redirect) -> list[Manifest]:
    """Return all objects of a stack with the routes' and Backends' targets on loopback.

    A Service that a route leads to becomes a Backend, which is added before the first route.
    """
    targets = {server.service: (backend_name(server), redirect.server) for server in plan.servers}
    if redirect.proxy is not None:
        targets[PROXY_NAME] = (PROXY_NAME, redirect.proxy)
    addresses = dict(targets.values())
    own_hosts = {server_host(server) for server in plan.servers}
    changed, added = [], {}
    for each in objects:
        if each["kind"] == "Backend" and each["metadata"]["name"] in addresses:
            changed.append(each | {"spec": _loopback(addresses[each["metadata"]["name"]])})
        elif each["kind"] == "HTTPRoute":
            rules = [_rule(rule, targets, own_hosts) for rule in each["spec"]["rules"]]
            added.update({name: addresses[name] for rule in rules for name in _backends(rule)})
            changed.append(each | {"spec": each["spec"] | {"rules": rules}})
        else:
            changed.append(each)
    there = {each["metadata"]["name"] for each in changed if each["kind"] == "Backend"}
    backends = [
        manifest(plan, _API, "Backend", name, component=COMPONENT, spec=_loopback(address))
        for name, address in added.items()
        if name not in there
    ]
    first = next(place for place, each in enumerate(changed) if each["kind"] == "HTTPRoute")
    return [*changed[:first], *backends, *changed[first:]]


def models_at(plan: PlatformPlan, objects: Iterable[Manifest], server: str) -> list[Manifest]:
    """Return the translation proxy's objects with the models' address in its files replaced."""
    return [
        each
        | {
            "data": {
                name: _replaced(text, {server_url(each): server for each in plan.servers})
                for name, text in each["data"].items()
            }
        }
        if each["kind"] == "ConfigMap"
        else each
        for each in objects
    ]


def _rule(rule: Manifest, targets: dict[str, tuple[str, str]], own_hosts: set[str]) -> Manifest:
    """Return a rule with its targets replaced; the host name that Knative's ingress goes by is left out."""
    if "backendRefs" not in rule:
        return rule
    references = [_reference(each, targets) for each in rule["backendRefs"]]
    filters = [
        each for each in rule["filters"] if each.get("urlRewrite", {}).get("hostname") not in own_hosts
    ]
    return rule | {"backendRefs": references, "filters": filters}


def _reference(reference: Manifest, targets: dict[str, tuple[str, str]]) -> Manifest:
    if reference["kind"] != "Service" or reference["name"] not in targets:
        return reference
    name, _ = targets[reference["name"]]
    return {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": name, "weight": 1}


def _backends(rule: Manifest) -> list[str]:
    return [each["name"] for each in rule.get("backendRefs", ()) if each["kind"] == "Backend"]


def _loopback(address: str) -> Manifest:
    url = urlsplit(address)
    return {"type": "Endpoints", "endpoints": [{"ip": {"address": url.hostname, "port": url.port}}]}


def _replaced(text: str, words: dict[str, str]) -> str:
    for old, new in words.items():
        text = text.replace(old, new)
    return text
