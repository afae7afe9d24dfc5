"""Where the weights come from inside the cluster: claims that pods can mount, Secrets that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object, attempt
from onprem_agents.cluster.preflight.pods import Pod, pods_of
from onprem_agents.plan import PlatformPlan

_STORAGE = "storage.k8s.io/v1"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_MANY = frozenset({"ReadWriteMany", "ReadOnlyMany"})


def check_storage(plan: PlatformPlan, objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield whether claims can be mounted, their StorageClasses are there, and named Secrets and accounts too."""
    namespace = plan.namespace
    declared = {each["metadata"]["name"] for each in objects if each["kind"] == "PersistentVolumeClaim"}
    for claim, pods in sorted(_mounted(objects).items()):
        if claim not in declared:
            label = f"PersistentVolumeClaim {namespace}/{claim}"
            yield attempt(label, partial(_claim, label, claim, pods, plan, client))
    settings = plan.settings.serving
    secrets = [*settings.image_pull_secrets, *([settings.storage_secret] if settings.storage_secret else [])]
    for secret in secrets:
        yield _there(client, "Secret", secret, namespace, "create it, or correct platform.serving")
    if settings.service_account is not None:
        fix = "create it, or correct platform.serving.serviceAccount"
        yield _there(client, "ServiceAccount", settings.service_account, namespace, fix)


def _mounted(objects: Sequence[Object]) -> Mapping[str, list[Pod]]:
    """Return the claims that pods mount, with those pods."""
    found: dict[str, list[Pod]] = {}
    for pod in pods_of(objects):
        for volume in pod.spec.get("volumes") or []:
            if "persistentVolumeClaim" in volume:
                found.setdefault(volume["persistentVolumeClaim"]["claimName"], []).append(pod)
    return found


def _claim(name: str, claim: str, pods: Sequence[Pod], plan: PlatformPlan, client: KubeClient) -> Check:
    found = client.find("v1", "PersistentVolumeClaim", claim, plan.namespace)
    if found is None:
        return Check(
            name=name,
            verdict="missing",
            found="not there",
            fix="create the claim and fill it with the weights, or correct platform.models[].source",
        )
    phase = found.get("status", {}).get("phase")
    if phase != "Bound":
        return _unbound(name, found, str(phase), client)
    modes = set(found.get("spec", {}).get("accessModes") or [])
    replicas = sum(pod.count for pod in pods)
    alone = "ReadWriteOncePod" in modes and not modes - {"ReadWriteOncePod"}
    owners = {pod.owner for pod in pods}
    pools = {serving.pool.name: serving.pool for serving in plan.serving if serving.name in owners}
    nodes = sum(pool.nodes for pool in pools.values())
    if modes and not modes & _MANY and replicas > 1 and (alone or nodes > 1):
        where = "in one pod" if alone else "on one node"
        return Check(
            name=name,
            verdict="missing",
            found=f"{', '.join(sorted(modes))}: it can be mounted {where} at a time, and {replicas} pods on "
            f"{nodes} nodes want it",
            fix="use a claim with ReadOnlyMany or ReadWriteMany, which its StorageClass must offer, or one replica",
        )
    return Check(name=name, verdict="ok", found="Bound" + (f", {', '.join(sorted(modes))}" if modes else ""))


def _unbound(name: str, claim: Object, phase: str, client: KubeClient) -> Check:
    """Return why a claim has no volume: no class, or a class that waits for the first pod, or a failure."""
    of_class = _class(claim, name, client)
    if of_class.verdict == "missing":
        return of_class
    if "WaitForFirstConsumer" in of_class.found:
        return Check(
            name=name,
            verdict="doubtful",
            found=f"{phase}: its StorageClass waits for the first pod, so nothing was written there yet",
            fix="fill it with the weights by a pod on a node of the pool before the model server starts",
        )
    return Check(
        name=name,
        verdict="missing",
        found=phase,
        fix=f"see why it gets no volume: kubectl describe pvc {claim['metadata'].get('name', '')}",
    )


def _class(claim: Object, name: str, client: KubeClient) -> Check:
    """Return whether the StorageClass of a claim is there, or any default one where it names none."""
    stated = claim.get("spec", {}).get("storageClassName")
    if stated == "":
        return Check(
            name=name, verdict="ok", found="names no StorageClass: it waits for a volume made by hand"
        )
    if stated is None:
        classes = client.list(_STORAGE, "StorageClass")
        of_default = [
            each
            for each in classes
            if (each["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true"
        ]
        if not of_default:
            names = ", ".join(each["metadata"]["name"] for each in classes) or "none at all"
            return Check(
                name=name,
                verdict="missing",
                found=f"it names no StorageClass and none is the default; there are: {names}",
                fix=f"name one in the claim, or annotate one with {_DEFAULT_CLASS}: 'true'",
            )
        found: Object | None = of_default[0]
        stated = of_default[0]["metadata"]["name"]
    else:
        found = client.find(_STORAGE, "StorageClass", stated)
    if found is None:
        return Check(
            name=name,
            verdict="missing",
            found=f"its StorageClass {stated} is not there",
            fix="install the driver that brings it, or name another class ('kubectl get storageclass')",
        )
    binding = found.get("volumeBindingMode", "Immediate")
    return Check(name=name, verdict="ok", found=f"StorageClass {stated}, {binding}")


def _there(client: KubeClient, kind: str, name: str, namespace: str, fix: str) -> Check:
    label = f"{kind} {namespace}/{name}"

    def look() -> Check:
        found = client.find("v1", kind, name, namespace)
        return Check.of(
            label, holds=found is not None, found="there" if found is not None else "not there", fix=fix
        )

    return attempt(label, look)
