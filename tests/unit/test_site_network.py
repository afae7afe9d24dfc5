"""Where DNS is, where downloads may go, a company's proxy: settings, refusals, NetworkPolicies, environment."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan
from tests.unit.manifest_samples import of_kind, planned, pod_specs

PROXY = {"httpsProxy": "http://proxy.example.internal:3128"}


def egress(plan: PlatformPlan, policy: str) -> Any:
    return of_kind(render(plan), "NetworkPolicy")[policy]["spec"]["egress"]


def downloads(**network: Any) -> Any:
    return egress(planned(network=network), "model-download")


def download_environment(**sections: Any) -> dict[str, str]:
    (container,) = pod_specs(render(planned(**sections)))["coder"]["initContainers"]
    return {each["name"]: each["value"] for each in container["env"]}


def problems(**network: Any) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as refused:
        planned(network=network)
    return tuple(refused.value.problems)


def test_dns_may_be_in_another_namespace_at_another_port_behind_labels() -> None:
    dns = {"namespace": "openshift-dns", "port": 5353, "podLabels": {"dns": "default"}}
    (rule,) = egress(planned(network={"dns": dns}), "allow-dns")

    assert rule["to"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}},
            "podSelector": {"matchLabels": {"dns": "default"}},
        }
    ]
    assert rule["ports"] == [{"protocol": "UDP", "port": 5353}, {"protocol": "TCP", "port": 5353}]


def test_a_dns_server_on_the_node_itself_is_reached_by_its_address() -> None:
    pods, node = egress(planned(network={"dns": {"cidrs": ["169.254.20.10/32"], "port": 5353}}), "allow-dns")

    assert pods["ports"][0]["port"] == 5353
    assert node["to"] == [{"ipBlock": {"cidr": "169.254.20.10/32"}}], "it runs in the host's network: no pod"
    assert {port["port"] for port in node["ports"]} == {53}, "clients ask it at DNS's own port"


def test_downloads_go_where_is_said_and_nowhere_else() -> None:
    assert downloads(egress=[{"cidr": "10.20.30.0/24", "ports": [9000]}]) == [
        {"to": [{"ipBlock": {"cidr": "10.20.30.0/24"}}], "ports": [{"protocol": "TCP", "port": 9000}]}
    ]


@pytest.mark.parametrize(
    ("proxy", "peers"),
    [
        (PROXY, None),
        (PROXY | {"cidr": "10.20.40.0/28"}, [{"ipBlock": {"cidr": "10.20.40.0/28"}}]),
        ({"httpsProxy": "http://10.20.40.10:3128"}, [{"ipBlock": {"cidr": "10.20.40.10/32"}}]),
        ({"httpProxy": "http://[fd00::1]:3128"}, [{"ipBlock": {"cidr": "fd00::1/128"}}]),
    ],
)
def test_beside_a_proxy_downloads_reach_the_proxy_alone(proxy: Any, peers: Any) -> None:
    rule = {"ports": [{"protocol": "TCP", "port": 3128}]}

    assert downloads(proxy=proxy) == [rule if peers is None else {"to": peers} | rule]


def test_a_proxy_comes_to_the_places_that_are_reached_directly() -> None:
    direct, proxy = downloads(egress=[{"cidr": "10.20.30.0/24", "ports": [9000]}], proxy=PROXY)

    assert direct["ports"] == [{"protocol": "TCP", "port": 9000}]
    assert proxy == {"ports": [{"protocol": "TCP", "port": 3128}]}


def test_the_download_is_told_of_the_proxy_in_both_spellings_and_the_server_is_not() -> None:
    network = {"proxy": PROXY | {"noProxy": [".example.internal"]}}
    found = download_environment(network=network)

    for name in ("HTTPS_PROXY", "https_proxy"):
        assert found[name] == "http://proxy.example.internal:3128"
    for name in ("NO_PROXY", "no_proxy"):
        assert found[name] == "localhost,127.0.0.1,.svc,.cluster.local,.example.internal"
    assert "HTTP_PROXY" not in found, "nobody said one"
    (server,) = pod_specs(render(planned(network=network)))["coder"]["containers"]
    assert not {each["name"].lower() for each in server["env"]} & {"https_proxy", "no_proxy"}


@pytest.mark.parametrize(
    ("network", "where", "fix"),
    [
        ({"dns": {"cidrs": ["169.254.20.10"]}}, "dns.cidrs[0]", "write 169.254.20.10/32"),
        ({"egress": [{"cidr": "10.20.30.5/24", "ports": [9000]}]}, "egress[0].cidr", "write 10.20.30.0/24"),
        ({"egress": [{"cidr": "minio", "ports": [9000]}]}, "egress[0].cidr", "write it like 10.20.0.0/16"),
        ({"dns": {"podLabels": {"a b": "c"}}}, "dns.podLabels", "dns.operator.openshift.io"),
        ({"dns": {"podLabels": {"a": "b c"}}}, "dns.podLabels", "write it like default"),
        ({"dns": {"namespace": "Kube_System"}}, "dns.namespace", "write it like certificates"),
        ({"proxy": {"httpsProxy": "proxy:3128"}}, "proxy.httpsProxy", "http://proxy.example.internal:3128"),
        ({"proxy": {"httpsProxy": "http://proxy"}}, "proxy.httpsProxy", "http://proxy.example.internal:3128"),
        ({"proxy": {}}, "proxy", "say 'httpsProxy'"),
        ({"proxy": PROXY | {"noProxy": ["a,b"]}}, "proxy.noProxy[0]", ".example.internal"),
        ({"proxy": PROXY | {"noProxy": ["10.0.0.0/8"]}}, "proxy.noProxy[0]", ".example.internal"),
    ],
)
def test_what_no_policy_and_no_client_could_read_is_refused(network: Any, where: str, fix: str) -> None:
    (problem,) = problems(**network)

    assert problem.where.startswith(f"platform.network.{where}")
    assert fix in problem.fix


@pytest.mark.parametrize("port", [0, 65536, "443"])
def test_a_port_is_a_port(port: Any) -> None:
    (problem,) = problems(egress=[{"cidr": "10.20.30.0/24", "ports": [port]}])

    assert problem.where == "platform.network.egress[0].ports[0]"


def test_a_proxys_password_is_neither_taken_nor_shown() -> None:
    (problem,) = problems(proxy={"httpsProxy": "http://me:geheim@proxy.example.internal:3128"})

    assert "geheim" not in str(problem)
    assert "storageSecret" in problem.fix
