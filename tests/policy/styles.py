"""The same program in other people's styles, and with what was changed known only at run time."""

from __future__ import annotations

import copy
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from policy.graph import UNKNOWN
from tests.policy.programs import Manifest

Manifests = list[Manifest]
Style = Callable[[Manifests], Manifests | None]
"""Returns the manifests in a style, None where it cannot say what they say."""

_NEWEST, _OLDER = "vllm/vllm-openai:v0.33.0", "vllm/vllm-openai:v0.32.0"
# So few make the compliant program, whose rows are about a server; a stack's are about all that surrounds it.
_ALONE = 8


def _servers(manifests: Manifests) -> list[Manifest]:
    """Return the InferenceServices whose serving container is the first, as ours are."""
    found = [each for each in manifests if each["kind"] == "InferenceService"]
    return found if all(_container(each) is not None for each in found) else []


def _container(service: Manifest) -> Manifest | None:
    predictor = service["spec"].get("predictor")
    containers = predictor.get("containers") if isinstance(predictor, dict) else None
    first = containers[0] if isinstance(containers, list) and containers else None
    return first if isinstance(first, dict) else None


def in_a_shell(manifests: Manifests) -> Manifests | None:
    """The server's command as one line of a shell; what stands around a server says the same in any case."""
    if len(manifests) > _ALONE:
        return None
    changed = copy.deepcopy(manifests)
    for service in _servers(changed):
        container = _container(service) or {}
        words = [*_words(container.get("command")), *_words(container.get("args"))]
        if words[:1] == ["bash"] or words[:1] == ["sh"]:
            return None
        if len(words) < 2 or not all(isinstance(word, str) and "$" not in word for word in words):
            return None
        container["command"], container["args"] = ["/bin/bash", "-c"], [f"exec {shlex.join(words)}"]
    return changed if _servers(changed) else None


def _words(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [UNKNOWN]


def on_the_release_before(manifests: Manifests) -> Manifests | None:
    """The server on the release before the newest."""
    if len(manifests) > _ALONE:
        return None
    changed = copy.deepcopy(manifests)
    containers = [_container(service) or {} for service in _servers(changed)]
    if not containers or any(each.get("image") != _NEWEST for each in containers):
        return None
    for each in containers:
        each["image"] = _OLDER
    return changed


def as_deployments(manifests: Manifests) -> Manifests | None:
    """Servers as Deployments with a Service of the name that KServe would give, as people without KServe write them."""
    if not _servers(manifests):
        return None
    made: Manifests = []
    for each in copy.deepcopy(manifests):
        made += _deployment(each) if each["kind"] == "InferenceService" else [each]
    return made


def _deployment(service: Manifest) -> Manifests:
    metadata, name = service["metadata"], service["metadata"].get("name")
    predictor = dict(service["spec"]["predictor"])
    labels = {
        "app": f"isvc.{name}-predictor",
        "serving.kserve.io/inferenceservice": name,
        "component": "predictor",
    }
    pod = {key: value for key, value in predictor.items() if key not in _OF_KSERVE}
    pod.setdefault("terminationGracePeriodSeconds", 900)
    container = pod["containers"][0]
    # KServe gives its services a probe and all the time that a start takes.
    container.setdefault("readinessProbe", dict(_PROBE))
    container.setdefault("startupProbe", _PROBE | {"periodSeconds": 10, "failureThreshold": 360})
    said = metadata.get("annotations") or {}
    notes = {key: value for key, value in said.items() if key.startswith(_OURS)}
    space = {"namespace": metadata["namespace"]} if "namespace" in metadata else {}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, **space, "annotations": notes},
        "spec": {
            "replicas": 1,
            "progressDeadlineSeconds": 3600,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    front = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{name}-predictor", **space},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    return [deployment, front]


_PROBE = {"httpGet": {"path": "/health", "port": 8080}}
_OF_KSERVE = (
    *("minReplicas", "maxReplicas", "timeout", "deploymentStrategy", "labels", "annotations", "scaleMetric"),
    *("containerConcurrency", "canaryTrafficPercent", "logger", "batcher", "scaleTarget"),
)


def without_our_labels(manifests: Manifests) -> Manifests:
    """The same without a label of the product's: as somebody writes it who has never heard of it."""
    changed = copy.deepcopy(manifests)
    for each in changed:
        labels = each["metadata"].get("labels")
        if isinstance(labels, dict):
            each["metadata"]["labels"] = {
                key: value for key, value in labels.items() if not key.startswith(_OURS)
            }
    return changed


_OURS = "onprem-coding-agents/"

# Of the ways to write a program, those in which every row is said again.
STYLES: Mapping[str, Style] = {
    "in a shell": in_a_shell,
    "on the release before": on_the_release_before,
    "as a Deployment": as_deployments,
}


def later(before: Manifests, after: Manifests) -> Manifests:
    """Return manifests with UNKNOWN for every value that a change set to something else, added or removed.

    Of an object that a change adds, what it is and its name stay known.
    """
    known = {_key(each): each for each in before}
    return [_later(known[_key(each)], each) if _key(each) in known else _added(each) for each in after]


def _key(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], str(manifest["metadata"].get("name"))


def _added(manifest: Manifest) -> Manifest:
    told = ("apiVersion", "kind", "metadata")
    return {key: each if key in told else UNKNOWN for key, each in manifest.items()}


def _later(before: Any, after: Any) -> Any:
    if isinstance(before, dict) and isinstance(after, dict):
        kept = {key: _later(before[key], each) if key in before else UNKNOWN for key, each in after.items()}
        return kept | dict.fromkeys(before.keys() - after.keys(), UNKNOWN)
    if isinstance(before, list) and isinstance(after, list):
        if len(before) == len(after) and any(isinstance(each, dict) for each in after):
            return [_later(one, other) for one, other in zip(before, after, strict=True)]
        words = [each if each in before or str(each).startswith("-") else UNKNOWN for each in after]
        return after if before == after else words if UNKNOWN in words else UNKNOWN
    return after if before == after else UNKNOWN
