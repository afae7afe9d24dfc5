"""How servers are run: each rule on what others write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from policy.checks import check_manifests
from policy.graph import UNKNOWN
from policy.packs import serving_operation
from tests.policy.programs import Manifest
from tests.policy.rendered import policies_in
from tests.policy.test_operation import (
    ADMITTED,
    ALONE,
    AWAITED,
    COUNTED,
    CUDA,
    DEADLINE,
    DIES,
    DRAINS,
    FEATURES,
    FORMER,
    KNATIVE,
    METRICS,
    MODES,
    PROBED,
    QUEUE,
    RANKED,
    READ,
    ROLLOUT,
    SETTLE,
    SHARED,
    SIZED,
    TAKEN,
    UP,
    WAITED,
)
from tests.policy.theirs import (
    alert,
    annotated,
    autoscaler,
    classifier,
    config_map,
    deployment,
    inference_service,
    knative_service,
    labelled,
    limit,
    llm_inference_service,
    model_service,
    priority,
    queue,
    scaled_object,
)

pytestmark = pytest.mark.policy

CORPUS = Path(__file__).parent / "corpus"


def _ours(*manifests: Manifest) -> set[str]:
    ours = {policy.name for policy in serving_operation.POLICIES}
    return policies_in(check_manifests(manifests)) & ours


LEAST = {"autoscaling.knative.dev/min-scale": "1"}
TWO = {"limits": {"nvidia.com/gpu": 2}}
MOUNTS = [{"name": "shm", "mountPath": "/dev/shm/"}]  # noqa: S108  the pod's own volume
DISK, RAM = {"name": "shm", "emptyDir": {}}, {"name": "shm", "emptyDir": {"medium": "Memory"}}
SLEEP = {"preStop": {"exec": {"command": ["/bin/sh", "-c", "sleep 300"]}}}
RUNAWAY = {"metricType": "Value", "metadata": {"query": "sum by (pod) (vllm:num_requests_waiting)"}}
PREFERRED = {
    "preferredDuringSchedulingIgnoredDuringExecution": [
        {
            "preference": {
                "matchExpressions": [{"key": "nvidia.com/cuda.driver-version.major", "operator": "Gt"}]
            }
        }
    ]
}


def flags(**data: str) -> Manifest:
    """Return Knative's feature flags."""
    return config_map("config-features", "knative-serving", **data)


def summed(kind: str) -> Manifest:
    """Return the scaling of a service by a sum."""
    external = {"metric": {"query": "sum(vllm:num_requests_running)"}, "target": {"type": kind, "value": "1"}}
    return {"metrics": [{"type": "External", "external": external}]}


PROGRESS = {"serving.knative.dev/progress-deadline": "1800s"}


@pytest.mark.parametrize(
    ("policy", "manifests", "fires"),
    [
        (MODES, [inference_service("serverless")], True),
        (MODES, [model_service("Raw")], True),
        (MODES, [model_service("Standard")], False),
        (FORMER, [inference_service("RawDeployment")], True),
        (FORMER, [model_service("Serverless")], True),
        (FORMER, [model_service("RawDeployment", runtime="vllm-cuda-runtime")], False),
        (FORMER, [inference_service("Knative")], False),
        (UP, [inference_service(minReplicas=0)], True),
        (UP, [knative_service()], True),
        (UP, [knative_service({"autoscaling.knative.dev/minScale": "0"})], True),
        (UP, [knative_service(LEAST)], False),
        (UP, [knative_service({"autoscaling.knative.dev/min-scale": UNKNOWN})], False),
        (UP, [llm_inference_service(scaling={"minReplicas": 0, "maxReplicas": 2})], True),
        (UP, [deployment(), scaled_object()], True),
        (UP, [deployment(), scaled_object(minReplicaCount=1, idleReplicaCount=0)], True),
        (UP, [deployment(), scaled_object(minReplicaCount=2)], False),
        (UP, [deployment(), scaled_object("web")], False),
        (UP, [inference_service("Standard"), scaled_object("llm-predictor", minReplicaCount=0)], True),
        (TAKEN, [inference_service("Knative", scaleMetric="memory")], True),
        (TAKEN, [inference_service(scaleMetric="memory")], False),
        (READ, [inference_service("RawDeployment", scaleMetric="concurrency", scaleTarget=8)], True),
        (READ, [inference_service("Knative", scaleMetric="concurrency", scaleTarget=8)], False),
        (KNATIVE, [knative_service(hostname="llm")], True),
        (KNATIVE, [knative_service(nodeSelector={"pool": "gpu"})], False),
        (
            KNATIVE,
            [
                knative_service(nodeSelector={"pool": "gpu"}),
                flags(**{"kubernetes.podspec-nodeselector": "no"}),
            ],
            True,  # any other word than enabled or allowed is Knative's default
        ),
        (
            KNATIVE,
            [knative_service(nodeSelector={"pool": "gpu"}), flags()],
            False,
        ),  # the cluster may have it on
        (FEATURES, [knative_service(nodeSelector={"pool": "gpu"}), flags()], True),
        (
            FEATURES,
            [
                knative_service(nodeSelector={"pool": "g"}),
                flags(**{"kubernetes.podspec-nodeselector": "enabled"}),
            ],
            False,
        ),
        (MODES, [annotated(deployment(), {"serving.kserve.io/deploymentMode": "standard"})], False),
        (FEATURES, [knative_service(nodeSelector={"pool": "gpu"})], True),
        (FEATURES, [inference_service("Serverless", tolerations=[{"operator": "Exists"}])], True),
        (FEATURES, [inference_service("Knative", volumes=[{"name": "shm", "emptyDir": {}}])], False),
        (FEATURES, [inference_service(nodeSelector={"pool": "gpu"})], False),
        (FEATURES, [inference_service("Knative", volumes=UNKNOWN)], False),
        (DIES, [deployment(resources={"limits": {"memory": "800Mi", "nvidia.com/gpu": 2}})], True),
        (DIES, [model_service(resources={"limits": {"memory": "16", "nvidia.com/gpu": 2}})], True),
        (DIES, [deployment(resources={"limits": {"memory": "4G", "nvidia.com/gpu": 2}})], False),
        (DIES, [inference_service()], False),
        (SIZED, [deployment()], True),
        (SIZED, [inference_service()], True),
        (SIZED, [inference_service(container={"resources": {"requests": {"memory": "24Gi"}, **TWO}})], True),
        (SIZED, [model_service(resources=TWO)], True),
        (SIZED, [model_service(runtime="vllm-cuda-runtime", resources=TWO)], False),
        (SIZED, [model_service(runtime="someone-elses", resources=TWO)], False),
        (SIZED, [inference_service(), config_map("inferenceservice-config", "kserve")], True),
        (SIZED, [llm_inference_service()], False),
        (SIZED, [deployment(resources={"requests": {"memory": "24Gi"}, **TWO})], False),
        (SIZED, [deployment(resources=UNKNOWN)], False),
        (SIZED, [deployment(resources={})], False),
        (SHARED, [deployment()], True),
        (SHARED, [deployment(kind="StatefulSet", volumeMounts=MOUNTS, pod={"volumes": [DISK]})], True),
        (SHARED, [deployment(volumeMounts=MOUNTS, pod={"volumes": [RAM]})], False),
        (SHARED, [deployment(pod={"hostIPC": True})], False),
        (SHARED, [deployment(command=["vllm", "serve", "Qwen/Qwen3.6-27B-FP8"])], False),
        (SHARED, [deployment(volumeMounts=UNKNOWN)], False),
        (SHARED, [model_service(args=["--tensor-parallel-size=2"], resources=TWO)], False),
        (SHARED, [llm_inference_service(parallelism={"tensor": 4})], False),
        (WAITED, [deployment(livenessProbe={"httpGet": {"path": "/health"}})], True),
        (WAITED, [deployment(startupProbe={"periodSeconds": 5, "failureThreshold": 12})], True),
        (WAITED, [deployment(startupProbe={"failureThreshold": 60})], False),
        (WAITED, [deployment(livenessProbe={"initialDelaySeconds": 600})], False),
        (WAITED, [deployment(spec={"progressDeadlineSeconds": 60})], True),
        (WAITED, [deployment(spec={"progressDeadlineSeconds": UNKNOWN})], False),
        (WAITED, [deployment(readinessProbe={"httpGet": {"path": "/health"}})], False),
        (WAITED, [llm_inference_service()], False),
        (WAITED, [llm_inference_service(model={"uri": "hf://zai-org/GLM-5.2-FP8"})], True),
        (PROBED, [deployment()], True),
        (PROBED, [deployment(kind="StatefulSet", livenessProbe={"failureThreshold": 90})], True),
        (PROBED, [deployment(readinessProbe=UNKNOWN)], False),
        (PROBED, [deployment(startupProbe={"failureThreshold": 60})], False),
        (PROBED, [inference_service()], False),
        (PROBED, [llm_inference_service()], False),
        (DRAINS, [deployment()], True),
        (DRAINS, [inference_service()], True),
        (DRAINS, [deployment(args=["--shutdown-timeout=300"])], True),
        (
            DRAINS,
            [deployment(args=["--shutdown-timeout=300"], pod={"terminationGracePeriodSeconds": 360})],
            False,
        ),
        (DRAINS, [deployment(lifecycle=SLEEP, pod={"terminationGracePeriodSeconds": 360})], False),
        (DRAINS, [deployment(image="vllm/vllm-openai:v0.17.1", lifecycle=SLEEP)], True),
        (DRAINS, [deployment(args=UNKNOWN)], False),
        (DRAINS, [inference_service("Knative")], False),
        (DRAINS, [llm_inference_service()], False),
        (ROLLOUT, [deployment()], True),
        (ROLLOUT, [deployment(spec={"replicas": 4})], False),  # 25 % of four may go first
        (ROLLOUT, [deployment(spec={"replicas": 2, "strategy": {"rollingUpdate": {"maxSurge": 0}}})], False),
        (ROLLOUT, [deployment(spec={"replicas": UNKNOWN})], False),
        (ROLLOUT, [deployment(kind="StatefulSet")], False),
        (ROLLOUT, [deployment(resources={})], False),
        (ROLLOUT, [inference_service("RawDeployment")], True),
        (ROLLOUT, [inference_service("Knative")], False),
        (ROLLOUT, [deployment(), *queue(gpus=4), labelled(deployment())], True),
        (ROLLOUT, [*queue(gpus=4), labelled(deployment())], False),
        (SETTLE, [deployment(), scaled_object(triggers=[RUNAWAY])], True),
        (SETTLE, [inference_service("Standard", autoScaling=summed("Value"))], True),
        (SETTLE, [inference_service("Standard", autoScaling=summed("AverageValue"))], False),
        (SETTLE, [inference_service("Standard", autoScaling=UNKNOWN)], False),
        (ALONE, [deployment(), scaled_object(), autoscaler()], True),
        (ALONE, [deployment(), autoscaler()], False),
        (ALONE, [deployment(), scaled_object(), autoscaler("web")], False),
        (ALONE, [inference_service("Standard"), autoscaler("llm-predictor")], True),
        (ALONE, [inference_service(), autoscaler("llm-predictor")], False),
        (METRICS, [deployment(), alert("vllm:gpu_cache_usage_perc > 0.9")], True),
        (
            METRICS,
            [deployment(image="vllm/vllm-openai:v0.10.2"), alert("vllm:gpu_cache_usage_perc > 1")],
            False,
        ),
        (METRICS, [alert("vllm:gpu_cache_usage_perc > 0.9")], False),
        (METRICS, [deployment(), alert(UNKNOWN)], False),
        (METRICS, [deployment(), alert("vllm:kv_cache_usage_perc > 0.9")], False),
        (QUEUE, [*queue(), labelled(deployment())], False),
        (QUEUE, [*queue(name="other"), labelled(deployment())], True),
        (QUEUE, [labelled(deployment())], False),
        (QUEUE, [*queue(name=UNKNOWN), labelled(deployment())], False),
        (ADMITTED, [*queue(gpus=1), labelled(deployment())], True),
        (ADMITTED, [*queue(gpus=1), deployment()], False),
        (
            ADMITTED,
            [*queue(), labelled(deployment(resources={"limits": {"nvidia.com/gpu": 2, "pods": 1}}))],
            True,
        ),
        (ADMITTED, [*queue(), labelled(deployment(resources=UNKNOWN))], False),
        (COUNTED, queue(extra=["nvidia.com/gpucores"]), True),
        (COUNTED, queue(extra=["nvidia.com/gpucores", "nvidia.com/total-gpucores"]), False),
        (COUNTED, queue(extra=[UNKNOWN]), False),
        (RANKED, [priority(), deployment(pod={"priorityClassName": "batch"})], True),
        (RANKED, [priority(), deployment(pod={"priorityClassName": "serving"})], False),
        (RANKED, [deployment(pod={"priorityClassName": "batch"})], False),
        (RANKED, [priority("WorkloadPriorityClass"), labelled(deployment(), "priority-class", "low")], True),
        (CUDA, [deployment(pod={"nodeSelector": {"nvidia.com/cuda.runtime.major": "12"}})], True),
        (CUDA, [deployment(pod={"nodeSelector": UNKNOWN})], False),
        (CUDA, [deployment(pod={"nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-L40S"}})], False),
        (CUDA, [inference_service(affinity={"nodeAffinity": PREFERRED})], True),
        (AWAITED, [annotated(deployment(), {"pulumi.com/skipAwait": True})], True),
        (AWAITED, [annotated(llm_inference_service(), {"pulumi.com/skipAwait": "true"})], True),
        (AWAITED, [annotated(deployment(), {"pulumi.com/skipAwait": UNKNOWN})], False),
        (KNATIVE, [knative_service(timeoutSeconds=900), limit("600")], True),
        (KNATIVE, [knative_service(timeoutSeconds=900), limit("3600")], False),
        (KNATIVE, [knative_service(timeoutSeconds=900), limit(UNKNOWN)], False),
        (KNATIVE, [inference_service("Knative", timeout=900)], False),
        (FEATURES, [inference_service("Knative", timeout=900)], True),
        (FEATURES, [inference_service("Knative", timeout=600)], False),
        (FEATURES, [inference_service("Standard", timeout=900)], False),
        (DEADLINE, [inference_service("Knative", annotations=PROGRESS)], True),
        (DEADLINE, [knative_service(PROGRESS)], True),
        (DEADLINE, [knative_service(PROGRESS, timeoutSeconds=600)], False),
        (DEADLINE, [inference_service("Knative", annotations=PROGRESS, timeout=UNKNOWN)], False),
        (DEADLINE, [inference_service("Knative", annotations=PROGRESS, timeout=660)], False),
    ],
)
def test_their_server_is_judged_alike(policy: str, manifests: list[Manifest], fires: bool) -> None:
    assert (policy in _ours(*manifests)) is fires


def test_what_serves_no_language_model_gets_no_word() -> None:
    assert _ours(classifier()) == set()


def test_a_server_that_no_agent_talks_to_may_be_scaled_to_zero() -> None:
    service = inference_service(minReplicas=0)
    service["metadata"]["labels"] = {"onprem-coding-agents/agents": "false"}
    assert UP not in _ours(service)


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_file_of_the_corpus_is_told_what_it_lacks(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    manifests = [each for each in yaml.safe_load_all(text) if each]
    lacks = re.search(r"^# lacks: (.+)$", text, re.MULTILINE)
    advice = {policy.name for policy in serving_operation.POLICIES if policy.level == "advisory"}
    assert _ours(*manifests) & advice == set(lacks[1].split(", ") if lacks else ())
