"""What keeps weights between starts: a storage class that can, or KServe's cache of local models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.plan import PlatformPlan

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_KSERVE_NAMESPACE = "kserve"
_KEY = "platform.models[].cache"

# Provisioners whose volumes are of one node (their documentation, read 2026-11).
_OF_ONE_NODE = ("rancher.io/local-path", "topolvm.io", "openebs.io/local", "local.csi.openebs.io")


def check_model_cache(_plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield whether the storage classes of declared claims are there and suit, and KServe's cache where it is used."""
    declared = [each for each in objects if each["kind"] == "PersistentVolumeClaim"]
    wanted = dict.fromkeys(
        (each["spec"].get("storageClassName"), "ReadWriteMany" in each["spec"]["accessModes"])
        for each in declared
    )
    for name, shared in wanted:
        yield _storage_class(name, client, shared=shared)
    groups = dict.fromkeys(
        group
        for each in objects
        if each["kind"] == "LocalModelNamespaceCache"
        for group in each["spec"]["nodeGroups"]
    )
    for group in groups:
        there = client.find("serving.kserve.io/v1alpha1", "LocalModelNodeGroup", group) is not None
        yield Check.of(
            f"LocalModelNodeGroup {group}",
            holds=there,
            found="there" if there else "not there",
            fix=f"create it with the nodes of the pool, or correct {_KEY}.localModelCache.nodeGroup",
        )
    if groups:
        yield _enabled(client)


def _storage_class(name: str | None, client: KubeClient, *, shared: bool) -> Check:
    classes = {each["metadata"]["name"]: each for each in client.list("storage.k8s.io/v1", "StorageClass")}
    defaults = [each for each in classes if _is_default(classes[each])]
    chosen = name or next(iter(defaults), None)
    others = ", ".join(sorted(classes)) or "none"
    label = f"StorageClass {name}" if name is not None else "a default StorageClass"
    if chosen is None or chosen not in classes:
        return Check(
            name=label,
            verdict="missing",
            found=f"not there; the cluster has {others}",
            fix=f"name one that is there in {_KEY}.pvc.storageClass, or create it: the claim stays Pending",
        )
    provisioner = str(classes[chosen].get("provisioner"))
    return Check.of(
        label,
        holds=not (shared and provisioner in _OF_ONE_NODE),
        found=f"{chosen} ({provisioner})"
        + (" makes volumes of one node" if provisioner in _OF_ONE_NODE else ""),
        fix="replicas on several nodes share the claim: name a class with ReadWriteMany in "
        f"{_KEY}.pvc.storageClass, or use {_KEY}.hostPath",
    )


def _is_default(storage_class: Object) -> bool:
    return (storage_class["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true"


def _enabled(client: KubeClient) -> Check:
    """Without it KServe downloads into the pod, by a container that the namespace's Pod Security refuses."""
    name = "KServe's local models"
    config = client.find("v1", "ConfigMap", "inferenceservice-config", _KSERVE_NAMESPACE)
    text = (config or {}).get("data", {}).get("localModel", "{}")
    try:
        enabled = json.loads(text).get("enabled") is True
    except (ValueError, AttributeError):
        enabled = False
    return Check.of(
        name,
        holds=enabled,
        found="enabled" if enabled else "not enabled" if config is not None else "no inferenceservice-config",
        fix=f'set "enabled": true below localModel in ConfigMap inferenceservice-config of {_KSERVE_NAMESPACE} and '
        "install the charts kserve-localmodel-crd and kserve-localmodel-resources",
        doubtful=config is None,
    )
