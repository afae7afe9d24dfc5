"""What is broken of where the weights come from."""

from __future__ import annotations

from tests.cluster.broken import Broken
from tests.cluster.good_cluster import NAMESPACE, Object, named, node_info

_OCI = {"models": {"source": "oci://registry.example.internal/models/coder:1"}}
_PVC = {"models": {"source": "pvc://weights/coder"}}
_CLAIM_CHECK = f"PersistentVolumeClaim {NAMESPACE}/weights"


def claim(name: str, modes: list[str], phase: str = "Bound", storage_class: str | None = "fast") -> Object:
    """A claim of the stack's namespace."""
    spec: Object = {"accessModes": modes, "resources": {"requests": {"storage": "100Gi"}}}
    if storage_class is not None:
        spec["storageClassName"] = storage_class
    return named("v1", "PersistentVolumeClaim", name, NAMESPACE, spec=spec, status={"phase": phase})


WEIGHTS = (
    Broken(
        what="the container runtime knows no image volumes",
        stack=_OCI,
        states={"Node/gpu-0": {"nodeInfo": node_info("v1.36.3", "containerd://1.7.27")}},
        check="image volumes: container runtime",
        found=("containerd://1.7.27 on gpu-0",),
        fix=("containerd 2.1 or CRI-O 1.33", "pvc://"),
    ),
    Broken(
        what="the kubelets may have image volumes switched off",
        stack=_OCI,
        states={
            f"Node/gpu-{index}": {"nodeInfo": node_info("v1.34.2", "cri-o://1.34.1")} for index in range(2)
        },
        check="image volumes: kubelet",
        verdict="doubtful",
        found=("v1.34.2 on gpu-0, gpu-1",),
        fix=("feature gate ImageVolume", "1.35"),
    ),
    Broken(
        what="the claim with the weights is not there",
        stack=_PVC,
        check=_CLAIM_CHECK,
        found=("not there",),
        fix=("fill it with the weights", "platform.models[].source"),
    ),
    Broken(
        what="the claim's StorageClass is not there",
        stack=_PVC,
        added=(claim("weights", ["ReadWriteMany"], "Pending", "cephfs"),),
        check=_CLAIM_CHECK,
        found=("its StorageClass cephfs is not there",),
        fix=("kubectl get storageclass",),
    ),
    Broken(
        what="the claim names no StorageClass and none is the default",
        stack=_PVC,
        added=(claim("weights", ["ReadWriteMany"], "Pending", None),),
        check=_CLAIM_CHECK,
        found=("none is the default", "fast, local"),
        fix=("storageclass.kubernetes.io/is-default-class",),
    ),
    Broken(
        what="the claim has waited for its first pod, so it is empty",
        stack=_PVC,
        added=(claim("weights", ["ReadWriteMany"], "Pending", "local"),),
        check=_CLAIM_CHECK,
        verdict="doubtful",
        found=("Pending", "waits for the first pod"),
        fix=("fill it with the weights",),
    ),
    Broken(
        what="the claim goes to one node and two replicas want it",
        stack={"models": {"source": "pvc://weights/coder", "replicas": 2}},
        added=(claim("weights", ["ReadWriteOnce"]),),
        check=_CLAIM_CHECK,
        found=("ReadWriteOnce: it can be mounted on one node at a time", "2 pods on 2 nodes"),
        fix=("ReadWriteMany", "one replica"),
    ),
    Broken(
        what="a gated model has no token",
        stack={
            "models": {"model": "meta-llama/Llama-3.1-8B-Instruct", "precision": "bf16"},
            "serving": {"storageSecret": "hf-token"},
        },
        check="licence of meta-llama/Llama-3.1-8B-Instruct",
        found=("hf-token is not there",),
        fix=("https://huggingface.co/meta-llama/Llama-3.1-8B-Instruct", "HF_TOKEN"),
    ),
    Broken(
        what="the Secret of the registry is not there",
        stack={"serving": {"imagePullSecrets": ["pull"]}},
        check=f"Secret {NAMESPACE}/pull",
        found=("not there",),
        fix=("create it",),
    ),
)
