"""Where the template of its pods stands in a workload, and what labels it gives them."""

from __future__ import annotations

from collections.abc import Mapping

from .graph import Resource, Value, dig

# Kubernetes 1.34, Knative Serving 1.19, Argo Rollouts 1.8, LeaderWorkerSet v0.10; read 2026-11-29.
TEMPLATES: Mapping[tuple[str, str], tuple[tuple[str, ...], ...]] = {
    ("apps", "Deployment"): (("spec", "template"),),
    ("apps", "StatefulSet"): (("spec", "template"),),
    ("apps", "DaemonSet"): (("spec", "template"),),
    ("apps", "ReplicaSet"): (("spec", "template"),),
    ("batch", "Job"): (("spec", "template"),),
    ("core", "Pod"): ((),),
    ("serving.knative.dev", "Service"): (("spec", "template"),),
    ("argoproj.io", "Rollout"): (("spec", "template"),),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): (
        ("spec", "leaderWorkerTemplate", "leaderTemplate"),
        ("spec", "leaderWorkerTemplate", "workerTemplate"),
    ),
}
"""API group and kind → the paths of its templates, the one whose pods answer first."""


def template_labels(workload: Resource) -> Value:
    """Return the labels of the pods that answer for a workload, None where it gives none."""
    group = workload.group or ""
    templates = [dig(workload.props, *path) for path in TEMPLATES.get((group, workload.kind), ())]
    given = next((template for template in templates if template is not None), None)
    return dig(given, "metadata", "labels")
