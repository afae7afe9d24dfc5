"""Where a model server finds its weights: volumes, the download before it starts, and nothing hidden.

KServe could inject the download itself, but the container it injects carries no security context of its own
(v0.20.0, storage_initializer_injector.go), so a namespace that enforces `restricted` refuses the pod unless
the cluster's ClusterStorageContainer was changed; and its memory limit (1 GiB by default) is set for the
whole cluster. So the same image runs as an init container written here. `oci://` is mounted as an image
volume, as KServe's own `oci+native` mode does it: the model lies below `/models` in the image.
`pvc://claim/path` is mounted read-only.
"""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, container_security
from onprem_agents.plan import MODEL_PATH, ServingPlan
from onprem_agents.units import format_gib

# Image of KServe's storage initializer (v0.15.2 to v0.20.0, python/storage-initializer.Dockerfile and its entrypoint,
# read 2026-11): user 1000, arguments SOURCE TARGET; reads HF_TOKEN and the AWS_* variables.
_DOWNLOAD_IMAGE = "kserve/storage-initializer"
_VOLUME = "model"
_OCI_FOLDER = "models"

# The download streams to disk; memory is buffers and the parallel connections of Hugging Face's Xet client.
_DOWNLOAD_RESOURCES = {"cpu": "2", "memory": "4Gi"}


def model_volume(serving: ServingPlan) -> Manifest:
    """Return the pod volume that holds the weights."""
    source = serving.source
    _, _, rest = source.uri.partition("://")
    if source.scheme == "pvc":
        claim = rest.partition("/")[0]
        return {"name": _VOLUME, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
    if source.scheme == "oci":
        return {"name": _VOLUME, "image": {"reference": rest, "pullPolicy": "IfNotPresent"}}
    return {"name": _VOLUME, "emptyDir": {}}


def model_mount(serving: ServingPlan) -> Manifest:
    """Return the mount of the weights in the server's container, always read-only."""
    mount: Manifest = {"name": _VOLUME, "mountPath": MODEL_PATH, "readOnly": True}
    if serving.source.scheme == "oci":
        mount["subPath"] = _OCI_FOLDER
    elif serving.source.scheme == "pvc":
        folder = serving.source.uri.partition("://")[2].partition("/")[2].strip("/")
        if folder:
            mount["subPath"] = folder
    return mount


def download_containers(serving: ServingPlan, *, secret: str | None, kserve: str) -> list[Manifest]:
    """Return the init container that downloads the weights, or nothing where they are mounted.

    `secret` is a Secret whose keys become the container's environment: HF_TOKEN, or AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL. Only this container sees it. `kserve` is the cluster's release.
    """
    if not serving.source.leaves_the_cluster:
        return []
    environment = {
        "HOME": "/tmp",  # noqa: S108  an emptyDir of the pod's own
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
    }
    amounts = _DOWNLOAD_RESOURCES | {"ephemeral-storage": format_gib(serving.resources.download_gib)}
    container: Manifest = {
        "name": "download-model",
        "image": f"{_DOWNLOAD_IMAGE}:v{kserve}",
        "imagePullPolicy": "IfNotPresent",
        "args": [_download_uri(serving), MODEL_PATH],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "resources": {"requests": dict(amounts), "limits": dict(amounts)},
        "securityContext": container_security(read_only_root=False),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": _VOLUME, "mountPath": MODEL_PATH},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  the same emptyDir
        ],
    }
    if secret is not None:
        container["envFrom"] = [{"secretRef": {"name": secret}}]
    return [container]


def _download_uri(serving: ServingPlan) -> str:
    # KServe's form of a pinned revision is hf://owner/model:revision (kserve_storage.py, v0.20.0).
    source = serving.source
    if source.scheme == "hf" and source.revision is not None:
        return f"{source.uri}:{source.revision}"
    return source.uri
