"""Model servers as other people declare them, each with the parts under test left to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.policy.programs import Manifest

IMAGE = "docker.io/vllm/vllm-openai:v0.33.0"
SERVE = ["vllm", "serve", "Qwen/Qwen3.6-27B-FP8", "--tensor-parallel-size=2"]


def server(**fields: Any) -> Manifest:
    """Return a container that serves on two GPUs."""
    return {
        "name": "kserve-container",
        "image": IMAGE,
        "command": list(SERVE),
        "resources": {"limits": {"nvidia.com/gpu": 2}},
        **fields,
    }


def deployment(
    *, spec: Manifest | None = None, pod: Manifest | None = None, kind: str = "Deployment", **fields: Any
) -> Manifest:
    """Return a Deployment, or another workload of the group apps, whose container has these fields."""
    template = {
        "metadata": {"labels": {"app": "llm"}},
        "spec": {"containers": [server(**fields)], **(pod or {})},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {"template": template, **(spec or {})},
    }


def inference_service(mode: Any = None, *, container: Manifest | None = None, **predictor: Any) -> Manifest:
    """Return an InferenceService with a container of its own, in this mode."""
    annotations = {} if mode is None else {"serving.kserve.io/deploymentMode": mode}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "llm", "namespace": "ml", "annotations": annotations},
        "spec": {"predictor": {"containers": [server(**(container or {}))], **predictor}},
    }


def model_service(mode: Any = None, *, runtime: str = "kserve-vllmserver", **model: Any) -> Manifest:
    """Return an InferenceService whose model a runtime of KServe serves."""
    service = inference_service(mode)
    service["spec"]["predictor"] = {
        "model": {
            "modelFormat": {"name": "vLLM"},
            "runtime": runtime,
            "storageUri": "hf://Qwen/Qwen3.6-27B-FP8",
            **model,
        }
    }
    return service


def llm_inference_service(**spec: Any) -> Manifest:
    """Return an LLMInferenceService that a preset of KServe completes."""
    return {
        "apiVersion": "serving.kserve.io/v1alpha2",
        "kind": "LLMInferenceService",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {"model": {"uri": "hf://Qwen/Qwen3.6-27B-FP8", "name": "Qwen/Qwen3.6-27B-FP8"}, **spec},
    }


def knative_service(annotations: Manifest | None = None, **pod: Any) -> Manifest:
    """Return a Service of Knative."""
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {
            "template": {
                "metadata": {"annotations": annotations or {}},
                "spec": {"containers": [server()], **pod},
            }
        },
    }


def config_map(name: str, namespace: str, **data: Any) -> Manifest:
    """Return a ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def limit(seconds: object) -> Manifest:
    """Return Knative's limit for requests."""
    return config_map("config-defaults", "knative-serving", **{"max-revision-timeout-seconds": seconds})


def scaled_object(target: str = "llm", **spec: Any) -> Manifest:
    """Return a ScaledObject of KEDA for a Deployment."""
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "scaler", "namespace": "ml"},
        "spec": {"scaleTargetRef": {"name": target}, **spec},
    }


def autoscaler(target: str = "llm") -> Manifest:
    """Return a HorizontalPodAutoscaler of a Deployment."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "hpa", "namespace": "ml"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": target}, "maxReplicas": 2},
    }


def alert(expression: Any) -> Manifest:
    """Return an alert of Prometheus."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "alerts", "namespace": "ml"},
        "spec": {"groups": [{"name": "llm", "rules": [{"alert": "Full", "expr": expression}]}]},
    }


def queue(name: Any = "gpus", *, gpus: Any = 8, extra: Sequence[Any] = ()) -> list[Manifest]:
    """Return a LocalQueue and its ClusterQueue, which covers these resources beside the usual ones."""
    quotas = {"cpu": 64, "memory": "512Gi", "nvidia.com/gpu": gpus}
    flavor = {
        "name": "all",
        "resources": [{"name": key, "nominalQuota": each} for key, each in quotas.items()],
    }
    return [
        {
            "apiVersion": "kueue.x-k8s.io/v1beta2",
            "kind": "ClusterQueue",
            "metadata": {"name": "all"},
            "spec": {"resourceGroups": [{"coveredResources": [*quotas, *extra], "flavors": [flavor]}]},
        },
        {
            "apiVersion": "kueue.x-k8s.io/v1beta2",
            "kind": "LocalQueue",
            "metadata": {"name": name, "namespace": "ml"},
            "spec": {"clusterQueue": "all"},
        },
    ]


def labelled(manifest: Manifest, label: str = "queue-name", value: Any = "gpus") -> Manifest:
    """Return an object with one of Kueue's labels."""
    manifest["metadata"].setdefault("labels", {})[f"kueue.x-k8s.io/{label}"] = value
    return manifest


def annotated(manifest: Manifest, annotations: Manifest) -> Manifest:
    """Return an object with these annotations."""
    manifest["metadata"].setdefault("annotations", {}).update(annotations)
    return manifest


def priority(kind: str = "PriorityClass") -> Manifest:
    """Return a class of priority called `serving`."""
    group = "scheduling.k8s.io/v1" if kind == "PriorityClass" else "kueue.x-k8s.io/v1beta2"
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "serving"}, "value": 1000}


def classifier() -> Manifest:
    """Return an InferenceService that serves no language model."""
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": "iris",
            "namespace": "ml",
            "annotations": {"serving.kserve.io/deploymentMode": "serverless", "pulumi.com/skipAwait": "true"},
        },
        "spec": {"predictor": {"minReplicas": 0, "model": {"modelFormat": {"name": "sklearn"}}}},
    }
