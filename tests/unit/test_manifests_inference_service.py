"""The model server as KServe gets it: flags, source, probes, limits, shutdown, in both deployment modes."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.manifests import Manifest
from onprem_agents.manifests.inference_service import (
    disruption_budgets,
    inference_service,
    supporting_objects,
)
from onprem_agents.manifests.litellm import LITELLM
from onprem_agents.plan import PlatformPlan
from tests.unit.manifest_samples import planned

# Their defaults, Envoy 1.39 and LiteLLM 1.109.1 as a client (2026-11).
ENVOY_IDLE_SECONDS = 3600
LITELLM_IDLE_SECONDS = 120


def service(plan: PlatformPlan) -> Manifest:
    return inference_service(plan.server_parts[0])


def predictor(plan: PlatformPlan) -> Any:
    return service(plan)["spec"]["predictor"]


def server(plan: PlatformPlan) -> Any:
    return predictor(plan)["containers"][0]


def environment(plan: PlatformPlan) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in server(plan)["env"] if "value" in entry}


def test_the_server_runs_vllm_with_the_flags_of_the_plan() -> None:
    container = server(planned())

    assert container["name"] == "kserve-container", "KServe renames it otherwise, which shows up as drift"
    assert container["command"] == ["python3", "-m", "vllm.entrypoints.cli.main", "serve"]
    assert container["args"][0] == "/mnt/models"
    assert "--enable-auto-tool-choice" in container["args"]
    assert container["args"][container["args"].index("--served-model-name") + 1] == "coder"


def test_kserve_makes_neither_a_route_nor_an_autoscaler_of_its_own() -> None:
    metadata = service(planned())["metadata"]

    assert metadata["labels"]["networking.kserve.io/visibility"] == "cluster-local"
    assert metadata["annotations"]["serving.kserve.io/autoscalerClass"] == "none"
    assert metadata["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"


def test_the_deployment_waits_for_ready_as_long_as_a_model_may_load() -> None:
    annotations = service(planned(timeouts={"loadBudgetSeconds": 3600}))["metadata"]["annotations"]

    assert annotations["pulumi.com/waitFor"] == "condition=Ready"
    assert annotations["pulumi.com/timeoutSeconds"] == "3600"


def test_requests_equal_limits_and_are_strings() -> None:
    resources = server(planned())["resources"]

    assert resources["requests"] == resources["limits"]
    assert resources["limits"]["nvidia.com/gpu"] == "1"
    assert all(isinstance(amount, str) for amount in resources["limits"].values())


def test_the_startup_probe_lasts_as_long_as_the_load_budget() -> None:
    container = server(planned(timeouts={"loadBudgetSeconds": 1800}))
    probe = container["startupProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] >= 1800
    assert probe["httpGet"] == {"path": "/health", "port": 8080, "scheme": "HTTP"}
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"


def test_vllm_waits_for_its_engine_as_long_as_the_load_budget() -> None:
    assert environment(planned(timeouts={"loadBudgetSeconds": 1800}))["VLLM_ENGINE_READY_TIMEOUT_S"] == "1800"


def test_the_grace_period_covers_pause_and_drain_of_the_longest_turn() -> None:
    plan = planned(timeouts={"longestTurnSeconds": 900})

    assert server(plan)["lifecycle"] == {"preStop": {"sleep": {"seconds": 15}}}
    assert "--shutdown-timeout" in server(plan)["args"]
    assert predictor(plan)["terminationGracePeriodSeconds"] > 900 + 15


def test_nothing_of_the_server_calls_home() -> None:
    variables = environment(planned())

    assert variables["HF_HUB_OFFLINE"] == "1"
    assert variables["VLLM_NO_USAGE_STATS"] == "1"
    assert variables["DO_NOT_TRACK"] == "1"


def test_one_request_cannot_ask_for_thousands_of_answers() -> None:
    assert int(environment(planned())["VLLM_MAX_N_SEQUENCES"]) <= 16, "vLLM's own default is 16384"


def test_a_server_keeps_idle_connections_longer_than_what_stands_before_it() -> None:
    of_vllm = int(environment(planned())["VLLM_HTTP_TIMEOUT_KEEP_ALIVE"])
    of_litellm = int(LITELLM.environment["KEEPALIVE_TIMEOUT"])

    assert min(of_vllm, of_litellm) > max(ENVOY_IDLE_SECONDS, LITELLM_IDLE_SECONDS)


def test_the_server_key_is_a_reference_and_stands_nowhere_in_argv() -> None:
    container = server(planned())
    key = next(entry for entry in container["env"] if entry["name"] == "VLLM_API_KEY")

    assert key["valueFrom"] == {"secretKeyRef": {"name": "vllm-server-key", "key": "apiKey"}}
    assert "--api-key" not in container["args"]


def test_caches_are_writable_and_private() -> None:
    plan = planned()
    mounts = {mount["mountPath"]: mount["name"] for mount in server(plan)["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in predictor(plan)["volumes"]}

    assert "emptyDir" in volumes[mounts[environment(plan)["HOME"]]]
    assert volumes[mounts["/dev/shm"]]["emptyDir"]["medium"] == "Memory"  # noqa: S108  a path of the pod's


def test_no_service_of_the_namespace_can_change_vllms_settings() -> None:
    assert predictor(planned())["enableServiceLinks"] is False, "a Service called vllm would set VLLM_PORT"


def test_the_pod_goes_to_the_pool_and_tolerates_its_taint() -> None:
    pod = predictor(planned())

    assert pod["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-L40S"}
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert pod["priorityClassName"] == "coding-agents-serving"


def test_named_nodes_are_found_by_the_pools_own_labels() -> None:
    pod = predictor(planned(hardware={"nodeNames": ["node-a", "node-b"]}))

    assert pod["nodeSelector"] == {
        "onprem-coding-agents/gpu-pool": "l40s",
        "onprem-coding-agents/gpu-pool-namespace": "coding-agents",
    }


def test_replicas_are_fixed_and_the_rollout_is_the_plans() -> None:
    pod = predictor(planned(model={"replicas": 4}))

    assert (pod["minReplicas"], pod["maxReplicas"]) == (4, 4)
    assert pod["deploymentStrategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}, (
        "no GPU is free"
    )


@pytest.mark.parametrize(
    ("source", "volume", "mount"),
    [
        (
            "pvc://models/qwen/27b",
            {"persistentVolumeClaim": {"claimName": "models", "readOnly": True}},
            {"subPath": "qwen/27b"},
        ),
        ("pvc://models", {"persistentVolumeClaim": {"claimName": "models", "readOnly": True}}, {}),
        (
            "oci://registry.internal/qwen:1",
            {"image": {"reference": "registry.internal/qwen:1", "pullPolicy": "IfNotPresent"}},
            {"subPath": "models"},
        ),
    ],
)
def test_mounted_weights_need_no_download(source: str, volume: Manifest, mount: Manifest) -> None:
    pod = predictor(planned(model={"source": source}))
    weights = next(entry for entry in pod["volumes"] if entry["name"] == "model")
    mounted = next(entry for entry in pod["containers"][0]["volumeMounts"] if entry["name"] == "model")

    assert weights == {"name": "model", **volume}
    assert mounted == {"name": "model", "mountPath": "/mnt/models", "readOnly": True, **mount}
    assert "initContainers" not in pod


def test_weights_from_hugging_face_are_downloaded_before_the_server_starts() -> None:
    pod = predictor(planned(model={"revision": "abc123"}, serving={"storageSecret": "hf-token"}))
    (download,) = pod["initContainers"]

    assert download["args"] == ["hf://Qwen/Qwen3.6-27B-FP8:abc123", "/mnt/models"]
    assert download["envFrom"] == [{"secretRef": {"name": "hf-token"}}]
    assert "envFrom" not in pod["containers"][0], "the server has no use for the download's credentials"


def test_weights_from_an_object_store_are_downloaded_under_their_own_address() -> None:
    (download,) = predictor(planned(model={"source": "s3://bucket/qwen"}))["initContainers"]

    assert download["args"] == ["s3://bucket/qwen", "/mnt/models"]


def test_a_chat_template_of_the_stack_is_mounted_and_named() -> None:
    plan = planned(model={"chatTemplate": "{{ messages }}"})
    (template,) = (
        item
        for item in supporting_objects(plan.server_parts[0])
        if item["metadata"]["name"] == "coder-chat-template"
    )
    mount = next(entry for entry in server(plan)["volumeMounts"] if entry["name"] == "chat-template")
    arguments = server(plan)["args"]

    assert template["data"] == {"template.jinja": "{{ messages }}"}
    assert arguments[arguments.index("--chat-template") + 1] == f"{mount['mountPath']}/template.jinja"


def test_the_service_account_is_the_roles_own_and_gets_no_token() -> None:
    plan = planned()
    (account,) = (
        item for item in supporting_objects(plan.server_parts[0]) if item["kind"] == "ServiceAccount"
    )

    assert account["metadata"]["name"] == "coder"
    assert account["automountServiceAccountToken"] is False
    assert predictor(plan)["serviceAccountName"] == "coder"
    assert predictor(plan)["automountServiceAccountToken"] is False


def test_a_service_account_that_the_stack_names_is_used_and_not_made() -> None:
    plan = planned(serving={"serviceAccount": "models"})

    assert predictor(plan)["serviceAccountName"] == "models"
    assert {item["kind"] for item in supporting_objects(plan.server_parts[0])} == {"ConfigMap"}


def test_knative_gets_its_own_settings_and_none_that_it_refuses() -> None:
    plan = planned(serving={"mode": "Knative"}, timeouts={"loadBudgetSeconds": 1800})
    pod = predictor(plan)

    assert service(plan)["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Knative"
    assert "serving.kserve.io/autoscalerClass" not in service(plan)["metadata"]["annotations"]
    assert pod["annotations"]["serving.knative.dev/progress-deadline"] == "1800s"
    assert pod["containerConcurrency"] == plan.main.flags.max_num_seqs
    for refused in ("deploymentStrategy", "terminationGracePeriodSeconds"):
        assert refused not in pod
    assert "lifecycle" not in pod["containers"][0]


def test_two_replicas_get_a_disruption_budget_that_lets_nodes_drain() -> None:
    plan = planned(model={"replicas": 2})
    (budget,) = disruption_budgets(plan.server_parts[0])

    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert budget["spec"]["selector"]["matchLabels"].items() <= predictor(plan)["labels"].items()


def test_one_replica_gets_none_for_it_could_only_block_node_upgrades() -> None:
    plan = planned(model={"replicas": 1})

    assert disruption_budgets(plan.server_parts[0]) == []


def test_the_pods_wait_in_the_queue_where_the_stack_has_one() -> None:
    plan = planned(queue={"localQueue": "agents"})

    assert service(plan)["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "agents"


def test_replicas_ask_for_different_nodes_and_start_all_the_same_where_there_are_none() -> None:
    (wish,) = service(planned(model={"replicas": 2}))["spec"]["predictor"]["topologySpreadConstraints"]

    assert (wish["topologyKey"], wish["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")
    labels = service(planned(model={"replicas": 2}))["spec"]["predictor"]["labels"]
    assert wish["labelSelector"]["matchLabels"] == labels, "of this role's pods alone"


@pytest.mark.parametrize("sections", [{}, {"model": {"replicas": 2}, "serving": {"mode": "Knative"}}])
def test_one_replica_has_nothing_to_spread_and_knative_refuses_the_wish(sections: dict[str, Any]) -> None:
    assert "topologySpreadConstraints" not in service(planned(**sections))["spec"]["predictor"]


def test_the_download_asks_for_the_disk_that_it_fills() -> None:
    plan = planned()
    (download,) = service(plan)["spec"]["predictor"]["initContainers"]
    wanted = f"{plan.main.resources.download_gib}Gi"

    assert download["resources"]["requests"]["ephemeral-storage"] == wanted
    assert download["resources"]["limits"] == download["resources"]["requests"]
