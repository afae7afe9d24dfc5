"""The stack's namespace, with Pod Security `restricted` in all three modes."""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.cache import FolderCache


def namespace(plan: PlatformPlan) -> Manifest:
    """Return the Namespace. Nothing in it needs an exception from `restricted` but folders of the nodes.

    Where a role keeps weights in one, the API server still warns of such pods and audits them, and refuses none.
    """
    exempt = any(isinstance(serving.cache, FolderCache) for serving in plan.serving)
    levels = {
        "enforce": "privileged" if exempt else "restricted",
        "audit": "restricted",
        "warn": "restricted",
    }
    pod_security = {f"pod-security.kubernetes.io/{mode}": level for mode, level in levels.items()}
    return manifest(
        plan,
        "v1",
        "Namespace",
        plan.namespace,
        component="platform",
        namespaced=False,
        extra_labels=pod_security,
    )
