"""May whoever runs the deployment create what the stack declares? The API server is asked for each kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.plan import PlatformPlan

_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
# What an update of a stack does to its objects: server-side apply is a patch.
_VERBS = ("create", "patch", "delete")


def check_permissions(_plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield the kinds that the caller may not create, change or delete, in one check where all is well."""
    refused: dict[tuple[str, str | None], list[str]] = {}
    places = dict.fromkeys(
        (each["apiVersion"], each["kind"], each["metadata"].get("namespace")) for each in objects
    )
    served = {(resource.api_version, resource.kind): resource for resource in client.resources()}
    for api_version, kind, namespace in places:
        resource = served.get((api_version, kind))
        if resource is None:
            continue  # told by the check of what is served
        for verb in _VERBS if kind != "Node" else ("patch",):
            if not _allowed(client, verb, resource.group, resource.plural, namespace):
                refused.setdefault((f"{resource.plural}.{resource.group}".rstrip("."), namespace), []).append(
                    verb
                )
    if not refused:
        yield Check(
            name="permissions", verdict="ok", found="the caller may declare every object of the stack"
        )
    for (resource_name, place), verbs in refused.items():
        where = f"in {place}" if place else "cluster-wide"
        yield Check(
            name=f"permission for {resource_name}",
            verdict="missing",
            found=f"the caller may not {', '.join(verbs)} {where}",
            fix="let a cluster administrator grant these verbs to who runs 'pulumi up', or use another kubeconfig",
        )


def _allowed(client: KubeClient, verb: str, group: str, plural: str, namespace: str | None) -> bool:
    attributes = {"verb": verb, "group": group, "resource": plural, "namespace": namespace or ""}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = client.ask(
        "POST",
        _PATH,
        name="whether the caller may declare the stack",
        content=json.dumps(review),
        headers={"Content-Type": "application/json"},
    )
    return bool(answer.get("status", {}).get("allowed"))
