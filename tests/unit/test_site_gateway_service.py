"""The Service in front of the gateway: what Envoy Gateway is told, what developers are told, what is refused."""

from __future__ import annotations

from typing import Any, cast

import pytest

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight import preflight
from onprem_agents.errors import InvalidInput
from onprem_agents.manifests import Manifest, render
from onprem_agents.plan import PlatformPlan
from tests.unit.manifest_samples import of_kind, planned
from tests.unit.preflight_samples import PretendedCluster

NAME = "addresses for LoadBalancer Services"


def kubernetes(plan: PlatformPlan) -> Manifest:
    """Return what the stack says of the pods and Service that Envoy Gateway makes."""
    spec = of_kind(render(plan), "EnvoyProxy")["coding-agents"]["spec"]
    found: Manifest = spec.get("provider", {}).get("kubernetes", {})
    return found


def service(port: int = 443, **settings: Any) -> Any:
    return kubernetes(planned(access={"gatewayService": settings, "port": port}))["envoyService"]


def addresses(**settings: Any) -> Any:
    gateway = of_kind(render(planned(access={"gatewayService": settings})), "Gateway")["coding-agents"]
    return gateway["spec"].get("addresses")


def told(port: int, **settings: Any) -> tuple[str, ...]:
    return planned(access={"gatewayService": settings, "port": port}).site


def refused(**access: Any) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as error:
        planned(access=access)
    (problem,) = error.value.problems
    return problem.found, problem.fix


def test_where_nothing_is_said_the_class_decides() -> None:
    assert kubernetes(planned(access={"gatewayReplicas": 1})) == {}
    assert addresses() is None


def test_a_load_balancer_is_asked_for_by_class_and_annotations() -> None:
    found = service(loadBalancerClass="metallb.io/metallb", annotations={"metallb.io/address-pool": "agents"})

    assert found == {
        "type": "LoadBalancer",
        "loadBalancerClass": "metallb.io/metallb",
        "annotations": {"metallb.io/address-pool": "agents"},
    }


def test_addresses_of_ones_own_are_the_gateways_and_every_node_takes_their_traffic() -> None:
    assert addresses(addresses=["192.0.2.10", "fd00::10"]) == [
        {"type": "IPAddress", "value": "192.0.2.10"},
        {"type": "IPAddress", "value": "fd00::10"},
    ]
    assert service(addresses=["192.0.2.10"])["externalTrafficPolicy"] == "Cluster"


@pytest.mark.parametrize(
    ("port", "settings", "of_nodes"), [(30443, {}, 30443), (443, {"nodePort": 31000}, 31000), (443, {}, None)]
)
def test_a_node_listens_on_the_port_that_developers_are_told_or_on_one_of_its_own(
    port: int, settings: dict[str, int], of_nodes: int | None
) -> None:
    found = service(port, type="NodePort", **settings)
    ports = found.get("patch", {}).get("value", {}).get("spec", {}).get("ports", [{}])

    assert found["externalTrafficPolicy"] == "Cluster", "a node without an Envoy would drop what reaches it"
    assert ports[0].get("nodePort") == of_nodes
    assert ports[0].get("port", port) == port, "ports of a Service are merged by their number"


@pytest.mark.parametrize(
    ("port", "settings", "words"),
    [
        (30443, {"type": "NodePort"}, "agents.example.internal:30443, so the name must lead to nodes"),
        (443, {"type": "NodePort", "nodePort": 31000}, "pass connections on to port 31000 of the nodes"),
        (443, {"type": "NodePort"}, "say nodePort to fix it"),
        (443, {"addresses": ["192.0.2.10"]}, "your network must lead 192.0.2.10 to the nodes"),
        (443, {"type": "ClusterIP"}, "only the cluster's own network reaches"),
    ],
)
def test_the_plan_says_what_must_lead_developers_to_the_gateway(
    port: int, settings: dict[str, Any], words: str
) -> None:
    (line,) = told(port, **settings)

    assert line.startswith(f"developers connect to agents.example.internal:{port}")
    assert words in line


def test_the_contract_tells_the_listeners_port_whatever_the_nodes_listen_on() -> None:
    plan = planned(access={"gatewayService": {"type": "NodePort", "nodePort": 31000}, "port": 8443})

    assert plan.connection.to_wire()["baseUrl"] == "https://agents.example.internal:8443/v1"


@pytest.mark.parametrize(
    ("settings", "found", "fix"),
    [
        ({"type": "NodePort", "loadBalancerClass": "a"}, "type NodePort", "remove 'loadBalancerClass'"),
        ({"nodePort": 31000}, "type LoadBalancer", "set 'type' to NodePort"),
        ({"type": "ClusterIP", "addresses": ["10.0.0.1", "10.0.0.2"]}, "2 addresses", "keep one"),
        ({"addresses": ["10.0.0.1", "10.0.0.1"]}, "10.0.0.1", "once"),
        ({"addresses": ["lb.example.internal"]}, "lb.example.internal", "192.0.2.10"),
        ({"type": "Ingress"}, "Ingress", "platform.access.gatewayService.type"),
        ({"annotations": {"a b": "c"}}, "a b", "write it like"),
    ],
)
def test_a_service_that_cannot_be_is_refused(settings: dict[str, Any], found: str, fix: str) -> None:
    told_found, told_fix = refused(gatewayService=settings)

    assert found in told_found
    assert fix in told_fix


def test_two_ports_of_the_nodes_are_one_too_many() -> None:
    found, fix = refused(port=30443, gatewayService={"type": "NodePort", "nodePort": 31000})

    assert found == "'nodePort' 31000 beside 'port' 30443"
    assert "set 'port' to 31000" in fix


def checked(plan: PlatformPlan, cluster: PretendedCluster) -> dict[str, Any]:
    found = preflight(plan, render(plan), cast("KubeClient", cluster))
    return {check.name: check for check in found}


def bare_metal() -> PretendedCluster:
    cluster = PretendedCluster()
    cluster.objects["Service", "ingress"] = {"spec": {"type": "LoadBalancer"}, "status": {}}
    return cluster


def test_preflight_names_the_setting_where_nothing_gives_addresses() -> None:
    check = checked(planned(), bare_metal())[NAME]

    assert check.verdict == "missing"
    assert "platform.access.gatewayService.type to NodePort" in check.fix


@pytest.mark.parametrize(
    "settings", [{"type": "NodePort"}, {"type": "ClusterIP"}, {"addresses": ["192.0.2.10"]}]
)
def test_preflight_asks_for_no_load_balancer_that_is_not_wanted(settings: dict[str, Any]) -> None:
    check = checked(planned(access={"gatewayService": settings}), bare_metal())[NAME]

    assert (check.verdict, check.found) == ("ok", "not needed: the Gateway's Service waits for none")


def test_preflight_reads_the_type_that_the_class_says() -> None:
    cluster = bare_metal()
    cluster.objects["GatewayClass", "envoy-gateway"]["spec"] = {
        "parametersRef": {"kind": "EnvoyProxy", "name": "own", "namespace": "envoy-gateway-system"}
    }
    cluster.objects["EnvoyProxy", "own"] = {
        "spec": {"provider": {"kubernetes": {"envoyService": {"type": "NodePort"}}}}
    }

    assert checked(planned(), cluster)[NAME].verdict == "ok"
    own = checked(planned(access={"gatewayService": {}}), cluster)[NAME]
    assert own.verdict == "missing", "the stack says LoadBalancer"
