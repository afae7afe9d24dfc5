"""Where a model server finds its weights: volumes, the download before it starts, and nothing hidden.

KServe could inject the download itself, but the container it injects carries no security context of its own
(v0.20.0, storage_initializer_injector.go), so a namespace that enforces `restricted` refuses the pod unless
the cluster's ClusterStorageContainer was changed; and its memory limit (1 GiB by default) is set for the
whole cluster. So the same image runs as an init container written here. `oci://` is mounted as an image
volume, as KServe's own `oci+native` mode does it: the model lies below `/models` in the image.
`pvc://claim/path` is mounted read-only.

A volume that outlives the pods holds two folders: the weights, which appear under that name once they are whole, and
what vLLM compiles. Servers read the one and write the other. KServe's cache mounts the weights by itself.
"""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, container_security, user_environment
from onprem_agents.plan import MODEL_PATH, ServerPart, ServingPlan, download_image
from onprem_agents.plan.cache import Cache, ClaimCache, FolderCache, KServeCache
from onprem_agents.units import format_gib

_DOWNLOAD_COMMAND = "/storage-initializer/scripts/initializer-entrypoint"
_VOLUME = "model"
_OCI_FOLDER = "models"

# The download streams to disk; memory is buffers and the parallel connections of Hugging Face's Xet client.
_DOWNLOAD_RESOURCES = {"cpu": "2", "memory": "4Gi"}
_LEAST_DISK_GIB = 4
"""Room for logs and that client's own cache, where the weights go to another volume."""
_WAIT_RESOURCES = {"cpu": "100m", "memory": "64Mi"}

_CACHE_PATH = "/mnt/cache"
"""Where the whole volume is mounted for those that fill it or wait for it."""
_WEIGHTS, _COMPILED = "weights", "compiled"
_COMPILED_PATH = "/mnt/compiled"

# Each takes SOURCE and FOLDER. A download that broke off goes on in the same folder; the name `weights` comes last.
_FILL = f"""
mkdir -p "$2/{_COMPILED}"
[ ! -d "$2/{_WEIGHTS}" ] || exit 0
{_DOWNLOAD_COMMAND} "$1" "$2/partial"
mv "$2/partial" "$2/{_WEIGHTS}"
"""
_FILL_ALONE = f"set -eu{_FILL}"
# Several pods of one node may start at once: the first loads, the others wait for it and find the weights.
_FILL_TOGETHER = f'set -eu\nmkdir -p "$2"\nexec 9> "$2/lock"\nflock 9{_FILL}'
_WAIT = f"""set -eu
until [ -d "$2/{_WEIGHTS}" ]; do
  echo "$1 is not loaded yet; the Job that loads it is called $3"
  sleep 10
done
"""


def model_volumes(part: ServerPart) -> list[Manifest]:
    """Return the pod volume that holds the weights; KServe adds the one of its own cache."""
    source, cache, images = part.serving.source, part.serving.cache, part.images
    _, _, rest = source.uri.partition("://")
    if isinstance(cache, KServeCache):
        return []
    if cache is not None:
        return [cache_volume(cache)]
    if source.scheme == "pvc":
        claim = rest.partition("/")[0]
        return [{"name": _VOLUME, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}]
    if source.scheme == "oci":
        image = {"reference": images.said(rest), "pullPolicy": images.pull_policy}
        return [{"name": _VOLUME, "image": image}]
    return [{"name": _VOLUME, "emptyDir": {}}]


def cache_volume(cache: ClaimCache | FolderCache) -> Manifest:
    """Return the volume that outlives the pods."""
    if isinstance(cache, ClaimCache):
        return {"name": _VOLUME, "persistentVolumeClaim": {"claimName": cache.name}}
    # A folder that the kubelet makes belongs to root, and no pod of ours could write it: it must be there.
    return {"name": _VOLUME, "hostPath": {"path": cache.path, "type": "Directory"}}


def model_mounts(serving: ServingPlan) -> list[Manifest]:
    """Return the mounts of the server's container: the weights, always read-only, and what is compiled."""
    cache = serving.cache
    if isinstance(cache, KServeCache):
        return []
    mount: Manifest = {"name": _VOLUME, "mountPath": MODEL_PATH, "readOnly": True}
    if cache is not None:
        compiled = {"name": _VOLUME, "mountPath": _COMPILED_PATH, "subPath": _below(cache, _COMPILED)}
        return [mount | {"subPath": _below(cache, _WEIGHTS)}, compiled]
    if serving.source.scheme == "oci":
        mount["subPath"] = _OCI_FOLDER
    elif serving.source.scheme == "pvc":
        folder = serving.source.uri.partition("://")[2].partition("/")[2].strip("/")
        if folder:
            mount["subPath"] = folder
    return [mount]


def cache_environment(serving: ServingPlan) -> dict[str, str]:
    """Return the variables that lead a server to what is kept, or KServe to its own cache."""
    if isinstance(serving.cache, KServeCache):
        # KServe reads the source of a custom predictor here (v0.20.0, predictor_custom.go).
        return {"STORAGE_URI": serving.source.pinned_uri}
    if serving.cache is None:
        return {}
    # vLLM puts what torch.compile, Inductor and DeepGEMM make below its root (0.32.0, envs.py, compiler_interface.py);
    # Triton, FlashInfer, TileLang and the driver's own compiler use the home folder unless told (read 2026-11).
    root = f"{_COMPILED_PATH}/{serving.vllm_release}"
    return {
        "VLLM_CACHE_ROOT": f"{root}/vllm",
        "TRITON_CACHE_DIR": f"{root}/triton",
        "FLASHINFER_WORKSPACE_BASE": f"{root}/flashinfer",
        "TILELANG_CACHE_DIR": f"{root}/tilelang",
        "CUDA_CACHE_PATH": f"{root}/cuda",
    }


def init_containers(part: ServerPart) -> list[Manifest]:
    """Return what comes before the server: a download, or waiting for the Job that loads; else nothing."""
    serving = part.serving
    if isinstance(serving.cache, ClaimCache):
        return [_waiting(part, serving.cache)]
    if not serving.pods_download:
        return []
    if isinstance(serving.cache, FolderCache):
        folder = f"{_CACHE_PATH}/{serving.cache.folder}"
        return [_download(part, folder, mounted=_CACHE_PATH, script=_FILL_TOGETHER)]
    return [_download(part, MODEL_PATH, mounted=MODEL_PATH)]


def filling(part: ServerPart) -> Manifest:
    """Return the container of the Job that fills a claim."""
    return _download(part, _CACHE_PATH, mounted=_CACHE_PATH, script=_FILL_ALONE)


def _download(part: ServerPart, target: str, *, mounted: str, script: str | None = None) -> Manifest:
    """Return the container that downloads the weights to `target`, as a script wants it or plainly.

    `storage_secret` is a Secret whose keys become the container's environment: HF_TOKEN, or AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL. Only this container sees it.
    """
    environment = {
        "HOME": "/tmp",  # noqa: S108  an emptyDir of the pod's own
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        **user_environment(part.pod_ids),
        **({} if part.download_proxy is None else part.download_proxy.environment()),
    }
    disk_gib = max(part.serving.resources.download_gib, _LEAST_DISK_GIB)
    amounts = _DOWNLOAD_RESOURCES | {"ephemeral-storage": format_gib(disk_gib)}
    container: Manifest = {
        "name": "download-model",
        "image": part.images.reference(download_image(part.kserve)),
        "imagePullPolicy": part.images.pull_policy,
        **({} if script is None else {"command": ["sh", "-c", script, "load"]}),
        "args": [part.serving.source.pinned_uri, target],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "resources": {"requests": dict(amounts), "limits": dict(amounts)},
        "securityContext": container_security(read_only_root=False),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": _VOLUME, "mountPath": mounted},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  the same emptyDir
        ],
    }
    if part.storage_secret is not None:
        container["envFrom"] = [{"secretRef": {"name": part.storage_secret}}]
    return container


def _waiting(part: ServerPart, cache: ClaimCache) -> Manifest:
    """Return the wait for the Job: where nothing keeps an order, servers start together with it.

    The server's own image is what runs, so it is pulled meanwhile.
    """
    return {
        "name": "wait-for-model",
        "image": part.serving.image,
        "imagePullPolicy": part.images.pull_policy,
        "command": ["sh", "-c", _WAIT, "wait"],
        "args": [part.serving.source.pinned_uri, _CACHE_PATH, cache.name],
        "resources": {"requests": dict(_WAIT_RESOURCES), "limits": dict(_WAIT_RESOURCES)},
        "securityContext": container_security(read_only_root=True),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": _VOLUME, "mountPath": _CACHE_PATH, "readOnly": True}],
    }


def _below(cache: Cache, name: str) -> str:
    """Return a path in the volume of a cache: a claim is the role's own, a node's folder is not."""
    return f"{cache.folder}/{name}" if isinstance(cache, FolderCache) else name
