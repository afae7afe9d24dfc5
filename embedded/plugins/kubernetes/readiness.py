"""When an object counts as ready, kind by kind, and what it still waits for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from embedded.plugins.kubernetes.wire import Object
from onprem_agents.cluster import KubeClient
from onprem_agents.errors import ClusterError

Verdict = tuple[bool, str]


class NeverReady(Exception):
    """The object has failed for good; waiting longer cannot help."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Access to the objects around the one that is waited for."""

    client: KubeClient

    def endpoints_ready(self, service: Object) -> bool | None:
        """Whether every endpoint of a Service is ready; None while it has none."""
        metadata = service["metadata"]
        labels = f"kubernetes.io/service-name={metadata['name']}"
        slices = self.client.list(
            "discovery.k8s.io/v1", "EndpointSlice", metadata["namespace"], labels=labels
        )
        endpoints = [endpoint for item in slices for endpoint in item.get("endpoints") or ()]
        if not endpoints:
            return None
        return all((endpoint.get("conditions") or {}).get("ready") is not False for endpoint in endpoints)

    def binds_late(self, claim: Object) -> bool:
        """Whether a claim is bound only when a pod uses it, as its storage class says."""
        name = claim["spec"].get("storageClassName")
        found = self.client.find("storage.k8s.io/v1", "StorageClass", name) if name else None
        return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"

    def pod_troubles(self, owner: Object) -> list[str]:
        """Return why pods that belong to an object do not run: the scheduler's and the containers' words.

        A pod belongs when its labels fulfil the object's selector, or hold its name as a value.
        """
        metadata = owner["metadata"]
        if not metadata.get("namespace") or owner["kind"] in ("Service", "ConfigMap", "Secret"):
            return []
        selector = (owner.get("spec") or {}).get("selector")
        labels = (selector or {}).get("matchLabels") if isinstance(selector, dict) else None
        try:
            pods = self.client.list("v1", "Pod", metadata["namespace"])
        except ClusterError:
            return []
        return [
            f"pod {pod['metadata']['name']}: {trouble}"
            for pod in pods
            if _belongs(pod, metadata["name"], labels) and (trouble := pod_trouble(pod))
        ]


def pod_trouble(pod: Object) -> str:
    """Return why a pod is not ready, empty when nothing is known or nothing is wrong."""
    status = pod.get("status") or {}
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return f"container {container['name']}: {waiting['reason']}: {waiting.get('message', '')}".rstrip(
                ": "
            )
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return str(scheduled.get("message") or scheduled.get("reason") or "not scheduled")
    return str(status.get("message") or "")


def check(live: Object, around: Surroundings) -> Verdict:
    """Say whether an object is ready and, if not, what is missing. Raises NeverReady when it cannot be."""
    rule = _RULES.get((live["apiVersion"].rpartition("/")[0], live["kind"]))
    return rule(live, around) if rule else (True, "")


def has_rule(api_version: str, kind: str) -> bool:
    """Whether objects of this kind take time to become ready."""
    return (api_version.rpartition("/")[0], kind) in _RULES


def _deployment(live: Object, _: Surroundings) -> Verdict:
    wanted, status = live["spec"].get("replicas", 1), _seen(live)
    if status is None:
        return False, "waiting for the Deployment controller"
    progressing = _condition(live, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        raise NeverReady(f"the rollout makes no progress: {progressing.get('message', '')}")
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    if updated < wanted:
        return False, f"{updated} of {wanted} replicas are updated"
    if total > updated:
        return False, f"{total - updated} old replicas are still there"
    return available >= wanted, f"{available} of {wanted} replicas are available"


def _stateful_set(live: Object, _: Surroundings) -> Verdict:
    wanted, status = live["spec"].get("replicas", 1), _seen(live)
    if status is None:
        return False, "waiting for the StatefulSet controller"
    if live["spec"].get("updateStrategy", {}).get("type") == "OnDelete":
        return True, ""
    updated, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
    rolled_out = status.get("currentRevision") == status.get("updateRevision") or updated >= wanted
    return rolled_out and ready >= wanted, f"{ready} of {wanted} replicas are ready, {updated} updated"


def _daemon_set(live: Object, _: Surroundings) -> Verdict:
    status = _seen(live)
    if status is None:
        return False, "waiting for the DaemonSet controller"
    wanted = status.get("desiredNumberScheduled", 0)
    updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    return updated >= wanted and available >= wanted, f"{available} of {wanted} pods are available"


def _replication_controller(live: Object, _: Surroundings) -> Verdict:
    wanted, available = (
        live["spec"].get("replicas", 1),
        (live.get("status") or {}).get("availableReplicas", 0),
    )
    return available >= wanted, f"{available} of {wanted} replicas are available"


def _job(live: Object, _: Surroundings) -> Verdict:
    failed = _condition(live, "Failed")
    if failed.get("status") == "True":
        raise NeverReady(f"the Job failed: {failed.get('reason', '')}: {failed.get('message', '')}")
    if live["spec"].get("suspend"):
        return True, ""
    done = (live.get("status") or {}).get("succeeded", 0)
    return _condition(live, "Complete").get("status") == "True", f"{done} pods have succeeded"


def _pod(live: Object, _: Surroundings) -> Verdict:
    phase = (live.get("status") or {}).get("phase", "Pending")
    if phase == "Succeeded":
        return True, ""
    if phase == "Failed":
        raise NeverReady(
            f"the pod failed: {(live['status'].get('reason') or '')} {live['status'].get('message', '')}"
        )
    return _condition(live, "Ready").get("status") == "True", pod_trouble(
        live
    ) or f"the pod is {phase}, not ready"


def _service(live: Object, around: Surroundings) -> Verdict:
    spec = live["spec"]
    if spec.get("type") == "ExternalName":
        return True, ""
    if spec.get("type") == "LoadBalancer" and not _ingress(live):
        return False, "the Service has no external address yet; does this cluster have a load balancer?"
    if spec.get("clusterIP") == "None" or not spec.get("selector"):
        return True, ""
    ready = around.endpoints_ready(live)
    if ready is None:
        return False, "the Service targets no pods; does its selector match their labels?"
    return ready, "some of the Service's pods are not ready"


def _load_balanced(live: Object, _: Surroundings) -> Verdict:
    return _ingress(live), "no address has been assigned yet"


def _claim(live: Object, around: Surroundings) -> Verdict:
    phase = (live.get("status") or {}).get("phase", "Pending")
    if phase == "Pending" and around.binds_late(live):
        return True, ""
    return phase == "Bound", f"the claim is {phase}, not Bound"


def _volume(live: Object, _: Surroundings) -> Verdict:
    phase = (live.get("status") or {}).get("phase", "Pending")
    return phase in ("Available", "Bound"), f"the volume is {phase}"


def _quota(live: Object, _: Surroundings) -> Verdict:
    counted = (live.get("status") or {}).get("hard") or {}
    return set(live["spec"].get("hard") or {}) <= set(counted), "the quota is not counted yet"


def _secret(live: Object, _: Surroundings) -> Verdict:
    waits = live.get("type") == "kubernetes.io/service-account-token"
    return not waits or bool(live.get("data")), "the token has not been made yet"


def _definition(live: Object, _: Surroundings) -> Verdict:
    refused = _condition(live, "NamesAccepted")
    if refused.get("status") == "False":
        raise NeverReady(f"its names are not accepted: {refused.get('message', '')}")
    return _condition(live, "Established").get("status") == "True", "the API server does not serve it yet"


_RULES: dict[tuple[str, str], Callable[[Object, Surroundings], Verdict]] = {
    ("", "PersistentVolume"): _volume,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Pod"): _pod,
    ("", "ReplicationController"): _replication_controller,
    ("", "ResourceQuota"): _quota,
    ("", "Secret"): _secret,
    ("", "Service"): _service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "Job"): _job,
    ("networking.k8s.io", "Ingress"): _load_balanced,
}


def _seen(live: Object) -> Any:
    """Return the status once the controller has seen the present spec, None before."""
    status = live.get("status") or {}
    current = status.get("observedGeneration", 0) >= live["metadata"].get("generation", 0)
    return status if current else None


def _condition(live: Object, name: str) -> Object:
    conditions = (live.get("status") or {}).get("conditions") or ()
    return next((item for item in conditions if item.get("type") == name), {})


def _ingress(live: Object) -> bool:
    return bool(((live.get("status") or {}).get("loadBalancer") or {}).get("ingress"))


def _belongs(pod: Object, name: str, labels: Object | None) -> bool:
    own = pod["metadata"].get("labels") or {}
    if labels:
        return all(own.get(key) == value for key, value in labels.items())
    return name in own.values()
