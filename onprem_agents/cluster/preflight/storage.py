"""Where the weights come from inside the cluster: claims that are bound, Secrets that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.cluster.preflight.model_cache import check_model_cache
from onprem_agents.plan import PlatformPlan


def check_storage(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield whether claims are bound, and named Secrets and accounts there."""
    namespace = plan.namespace
    pods = [each["spec"]["predictor"] for each in objects if each["kind"] == "InferenceService"]
    volumes = [volume for pod in pods for volume in pod.get("volumes") or []]
    claims = {
        volume["persistentVolumeClaim"]["claimName"]
        for volume in volumes
        if "persistentVolumeClaim" in volume
    } - {each["metadata"]["name"] for each in objects if each["kind"] == "PersistentVolumeClaim"}
    for claim in sorted(claims):
        found = client.find("v1", "PersistentVolumeClaim", claim, namespace)
        phase = (found or {}).get("status", {}).get("phase")
        yield Check.of(
            f"PersistentVolumeClaim {namespace}/{claim}",
            holds=phase == "Bound",
            found=str(phase or "not there"),
            fix="create the claim and fill it with the weights, or correct platform.models[].source",
        )
    yield from check_model_cache(objects, client)
    settings = plan.settings.serving
    secrets = [*settings.image_pull_secrets, *([settings.storage_secret] if settings.storage_secret else [])]
    for name in secrets:
        yield _there(client, "Secret", name, namespace, "create it, or correct platform.serving")
    if settings.service_account is not None:
        yield _there(
            client,
            "ServiceAccount",
            settings.service_account,
            namespace,
            "create it, or correct platform.serving.serviceAccount",
        )


def _there(client: KubeClient, kind: str, name: str, namespace: str, fix: str) -> Check:
    found = client.find("v1", kind, name, namespace)
    return Check.of(
        f"{kind} {namespace}/{name}",
        holds=found is not None,
        found="there" if found is not None else "not there",
        fix=fix,
    )
