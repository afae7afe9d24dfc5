"""The small files that a model server reads: ConfigMaps, the volumes they make, and where they are mounted."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan import CHAT_TEMPLATE_PATH, KEEP_ALIVE_PATH, ServerPart, ServingPlan
from onprem_agents.stack.labels import ROLE_LABEL
from onprem_agents.vllm import keep_alive


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """One file: `name` is that of its volume, and of its ConfigMap behind the server's own."""

    name: str
    path: str
    text: str

    @property
    def folder(self) -> str:
        """Where the ConfigMap is mounted."""
        return self.path.rpartition("/")[0]


def model_files(serving: ServingPlan) -> tuple[ModelFile, ...]:
    """Return the files of one role: the middleware that keeps streams alive, and the stack's own chat template."""
    middleware = ModelFile(name="keep-alive", path=KEEP_ALIVE_PATH, text=inspect.getsource(keep_alive))
    if serving.chat_template is None:
        return (middleware,)
    return (
        middleware,
        ModelFile(name="chat-template", path=CHAT_TEMPLATE_PATH, text=serving.chat_template),
    )


def config_maps(part: ServerPart, *, component: str) -> list[Manifest]:
    """Return a ConfigMap for each file."""
    return [
        manifest(
            part,
            "v1",
            "ConfigMap",
            _config_map(part.serving, file),
            component=component,
            extra_labels={ROLE_LABEL: part.serving.role},
            data={file.path.rpartition("/")[2]: file.text},
        )
        for file in model_files(part.serving)
    ]


def file_volumes(serving: ServingPlan) -> list[Manifest]:
    """Return the pod's volumes that hold the files."""
    return [
        {"name": file.name, "configMap": {"name": _config_map(serving, file)}}
        for file in model_files(serving)
    ]


def file_mounts(serving: ServingPlan) -> list[Manifest]:
    """Return where the server's container finds them."""
    return [{"name": file.name, "mountPath": file.folder, "readOnly": True} for file in model_files(serving)]


def _config_map(serving: ServingPlan, file: ModelFile) -> str:
    return f"{serving.name}-{file.name}"
