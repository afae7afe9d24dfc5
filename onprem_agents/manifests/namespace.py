"""The stack's namespace, with Pod Security `restricted` in all three modes."""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan import PlatformPlan


def namespace(plan: PlatformPlan) -> Manifest:
    """Return the Namespace. Nothing in it needs an exception from `restricted`."""
    modes = ("enforce", "audit", "warn")
    pod_security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes}
    return manifest(
        plan,
        "v1",
        "Namespace",
        plan.namespace,
        component="platform",
        namespaced=False,
        extra_labels=pod_security,
    )
