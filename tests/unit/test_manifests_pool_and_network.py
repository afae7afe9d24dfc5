"""Nodes, priority and queues of the pool; who may talk to whom in the namespace."""

from __future__ import annotations

from typing import Any

from onprem_agents.manifests import render
from onprem_agents.manifests.gpu_node_pool import node_patches, priority_class
from onprem_agents.manifests.queues import queues
from onprem_agents.plan import PlatformPlan
from tests.unit.manifest_samples import of_kind, planned


def policies(plan: PlatformPlan) -> dict[str, Any]:
    return {name: item["spec"] for name, item in of_kind(render(plan), "NetworkPolicy").items()}


def test_named_nodes_get_the_pools_labels_and_the_taint() -> None:
    first, second = node_patches(planned(hardware={"nodeNames": ["node-a", "node-b"]}).pool_part)

    assert (first["metadata"]["name"], second["metadata"]["name"]) == ("node-a", "node-b")
    assert first["metadata"]["labels"] == {
        "onprem-coding-agents/gpu-pool": "l40s",
        "onprem-coding-agents/gpu-pool-namespace": "coding-agents",
    }, "another namespace's pool of the same GPUs is another pool"
    assert first["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]


def test_the_taint_can_be_left_to_others() -> None:
    patch, _ = node_patches(planned(hardware={"nodeNames": ["node-a", "node-b"], "taint": False}).pool_part)

    assert "spec" not in patch


def test_nodes_that_nobody_names_are_not_touched() -> None:
    assert node_patches(planned().pool_part) == []


def test_serving_pushes_batch_work_aside_and_is_nobodys_default() -> None:
    priority = priority_class(planned().pool_part)

    assert 0 < priority["value"] < 1_000_000_000, "higher values belong to the system"
    assert "globalDefault" not in priority, "the API server drops a false one: drift for ever"


def test_without_a_queue_section_there_are_no_queues() -> None:
    assert queues(planned().pool_part) == []


def test_the_queue_is_in_the_namespace_and_leads_to_the_cluster_wide_one_of_the_pools_flavor() -> None:
    plan = planned(queue={}, model={"replicas": 2})
    flavor, cluster_queue, local_queue = queues(plan.pool_part, plan.server_parts)
    (group,) = cluster_queue["spec"]["resourceGroups"]

    assert group["flavors"][0]["name"] == flavor["metadata"]["name"]
    assert flavor["spec"]["nodeLabels"] == plan.pools[0].node_selector
    assert local_queue["spec"]["clusterQueue"] == cluster_queue["metadata"]["name"]
    assert local_queue["metadata"]["namespace"] == plan.namespace


def test_everything_is_denied_both_ways_by_default() -> None:
    deny = policies(planned())["default-deny"]

    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_only_the_gateways_proxies_reach_a_model_server() -> None:
    (rule,) = policies(planned())["model-servers"]["ingress"]
    other, own = rule["from"]

    assert rule["ports"] == [{"protocol": "TCP", "port": 8080}]
    assert other["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "envoy-gateway-system"
    }
    assert other["podSelector"] == own["podSelector"], "Envoy Gateway may run its proxies in either namespace"
    assert own["podSelector"]["matchLabels"]["gateway.envoyproxy.io/owning-gateway-name"] == "coding-agents"


def test_a_download_needs_a_way_out_and_mounted_weights_do_not() -> None:
    assert policies(planned())["model-download"]["egress"] == [{"ports": [{"protocol": "TCP", "port": 443}]}]
    assert "model-download" not in policies(planned(model={"source": "pvc://models/qwen"}))
    assert "model-download" not in policies(planned(model={"source": "oci://registry.internal/qwen:1"}))


def test_without_a_download_dns_is_the_only_way_out_of_the_namespace() -> None:
    ways_out = {
        name: spec["egress"]
        for name, spec in policies(planned(model={"source": "pvc://models"})).items()
        if "egress" in spec
    }

    gateway = ways_out.pop("gateway")  # where its Envoys run here, they ask their controller
    assert [rule["ports"] for rule in gateway] == [
        [{"protocol": "TCP", "port": 18000}, {"protocol": "TCP", "port": 18002}],
        [{"protocol": "TCP", "port": 8080}],
    ]
    assert list(ways_out) == ["allow-dns"]
    assert {port["port"] for port in ways_out["allow-dns"][0]["ports"]} == {53}


def test_a_proxy_stands_between_gateway_and_servers() -> None:
    found = policies(planned(translation="litellm"))
    proxy = found["translation-proxy"]
    server_peers = found["model-servers"]["ingress"][0]["from"]

    assert proxy["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 4000}]
    assert proxy["egress"][0]["ports"] == [{"protocol": "TCP", "port": 8080}]
    assert {"podSelector": proxy["podSelector"]} in server_peers
