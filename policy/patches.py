"""Parts of objects: what a patch of kustomize looks like where nothing beside it says that it is one."""

from __future__ import annotations

from collections.abc import Mapping

from .graph import Value, dig, items
from .templates import TEMPLATES

PATCH = "it is a patch of kustomize, no whole object; build it first: kubectl kustomize FOLDER | onprem-agents check -"
"""Why a file that a kustomization names as its patch is not read."""
LIKE_ONE = PATCH.replace("is a patch", "looks like a patch", 1)
"""Why an object that lacks what every one of its kind needs is not read."""

_DIRECTIVES = ("$patch", "$retainKeys")
# Groups whose workloads always hold their own template, which Argo's and Knative's need not.
_WHOLE_TEMPLATES = ("apps", "batch", "core", "leaderworkerset.x-k8s.io")
# What names a model server or another one in a predictor (kserve v0.20.0, PredictorSpec; read 2026-11-29).
_SERVED_BY = (
    *(
        "model",
        "containers",
        "sklearn",
        "xgboost",
        "tensorflow",
        "pytorch",
        "triton",
        "onnx",
        "huggingface",
        "pmml",
    ),
    *("lightgbm", "paddle", "mlserver"),
)


def looks_like_a_patch(document: Mapping[str, Value]) -> bool:
    """Whether an object lacks what the API server asks of every one of its kind, as a strategic merge patch does."""
    if _has_directives(document):
        return True
    kind, spec = document.get("kind"), document.get("spec")
    if kind == "InferenceService":
        predictor = dig(spec, "predictor")
        if not isinstance(predictor, Mapping):
            return False
        named = any(key in predictor for key in _SERVED_BY)
        return not named or (
            "containers" in predictor and "model" not in predictor and _lacks_images(predictor)
        )
    group = str(document.get("apiVersion", "")).rpartition("/")[0] or "core"
    if group not in _WHOLE_TEMPLATES or (group == "apps" and dig(spec, "selector") is not None):
        return False
    paths = TEMPLATES.get((group, str(kind)), ())
    pods = [pod for pod in (dig(document, *path, "spec") for path in paths) if pod is not None]
    return bool(paths) and (not pods or any(map(_lacks_images, pods)))


def _lacks_images(pod: Value) -> bool:
    containers = items(dig(pod, "containers"))
    return not containers or any(isinstance(one, Mapping) and "image" not in one for one in containers)


def _has_directives(value: Value) -> bool:
    if isinstance(value, Mapping):
        return any(key in value for key in _DIRECTIVES) or any(map(_has_directives, value.values()))
    return any(map(_has_directives, items(value)))
