"""Preflight finds DNS where the NetworkPolicy of a stack would not let pods ask it."""

from __future__ import annotations

from typing import Any, cast

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight import Check, preflight
from onprem_agents.manifests import render
from tests.unit.manifest_samples import planned
from tests.unit.preflight_samples import PretendedCluster

LOCAL_IP = "169.254.20.10,10.96.0.10"


class Cluster(PretendedCluster):
    """One with pods, each in its namespace."""

    def __init__(self, *pods: tuple[str, dict[str, Any]]) -> None:
        super().__init__()
        self.of_namespace = pods

    def list(self, _api: str, kind: str, _namespace: str | None = None) -> list[dict[str, Any]]:
        if kind == "Pod":
            return [pod for namespace, pod in self.of_namespace if _namespace in (None, namespace)]
        return super().list(_api, kind, _namespace)


def pod(*args: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"args": list(args)}]}, "status": {}}


def found(cluster: PretendedCluster, **sections: Any) -> dict[str, Check]:
    plan = planned(**sections)
    checks = preflight(plan, render(plan), cast("KubeClient", cluster))
    return {check.name: check for check in checks if "DNS" in check.name}


def openshift(*pods: tuple[str, dict[str, Any]]) -> Cluster:
    cluster = Cluster(*pods)
    cluster.objects["Namespace", "openshift-dns"] = {}
    return cluster


def test_a_cluster_that_tells_nothing_of_its_dns_is_taken_for_the_usual_one() -> None:
    assert found(Cluster(("kube-system", pod()))) == {}


def test_openshifts_dns_is_elsewhere_and_its_platform_is_named() -> None:
    check = found(openshift())["DNS"]

    assert check.verdict == "missing"
    assert "openshift-dns, at port 5353" in check.found
    assert "platform.platform to openshift-ai" in check.fix
    assert found(openshift(), platform="openshift-ai") == {}


def test_labels_that_no_dns_pod_bears_are_named() -> None:
    dns = {"dns": {"podLabels": {"k8s-app": "coredns"}}}
    check = found(Cluster(("kube-system", pod(**{"k8s-app": "kube-dns"}))), network=dns)["DNS"]

    assert check.found == "no pod of kube-system is labelled k8s-app=coredns"
    assert found(Cluster(("kube-system", pod(**{"k8s-app": "coredns"}))), network=dns) == {}
    assert found(Cluster(("elsewhere", pod(**{"k8s-app": "coredns"}))), network=dns) != {}


def test_the_nodes_own_cache_is_told_with_its_addresses() -> None:
    cache = pod("-localip", LOCAL_IP, "-conf", "/etc/Corefile", **{"k8s-app": "node-local-dns"})
    cluster = Cluster(("kube-system", cache), ("kube-system", cache))
    check = found(cluster)["NodeLocal DNSCache"]

    assert check.verdict == "doubtful"
    assert "[10.96.0.10/32, 169.254.20.10/32]" in check.fix
    half = found(cluster, network={"dns": {"cidrs": ["169.254.0.0/16"]}})["NodeLocal DNSCache"]
    assert "[10.96.0.10/32]" in half.fix
    assert found(cluster, network={"dns": {"cidrs": ["169.254.20.10/32", "10.96.0.10/32"]}}) == {}


def test_a_cache_that_tells_no_address_is_passed_over() -> None:
    for args in ((), ("-localip",), ("-localip", "__PILLAR__LOCAL__DNS__")):
        assert found(Cluster(("kube-system", pod(*args, **{"k8s-app": "node-local-dns"})))) == {}
