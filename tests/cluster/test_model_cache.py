"""Weights that are kept between starts, on the embedded cluster: a Job fills a claim; KServe mounts its own cache.

Jobs of simulated pods end at once, and claims are bound to volumes that exist by name only. KServe's controller of
local models is not there: the claim that it would make is made by the test.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from embedded.cluster.kserve import NAMESPACE as KSERVE
from embedded.kube import KubeWriter
from onprem_agents.cluster import Object
from onprem_agents.manifests import server_bundles
from onprem_agents.plan.plan_parts import plan_server
from tests.cluster.looking import SERVING, condition, eventually, gone
from tests.cluster.test_parts_alone import Program

pytestmark = pytest.mark.cluster

_NAMESPACE = "model-cache"
_LABELS = "onprem-coding-agents/role=coder"
_ARGUMENTS: dict[str, Any] = {
    "role": "coder",
    "model": "Qwen/Qwen3.6-27B-FP8",
    "accelerator": "L40S",
    "gpusPerNode": 4,
    "namespace": _NAMESPACE,
    "keySecret": "server-key",
}
_PROGRAM = f"""
import pulumi
from onprem_agents_components import InferenceService

config = pulumi.Config()
InferenceService(
    "coder",
    {{
        "role": "coder",
        "model": "Qwen/Qwen3.6-27B-FP8",
        "revision": config.require("revision"),
        "accelerator": "L40S",
        "gpus_per_node": 4,
        "namespace": "{_NAMESPACE}",
        "server_key": config.require_secret("serverKey"),
        "cache": {{"pvc": {{}}}},
    }},
)
"""


@pytest.fixture
def namespace(client: KubeWriter) -> Iterator[str]:
    restricted = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    client.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE, "labels": restricted}}
    )
    yield _NAMESPACE
    client.delete("v1", "Namespace", _NAMESPACE)
    eventually(lambda: gone(client, _NAMESPACE), "the namespace is gone", seconds=60)


@pytest.fixture
def program(variables: Mapping[str, str], namespace: str, tmp_path: Path) -> Program:
    folder, backend = tmp_path / "theirs", tmp_path / "state"
    folder.mkdir()
    backend.mkdir()
    (folder / "Pulumi.yaml").write_text(f"name: {namespace}\nruntime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(_PROGRAM, encoding="utf-8")
    made = Program(folder=folder, environment={**variables, "PULUMI_BACKEND_URL": f"file://{backend}"})
    made.pulumi("stack", "init", "dev")
    made.pulumi("config", "set", "revision", "1111aaaa")
    made.pulumi("config", "set", "--secret", "serverKey", "the-key-of-the-server-0123456789abcdef")
    return made


def found(client: KubeWriter, api_version: str, kind: str) -> dict[str, Object]:
    every = client.list(api_version, kind, _NAMESPACE, labels=_LABELS)
    return {each["metadata"]["name"]: each for each in every}


def test_a_job_fills_the_claim_before_the_server_starts_and_another_revision_is_another_job(
    program: Program, client: KubeWriter
) -> None:
    program.pulumi("up")

    ((first, job),) = found(client, "batch/v1", "Job").items()
    service = client.get(SERVING, "InferenceService", "coder", _NAMESPACE)
    (claim,) = found(client, "v1", "PersistentVolumeClaim").values()
    assert condition(job, "Complete")
    assert condition(service, "Ready")
    assert job["status"]["completionTime"] <= service["metadata"]["creationTimestamp"]
    assert (claim["metadata"]["name"], claim["status"]["phase"]) == (first, "Bound")
    pods = client.list("v1", "Pod", _NAMESPACE, labels="app.kubernetes.io/component=model-server")
    for pod in pods:
        names = [
            each["persistentVolumeClaim"]["claimName"] for each in pod["spec"]["volumes"] if claims(each)
        ]
        assert names == [first]
    assert len(pods) == 1
    program.pulumi("preview", "--expect-no-changes")

    program.pulumi("config", "set", "revision", "2222bbbb")
    program.pulumi("up")

    ((second, job),) = found(client, "batch/v1", "Job").items()
    assert second != first
    assert condition(job, "Complete")
    assert job["spec"]["template"]["spec"]["containers"][0]["args"][0] == "hf://Qwen/Qwen3.6-27B-FP8:2222bbbb"
    eventually(lambda: set(found(client, "v1", "PersistentVolumeClaim")) == {second}, "the old claim is gone")
    assert condition(client.get(SERVING, "InferenceService", "coder", _NAMESPACE), "Ready")

    program.pulumi("destroy")
    eventually(lambda: not found(client, "v1", "PersistentVolumeClaim"), "the claim goes with the stack")


def claims(volume: Object) -> bool:
    return "persistentVolumeClaim" in volume


@pytest.fixture
def local_models(client: KubeWriter) -> Iterator[None]:
    """Let KServe's webhooks look for local models, as its installation with them does."""
    config = client.get("v1", "ConfigMap", "inferenceservice-config", KSERVE)
    data: dict[str, str] = config["data"]

    def say(local_model: str) -> None:
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "inferenceservice-config", "namespace": KSERVE},
            "data": data | {"localModel": local_model},
        }
        client.apply(body, force=True)

    say(json.dumps(json.loads(data["localModel"]) | {"enabled": True}))
    yield
    say(data["localModel"])


@pytest.mark.usefixtures("local_models")
def test_kserve_mounts_its_own_cache_into_the_server(client: KubeWriter, namespace: str) -> None:
    part = plan_server(
        _ARGUMENTS | {"cache": {"localModelCache": {"nodeGroup": "gpus"}}}, stack="test", source="the test"
    )
    objects = [each.shown() for bundle in server_bundles(part) for each in bundle.objects]
    volume = {"accessModes": ["ReadWriteOnce"], "storageClassName": "kwok-volume"}
    size = {"storage": "100Gi"}
    client.apply(
        {
            "apiVersion": "serving.kserve.io/v1alpha1",
            "kind": "LocalModelNodeGroup",
            "metadata": {"name": "gpus"},
            "spec": {
                "storageLimit": "500Gi",
                "persistentVolumeSpec": {**volume, "capacity": size, "local": {"path": "/models"}},
                "persistentVolumeClaimSpec": {**volume, "resources": {"requests": size}},
            },
        }
    )
    for each in objects:
        client.apply(each)
    name = next(each for each in objects if each["kind"] == "LocalModelNamespaceCache")["metadata"]["name"]
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": f"{name}-gpus", "namespace": namespace},
        "spec": {**volume, "resources": {"requests": size}},
    }
    client.apply(claim)

    def ready() -> bool:
        return condition(client.get(SERVING, "InferenceService", "coder", namespace), "Ready")

    eventually(ready, "the server is ready", seconds=60)
    (pod,) = client.list("v1", "Pod", namespace, labels="app.kubernetes.io/component=model-server")
    (server,) = pod["spec"]["containers"]
    assert "initContainers" not in pod["spec"], "nothing is downloaded by the pod"
    assert [
        each["persistentVolumeClaim"]["claimName"] for each in pod["spec"]["volumes"] if claims(each)
    ] == [f"{name}-gpus"]
    (weights,) = [each for each in server["volumeMounts"] if each["mountPath"] == "/mnt/models"]
    assert weights["readOnly"]
    assert weights["subPath"].startswith("models/")
    client.delete("serving.kserve.io/v1alpha1", "LocalModelNodeGroup", "gpus")


def test_pods_with_a_folder_of_the_node_need_a_namespace_that_enforces_no_level(
    client: KubeWriter, namespace: str
) -> None:
    part = plan_server(
        _ARGUMENTS | {"cache": {"hostPath": {"path": "/var/lib/coding-agents"}}},
        stack="test",
        source="the test",
    )
    for bundle in server_bundles(part):
        for each in bundle.objects:
            client.apply(each.shown())

    def refused() -> bool:
        made = client.list("apps/v1", "ReplicaSet", namespace)
        messages = [each["message"] for one in made for each in one.get("status", {}).get("conditions", [])]
        return any("hostPath" in message for message in messages)

    eventually(refused, "Pod Security refuses the pod", seconds=60)
    level = {"pod-security.kubernetes.io/enforce": "privileged"}
    client.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": level}},
        force=True,
    )

    def ready() -> bool:
        return condition(client.get(SERVING, "InferenceService", "coder", namespace), "Ready")

    eventually(ready, "the server is ready", seconds=120)
