"""What keeps weights between starts is there: a storage class that suits, KServe's local models, Knative's flags."""

from __future__ import annotations

import json
from typing import Any

import pytest

from onprem_agents.cluster.preflight import Check
from onprem_agents.plan import PlatformPlan
from tests.unit.manifest_samples import planned
from tests.unit.preflight_samples import PretendedCluster, missing

LOCAL = {"cache": {"localModelCache": {"nodeGroup": "gpus"}}}


def storage_class(provisioner: str = "csi.example.internal", *, default: bool = False) -> dict[str, Any]:
    return {
        "provisioner": provisioner,
        "metadata": {
            "annotations": {"storageclass.kubernetes.io/is-default-class": str(default).lower()},
        },
    }


class WithClasses(PretendedCluster):
    """A cluster with storage classes, whose annotations count."""

    def __init__(self, **classes: dict[str, Any]) -> None:
        super().__init__()
        self.classes = classes
        self.served.append(("serving.kserve.io", "v1alpha1", "LocalModelNamespaceCache"))

    def list(self, api: str, kind: str, namespace: str | None = None) -> list[dict[str, Any]]:
        if kind == "StorageClass":
            return [
                each | {"metadata": each["metadata"] | {"name": name}} for name, each in self.classes.items()
            ]
        return super().list(api, kind, namespace)


def with_claim(replicas: int = 1, **pvc: Any) -> PlatformPlan:
    return planned(model={"cache": {"pvc": pvc}, "replicas": replicas})


def about_storage(cluster: PretendedCluster, plan: PlatformPlan) -> dict[str, Check]:
    return {name: check for name, check in missing(cluster, plan).items() if "StorageClass" in name}


def test_a_claim_of_the_stacks_own_need_not_be_there_before() -> None:
    found = missing(WithClasses(fast=storage_class(default=True)), with_claim())

    assert not any("PersistentVolumeClaim" in name or "StorageClass" in name for name in found)


def test_a_storage_class_that_is_not_there_is_named_with_those_that_are() -> None:
    cluster = WithClasses(slow=storage_class(), bulk=storage_class())
    check = about_storage(cluster, with_claim(storageClass="fast"))["StorageClass fast"]

    assert check.verdict == "missing"
    assert "the cluster has bulk, slow" in check.found
    assert "platform.models[].cache.pvc.storageClass" in check.fix


def test_without_a_class_in_the_stack_the_cluster_needs_a_default_one() -> None:
    cluster = WithClasses(fast=storage_class())

    assert "the cluster has fast" in about_storage(cluster, with_claim())["a default StorageClass"].found
    assert about_storage(WithClasses(fast=storage_class(default=True)), with_claim()) == {}


@pytest.mark.parametrize("provisioner", ["rancher.io/local-path", "topolvm.io"])
def test_a_class_of_one_nodes_disks_cannot_be_shared_by_nodes(provisioner: str) -> None:
    cluster = WithClasses(local=storage_class(provisioner, default=True))

    (check,) = about_storage(cluster, with_claim(replicas=2)).values()
    assert "volumes of one node" in check.found
    assert "ReadWriteMany" in check.fix
    assert about_storage(cluster, with_claim()) == {}, "one replica may have it"


def local_models(cluster: PretendedCluster) -> dict[str, Check]:
    found = missing(cluster, planned(model=LOCAL))
    return {name: check for name, check in found.items() if "ocal" in name}


def test_kserves_local_models_must_be_served_and_enabled_and_have_the_group() -> None:
    cluster = WithClasses()
    cluster.served.pop()
    found = local_models(cluster)

    assert "kserve-localmodel-crd" in found["LocalModelNamespaceCache (serving.kserve.io/v1alpha1)"].fix
    assert "localModelCache.nodeGroup" in found["LocalModelNodeGroup gpus"].fix
    assert found["KServe's local models"].verdict == "doubtful", "nobody knows KServe's namespace"


@pytest.mark.parametrize("text", ['{"enabled": false}', "{}", "no JSON", "[]"])
def test_local_models_that_kserve_does_not_look_for_are_named(text: str) -> None:
    cluster = WithClasses()
    cluster.objects["LocalModelNodeGroup", "gpus"] = {}
    cluster.objects["ConfigMap", "inferenceservice-config"] = {"data": {"localModel": text}}

    (check,) = local_models(cluster).values()
    assert check.verdict == "missing"
    assert '"enabled": true' in check.fix


def test_a_cluster_with_local_models_lacks_nothing() -> None:
    cluster = WithClasses()
    cluster.objects["LocalModelNodeGroup", "gpus"] = {}
    cluster.objects["ConfigMap", "inferenceservice-config"] = {
        "data": {"localModel": json.dumps({"enabled": True})}
    }

    assert local_models(cluster) == {}


def test_gated_weights_that_kserve_downloads_need_an_account_of_its_jobs() -> None:
    def check(**place: str) -> Check | None:
        cache = {"localModelCache": {"nodeGroup": "gpus", **place}}
        model = {"role": "coder", "model": "meta-llama/Llama-3.3-70B-Instruct", "precision": "bf16"}
        plan = planned(hardware={"accelerator": "H200", "gpusPerNode": 8}, models=[model | {"cache": cache}])
        return missing(WithClasses(), plan).get("licence of meta-llama/Llama-3.3-70B-Instruct")

    nobodys = check()
    assert nobodys is not None
    assert "localModelCache.serviceAccount" in nobodys.fix
    assert check(serviceAccount="downloads") is None


@pytest.mark.parametrize(
    ("cache", "flag"),
    [
        ({"pvc": {}}, "kubernetes.podspec-persistent-volume-write"),
        ({"hostPath": {"path": "/data/models"}}, "kubernetes.podspec-volumes-hostpath"),
    ],
)
def test_knative_must_allow_a_volume_that_pods_write(cache: dict[str, Any], flag: str) -> None:
    cluster = WithClasses(fast=storage_class(default=True))
    written = missing(cluster, planned(serving={"mode": "Knative"}, model={"cache": cache}))
    read = missing(cluster, planned(serving={"mode": "Knative"}, model={"source": "pvc://models/coder"}))

    assert f"Knative's {flag}" in written
    assert f"Knative's {flag}" not in read


def test_the_job_counts_against_a_quota_too() -> None:
    cluster = WithClasses(fast=storage_class(default=True))
    cluster.objects["ResourceQuota", "all"] = {"spec": {"hard": {"pods": "1"}}}

    found = missing(cluster, with_claim())["ResourceQuota all"].found
    assert "pods: the stack needs 2, the quota is 1" in found
