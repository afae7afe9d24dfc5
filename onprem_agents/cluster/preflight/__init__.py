"""What a cluster must have before a stack can run on it: one check a prerequisite, each with its fix.

Only reads; one module a subject. The versions in the fixes are those that the product is tested with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from onprem_agents.cluster import ApiError, KubeClient
from onprem_agents.cluster.preflight.certificate import check_certificate
from onprem_agents.cluster.preflight.check import Check, Object, Subject, Verdict
from onprem_agents.cluster.preflight.dns import check_dns
from onprem_agents.cluster.preflight.driver import check_driver
from onprem_agents.cluster.preflight.gateway import (
    check_gateway_class,
    check_load_balancer,
    check_lua,
    check_patches,
)
from onprem_agents.cluster.preflight.image_volumes import check_image_volumes
from onprem_agents.cluster.preflight.knative import check_knative
from onprem_agents.cluster.preflight.licences import check_licences
from onprem_agents.cluster.preflight.model_cache import check_model_cache
from onprem_agents.cluster.preflight.namespace import check_limits, check_quotas
from onprem_agents.cluster.preflight.nodes import check_nodes
from onprem_agents.cluster.preflight.occupants import check_occupants
from onprem_agents.cluster.preflight.permissions import check_permissions
from onprem_agents.cluster.preflight.queue import check_queue
from onprem_agents.cluster.preflight.served import PREREQUISITES, check_apis, check_version
from onprem_agents.cluster.preflight.storage import check_storage
from onprem_agents.cluster.preflight.users import check_users
from onprem_agents.cluster.preflight.versions import check_versions
from onprem_agents.errors import ClusterError
from onprem_agents.plan import PlatformPlan

__all__ = ["PREREQUISITES", "SUBJECTS", "Check", "Verdict", "preflight"]

_MOST_SILENT = 2
"""Subjects to which the API server does not answer in time before it is given up: each costs a timeout."""

# Everything that is looked at, in this order; docs/cluster.md lists the same.
SUBJECTS = (
    Subject(name="Kubernetes", says="the API server's version", look=check_version),
    Subject(name="APIs", says="every kind that the stack declares is served", look=check_apis),
    Subject(
        name="releases",
        says="those of KServe, the gateways, Kueue, cert-manager, Knative and GPU operator were tried; "
        "`serving.kserve` is that of the cluster",
        look=check_versions,
    ),
    Subject(
        name="GatewayClass",
        says="it is accepted, and does not merge Gateways",
        look=check_gateway_class,
    ),
    Subject(
        name="addresses",
        says="something gives LoadBalancer Services an address, where the Gateway's is one",
        look=check_load_balancer,
    ),
    Subject(name="DNS", says="it is where the NetworkPolicies let pods ask for names", look=check_dns),
    Subject(name="users", says="either the stack or OpenShift says who the pods run as", look=check_users),
    Subject(
        name="Lua",
        says="Envoy Gateway takes Lua filters, which several roles, several replicas and `access.modelAliases` need",
        look=check_lua,
    ),
    Subject(
        name="patches",
        says="Envoy Gateway takes EnvoyPatchPolicies, which `access.balancedSessions` needs",
        look=check_patches,
    ),
    Subject(
        name="certificate",
        says="the issuer is ready, or the TLS Secret is whole and its namespace grants it to the Gateway",
        look=check_certificate,
    ),
    Subject(
        name="nodes",
        says="enough nodes have the GPUs, are Ready, take pods, have no foreign taint; one has room for each pod",
        look=check_nodes,
    ),
    Subject(
        name="occupants",
        says="all replicas find room beside the pods of others, which only give way to a higher priority",
        look=check_occupants,
    ),
    Subject(
        name="driver",
        says="NVIDIA's driver on the nodes runs the CUDA release of the image",
        look=check_driver,
    ),
    Subject(
        name="image volumes",
        says="kubelet and container runtime mount images, where weights come from `oci://`",
        look=check_image_volumes,
    ),
    Subject(
        name="queue",
        says="Kueue gates pods, and its queue covers what they ask for and has quota for it",
        look=check_queue,
    ),
    Subject(name="licences", says="gated models have a token to be downloaded with", look=check_licences),
    Subject(
        name="storage",
        says="claims are bound and go to as many nodes as want them, StorageClasses, Secrets, accounts are there",
        look=check_storage,
    ),
    Subject(
        name="model cache",
        says="the StorageClass of a claim that is made is there and suits, or KServe's local models are enabled",
        look=check_model_cache,
    ),
    Subject(name="quotas", says="the namespace's ResourceQuotas leave room", look=check_quotas),
    Subject(name="limits", says="the namespace's LimitRanges allow the containers", look=check_limits),
    Subject(
        name="Knative",
        says="its feature flags allow the pods' fields, its longest request the turns (`mode: Knative`)",
        look=check_knative,
    ),
    Subject(
        name="permissions",
        says="the caller may create, change and delete what the stack declares",
        look=check_permissions,
    ),
)


def preflight(
    plan: PlatformPlan,
    objects: Sequence[Object],
    client: KubeClient,
    *,
    started: Callable[[str], None] = lambda _: None,
) -> tuple[Check, ...]:
    """Check the cluster behind `client` against the plan and the objects that the stack declares.

    `started` hears what is looked at next. What the caller may not read, or what the server does not answer in time,
    is doubtful. Raises `ClusterError` when it does not answer at all, or does not know the caller.
    """
    checks: list[Check] = []
    silent = 0
    for subject in SUBJECTS:
        started(subject.name)
        try:
            for check in subject.checks(plan, objects, client):
                checks.append(check)  # noqa: PERF402  those before a failure stay
        except ApiError:
            raise
        except ClusterError as error:
            if not checks:
                raise
            silent += 1
            fix = "ask again when the API server answers"
            if silent > _MOST_SILENT:
                left = ", ".join(each.name for each in SUBJECTS[SUBJECTS.index(subject) :])
                found = f"{error}; not looked at: {left}"
                checks.append(Check(name="API server", verdict="missing", found=found, fix=fix))
                break
            found = f"not looked at: {error}"
            checks.append(Check(name=subject.name, verdict="doubtful", found=found, fix=fix))
    return tuple(checks)
