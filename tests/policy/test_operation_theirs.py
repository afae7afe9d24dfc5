"""How servers are run: each rule on what others write."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from policy.checks import check_manifests
from policy.graph import UNKNOWN
from policy.packs import serving_operation
from tests.policy.programs import Manifest
from tests.policy.rendered import policies_in
from tests.policy.test_operation import (
    DEADLINE,
    DIES,
    DRAINS,
    FEATURES,
    FORMER,
    KNATIVE,
    MODES,
    PROBED,
    READ,
    SHARED,
    SIZED,
    TAKEN,
    UP,
    WAITED,
)
from tests.policy.theirs import (
    classifier,
    config_map,
    deployment,
    inference_service,
    knative_service,
    llm_inference_service,
    model_service,
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
            [knative_service(nodeSelector={"pool": "gpu"}), config_map("config-features", "knative-serving")],
            True,
        ),
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


# What each file of the corpus lacks beside what its header says: none but the fine Deployment has requests of memory,
# probes, a drain or /dev/shm.
_BARE = {SIZED, PROBED, DRAINS}
_SHARDED = _BARE | {SHARED}
LACKING: dict[str, set[str]] = {
    "deployment-args-on-upstream-image": _SHARDED,
    "deployment-not-for-agents": {SIZED, PROBED},  # no turns, one GPU
    "deployment-not-for-agents-too-full": {SIZED, PROBED, SHARED},
    "deployment-options-in-a-file": _SHARDED,
    "deployment-parser-newer-than-a-vendors-image": _BARE,
    "deployment-shell-with-config-map": _SHARDED,
    "deployment-tensor-parallel-one-gpu": _BARE,
    "deployment-uv-and-virtual-environment": _BARE,
    "deployment-variables-only": _BARE,
    "knative-service": {SIZED, UP},  # probed and drained by Knative, and scaled to zero by default
    "kserve-custom-image-entrypoint": {SIZED, DRAINS},  # KServe adds 1 CPU and 2Gi, and a probe
    "kserve-custom-shell-with-variables": {SIZED, DRAINS, SHARED},
    "kserve-huggingface-image-as-custom-container": {SIZED, DRAINS, SHARED},
    "kserve-huggingface-model-id": {SIZED},  # KServe's runtime: 1 CPU and 2Gi, and /dev/shm
    "kserve-model-without-runtime": {SIZED},
    "kserve-runtime-beside-with-name-placeholder": {SIZED, DRAINS},
    "kserve-runtime-chosen-by-priority": {SIZED, DRAINS, SHARED},
    "kserve-worker-with-ray": {SIZED, DRAINS, SHARED},
    "leaderworkerset-ray": _SHARDED,
    "pod-of-an-inference-service": {SIZED, DRAINS},
    "pod-with-modelcar-volume": {SIZED, SHARED},  # a Pod alone is never rolled out
    "statefulset-module-with-wrong-parser": _SHARDED,
    "statefulset-ranks-of-data-parallelism": _BARE,
    "deployment-chat-template-mistyped": _BARE,
    "deployment-compose-line-continuations": _BARE,
    "deployment-llama-with-vllms-template": _BARE,
    "deployment-llama-without-a-template": _BARE,
    "deployment-llm-d-modelservice": _SHARDED,
    "deployment-production-stack-rendered": {PROBED, DRAINS},  # its chart asks for cores and memory
    "deployment-release-older-than-its-model": _SHARDED,
    "gateway-route-and-server": _SHARDED,
    "ingress-nginx": _BARE,
    "kserve-several-sources-in-the-model": {SIZED, DRAINS, SHARED},
    "kserve-storage-initializer-pvc": {FORMER},  # its own server is no vLLM that could be told to drain
    "leaderworkerset-one-parser-for-all": _SHARDED,
    "list-export-too-full": _SHARDED,
    "openshift-ai-custom-runtime": {SIZED, DRAINS},  # RawDeployment is OpenShift AI's word
    "pod-with-sidecars": {SIZED},
    "rollout-argo-canary": _SHARDED,
    "statefulset-gpt-oss-in-a-small-window": _BARE,
    "statefulset-mig-slices": _BARE,
    "virtual-service-istio": _BARE,
}


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_file_of_the_corpus_is_told_what_it_lacks(file: Path) -> None:
    manifests = [each for each in yaml.safe_load_all(file.read_text(encoding="utf-8")) if each]
    assert _ours(*manifests) == LACKING.get(file.stem, set())
