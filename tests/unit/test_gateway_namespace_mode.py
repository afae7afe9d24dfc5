"""Where Envoy Gateway runs its proxies in the Gateway's own namespace, our walls let exactly their traffic through.

The walls are read as Kubernetes reads them: a pod that policies of a direction pick takes what one of them allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from onprem_agents.manifests import Manifest, render
from onprem_agents.manifests.envoy_provider import proxy_labels, proxy_port
from onprem_agents.manifests.inference_service import pod_labels
from onprem_agents.manifests.translation_proxy import pod_labels as translation_labels
from onprem_agents.plan import PlatformPlan
from tests.unit.manifest_samples import of_kind, planned


@dataclass(frozen=True, kw_only=True)
class Pod:
    namespace: str
    labels: dict[str, str] = field(default_factory=dict)


PLAN = planned(translation="litellm")
OURS = PLAN.namespace
ENVOY = Pod(namespace=OURS, labels={"app.kubernetes.io/name": "envoy"} | proxy_labels(PLAN))
OTHER_GATEWAY = Pod(
    namespace=OURS, labels=proxy_labels(PLAN) | {"gateway.envoyproxy.io/owning-gateway-name": "other"}
)
SERVER = Pod(namespace=OURS, labels=pod_labels(PLAN.server_parts[0]))
LITELLM = Pod(namespace=OURS, labels=dict(translation_labels(PLAN)))
CONTROLLER = Pod(namespace="anywhere", labels={"control-plane": "envoy-gateway"})
CLIENT = Pod(namespace="ingress")
KOURIER = Pod(namespace="kourier-system")
STRANGER = Pod(namespace="batch")


def picks(selector: Manifest, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    among = selector.get("matchExpressions", [])
    assert {each["operator"] for each in among} <= {"In"}
    return wanted.items() <= labels.items() and all(labels.get(e["key"]) in e["values"] for e in among)


def allows(peer: Manifest, pod: Pod) -> bool:
    assert peer.keys() <= {"podSelector", "namespaceSelector"}
    place = {"kubernetes.io/metadata.name": pod.namespace}
    near = picks(peer["namespaceSelector"], place) if "namespaceSelector" in peer else pod.namespace == OURS
    return near and picks(peer.get("podSelector", {}), pod.labels)


def passes(
    plan: PlatformPlan, direction: Literal["Ingress", "Egress"], pod: Pod, other: Pod, port: int
) -> bool:
    """Return whether the policies of a pod let it talk to another in one direction."""
    key, side = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    specs = [each["spec"] for each in of_kind(render(plan), "NetworkPolicy").values()]
    mine = [
        spec for spec in specs if direction in spec["policyTypes"] and picks(spec["podSelector"], pod.labels)
    ]
    if pod.namespace != OURS or not mine:
        return True

    def rules() -> Iterator[Manifest]:
        for spec in mine:
            yield from spec.get(key, [])

    return any(
        (side not in rule or any(allows(peer, other) for peer in rule[side]))
        and ("ports" not in rule or any(each["port"] == port for each in rule["ports"]))
        for rule in rules()
    )


def reaches(source: Pod, target: Pod, port: int, plan: PlatformPlan = PLAN) -> bool:
    return passes(plan, "Egress", source, target, port) and passes(plan, "Ingress", target, source, port)


def test_clients_reach_envoy_and_envoy_its_controller_the_servers_and_the_translation_proxy() -> None:
    assert reaches(CLIENT, ENVOY, 10443), "Envoy Gateway moves 443 to 10443 in the pod"
    assert reaches(ENVOY, CONTROLLER, 18000), "without it no Envoy ever has a configuration"
    assert reaches(ENVOY, SERVER, 8080)
    assert reaches(ENVOY, LITELLM, 4000)
    assert reaches(LITELLM, SERVER, 8080)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        (CLIENT, ENVOY, 19000),
        (CLIENT, SERVER, 8080),
        (CLIENT, LITELLM, 4000),
        (OTHER_GATEWAY, SERVER, 8080),
        (CLIENT, OTHER_GATEWAY, 10443),
        (ENVOY, STRANGER, 443),
        (ENVOY, CONTROLLER, 443),
        (SERVER, CONTROLLER, 18000),
        (SERVER, ENVOY, 10443),
    ],
)
def test_nothing_else_passes(source: Pod, target: Pod, port: int) -> None:
    plan = planned(translation="litellm", model={"source": "pvc://models"})

    assert not reaches(source, target, port, plan)


def test_another_port_of_the_gateway_is_opened_as_envoy_gateway_places_it() -> None:
    assert proxy_port(80) == 10080
    assert proxy_port(8443) == 8443
    plan = planned(access={"port": 8443})
    assert reaches(CLIENT, ENVOY, 8443, plan)
    assert not reaches(CLIENT, ENVOY, 10443, plan)


def test_with_knative_envoy_reaches_its_ingress() -> None:
    plan = planned(serving={"mode": "Knative"})

    assert reaches(ENVOY, KOURIER, 8081, plan)
    assert not reaches(ENVOY, KOURIER, 8081), "in no other mode"


def test_proxies_in_envoy_gateways_namespace_reach_the_servers_as_before() -> None:
    envoy: Any = {"namespace": "envoy-gateway-system", "labels": ENVOY.labels}

    assert reaches(Pod(**envoy), SERVER, 8080)
    assert not reaches(Pod(**envoy | {"namespace": "elsewhere"}), SERVER, 8080)
