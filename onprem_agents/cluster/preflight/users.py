"""Who says which user the pods run as: the stack, or a platform that assigns one and refuses others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.plan import PlatformPlan

# SecurityContextConstraints, by which OpenShift assigns users (openshift/api, security/v1).
_ASSIGNING = "security.openshift.io"


def check_users(plan: PlatformPlan, _objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield where stack and platform would both say the user, or neither."""
    assigned = any(resource.group == _ASSIGNING for resource in client.resources())
    fixed = plan.settings.pod_ids == "fixed"
    if assigned and fixed:
        yield Check(
            name="users of the pods",
            verdict="doubtful",
            found="OpenShift assigns them, and its restricted-v2 refuses the stack's user 1000",
            fix="set platform.podIds to platform, or platform.platform to openshift-ai; a ServiceAccount that may use "
            "nonroot-v2 takes 1000 as well",
        )
    elif not assigned and not fixed:
        yield Check(
            name="users of the pods",
            verdict="doubtful",
            found="podIds is platform, and nothing is there that is known to assign users",
            fix="set platform.podIds to fixed, unless a policy of yours assigns them: vLLM's own image runs as root, "
            "which no pod of the stack may",
        )
