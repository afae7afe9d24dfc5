"""One role's KServe InferenceService, its service account, small files and disruption budget.

The label `networking.kserve.io/visibility: cluster-local` keeps KServe from making a route of its own: the
only way in is our Gateway. A custom predictor is used because every flag of vLLM is decided in the plan; a
serving runtime would merge its own in.
"""

from __future__ import annotations

from onprem_agents.manifests.gpu_node_pool import tolerations
from onprem_agents.manifests.meta import (
    COMPONENT_LABEL,
    Manifest,
    files_digest,
    manifest,
    pod_security,
    spread,
)
from onprem_agents.manifests.model_files import config_maps, model_files
from onprem_agents.manifests.model_server import server_container, server_volumes
from onprem_agents.manifests.model_source import init_containers
from onprem_agents.manifests.node_affinity import cuda_affinity
from onprem_agents.plan import ServerPart, ServingPlan
from onprem_agents.plan.cache import KServeCache
from onprem_agents.stack.labels import (
    ACCELERATOR_ANNOTATION,
    CONFIG_ANNOTATION,
    QUEUE_LABEL,
    ROLE_LABEL,
    STACK_LABEL,
)

COMPONENT = "model-server"

_STANDARD_ALONE = "serving.kserve.io/autoscalerClass"
"""Borne in Standard mode only: it changes with the mode, and not with a KServe release's word for the mode."""

REPLACED = (
    # Kueue's webhook lets no running Deployment into a queue, out of it or into another one (v0.19.2,
    # deployment_webhook.go, ValidateUpdate), and KServe would try for ever: the object is made anew.
    f'metadata.labels["{QUEUE_LABEL}"]',
    # KServe lets nobody change the mode (v0.15.1 to v0.20.0, inference_service_validation.go, read 2026-11): the API
    # server answers "deploymentMode cannot be changed". The new word after an upgrade to 0.16 it takes: its controller
    # has written that into the status. Such a server must not be replaced: 0.16 would refuse the last step of its
    # deletion for ever.
    f'metadata.annotations["{_STANDARD_ALONE}"]',
)


def pod_labels(part: ServerPart) -> dict[str, str]:
    """Return the labels that pick out one role's pods, in either deployment mode."""
    return {COMPONENT_LABEL: COMPONENT, ROLE_LABEL: part.serving.role, STACK_LABEL: part.stack}


def service_account_name(part: ServerPart) -> str:
    """Return the service account of the pods: the one that is named, else the role's own."""
    return part.service_account or part.serving.name


def supporting_objects(part: ServerPart) -> list[Manifest]:
    """Return what must exist before the InferenceService: service account and small files."""
    serving = part.serving
    objects: list[Manifest] = []
    if part.service_account is None:
        account = manifest(
            part,
            "v1",
            "ServiceAccount",
            serving.name,
            component=COMPONENT,
            extra_labels={ROLE_LABEL: serving.role},
            automountServiceAccountToken=False,
        )
        objects.append(account)
    objects += config_maps(part, component=COMPONENT)
    return objects


def inference_service(part: ServerPart) -> Manifest:
    """Return the InferenceService of one role.

    `pulumi.com/waitFor` makes the deployment wait until KServe says Ready, for as long as the model may load.
    """
    serving = part.serving
    annotations = {
        "serving.kserve.io/deploymentMode": part.mode_in_its_words,
        "pulumi.com/waitFor": "condition=Ready",
        # An update that is interrupted while the model loads leaves the fields to a manager that no state names, and
        # the next one would be refused as a conflict (Kubernetes provider 4.25, 2026-11).
        "pulumi.com/patchForce": "true",
        "pulumi.com/timeoutSeconds": str(serving.timeouts.load_budget_seconds),
    }
    if part.mode == "Standard":
        annotations[_STANDARD_ALONE] = "none"
    if part.pool.own_name and part.pool.node_names:
        annotations[ACCELERATOR_ANNOTATION] = part.pool.accelerator.name
    if isinstance(serving.cache, KServeCache):
        annotations["serving.kserve.io/nodegroup"] = serving.cache.node_group
    extra_labels = {"networking.kserve.io/visibility": "cluster-local", ROLE_LABEL: serving.role}
    if part.local_queue is not None:
        extra_labels[QUEUE_LABEL] = part.local_queue
    return manifest(
        part,
        "serving.kserve.io/v1beta1",
        "InferenceService",
        serving.name,
        component=COMPONENT,
        extra_labels={**part.labels, **extra_labels},
        annotations={**part.annotations, **annotations},
        spec={"predictor": _predictor(part)},
    )


def disruption_budgets(part: ServerPart) -> list[Manifest]:
    """Return a PodDisruptionBudget for two replicas or more; with one it could only block node upgrades."""
    serving = part.serving
    if serving.replicas == 1:
        return []
    budget = manifest(
        part,
        "policy/v1",
        "PodDisruptionBudget",
        serving.name,
        component=COMPONENT,
        extra_labels={ROLE_LABEL: serving.role},
        spec={
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": pod_labels(part)},
        },
    )
    return [budget]


def _predictor(part: ServerPart) -> Manifest:
    serving = part.serving
    predictor: Manifest = {
        "minReplicas": serving.replicas,
        "maxReplicas": serving.replicas,
        "timeout": serving.timeouts.predictor_seconds,
        "labels": {**serving.pod.labels, **pod_labels(part)},
        "annotations": {**serving.pod.annotations, **_pod_annotations(part)},
        **(_standard(serving) if part.mode == "Standard" else _knative(serving)),
        "serviceAccountName": service_account_name(part),
        "automountServiceAccountToken": False,
        # A Service called "vllm" would set VLLM_PORT in the pod, which vLLM reads as its own setting.
        "enableServiceLinks": False,
        **({"topologySpreadConstraints": spread(pod_labels(part))} if _spreads(part) else {}),
        **({} if part.priority_class is None else {"priorityClassName": part.priority_class}),
        "nodeSelector": {**serving.pod.node_selector, **part.pool.node_selector},
        "tolerations": [*tolerations(part.pool), *_further(part)],
        **cuda_affinity(serving),
        "securityContext": pod_security(part.pod_ids),
        "containers": [server_container(part)],
        "volumes": server_volumes(part),
    }
    if part.image_pull_secrets:
        predictor["imagePullSecrets"] = [{"name": name} for name in part.image_pull_secrets]
    before = init_containers(part)
    if before:
        predictor["initContainers"] = before
    return predictor


def _spreads(part: ServerPart) -> bool:
    """Return whether the replicas ask for nodes of their own; Knative refuses that unless a flag allows it."""
    return part.serving.replicas > 1 and part.mode == "Standard"


def _further(part: ServerPart) -> list[Manifest]:
    """Return the tolerations of a role that its pods do not have anyway."""
    own, given = tolerations(part.pool), part.serving.pod.tolerations
    return [dict(toleration) for toleration in given if dict(toleration) not in own]


def _standard(serving: ServingPlan) -> Manifest:
    return {
        "deploymentStrategy": serving.rollout.wire(),
        "terminationGracePeriodSeconds": serving.timeouts.termination_grace_seconds,
    }


def _knative(serving: ServingPlan) -> Manifest:
    """Knative's own settings: it drains within `timeout` and refuses a grace period in the pod."""
    return {"containerConcurrency": serving.flags.max_num_seqs or 0}


def _pod_annotations(part: ServerPart) -> dict[str, str]:
    """Return the pods' annotations; `progress-deadline` bounds how long a revision may load, not a request."""
    annotations = {
        CONFIG_ANNOTATION: files_digest({file.path: file.text for file in model_files(part.serving)})
    }
    if part.mode == "Knative":
        budget = part.serving.timeouts.load_budget_seconds
        annotations["serving.knative.dev/progress-deadline"] = f"{budget}s"
    return annotations
