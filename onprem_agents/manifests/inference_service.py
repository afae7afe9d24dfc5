"""One role's KServe InferenceService, its service account, chat template and disruption budget.

The label `networking.kserve.io/visibility: cluster-local` keeps KServe from making a route of its own: the
only way in is our Gateway. A custom predictor is used because every flag of vLLM is decided in the plan; a
serving runtime would merge its own in.
"""

from __future__ import annotations

from onprem_agents.manifests.gpu_node_pool import QUEUE_LABEL, priority_class_name, tolerations
from onprem_agents.manifests.meta import COMPONENT_LABEL, POD_SECURITY, Manifest, manifest
from onprem_agents.manifests.model_server import chat_template_name, server_container, server_volumes
from onprem_agents.manifests.model_source import download_containers
from onprem_agents.plan import CHAT_TEMPLATE_PATH, PlatformPlan, ServingPlan
from onprem_agents.stack.labels import ROLE_LABEL, STACK_LABEL

COMPONENT = "model-server"


def pod_labels(plan: PlatformPlan, serving: ServingPlan) -> dict[str, str]:
    """Return the labels that pick out one role's pods, in either deployment mode."""
    return {COMPONENT_LABEL: COMPONENT, ROLE_LABEL: serving.role, STACK_LABEL: plan.stack}


def service_account_name(plan: PlatformPlan, serving: ServingPlan) -> str:
    """Return the service account of the pods: the one the stack names, else the role's own."""
    return plan.settings.serving.service_account or serving.name


def supporting_objects(plan: PlatformPlan, serving: ServingPlan) -> list[Manifest]:
    """Return what must exist before the InferenceService: service account and chat template."""
    objects = []
    if plan.settings.serving.service_account is None:
        account = manifest(
            plan,
            "v1",
            "ServiceAccount",
            serving.name,
            component=COMPONENT,
            extra_labels={ROLE_LABEL: serving.role},
            automountServiceAccountToken=False,
        )
        objects.append(account)
    if serving.chat_template is not None:
        file_name = CHAT_TEMPLATE_PATH.rpartition("/")[2]
        template = manifest(
            plan,
            "v1",
            "ConfigMap",
            chat_template_name(serving),
            component=COMPONENT,
            extra_labels={ROLE_LABEL: serving.role},
            data={file_name: serving.chat_template},
        )
        objects.append(template)
    return objects


def inference_service(plan: PlatformPlan, serving: ServingPlan) -> Manifest:
    """Return the InferenceService of one role.

    `pulumi.com/waitFor` makes the deployment wait until KServe says Ready, for as long as the model may load.
    """
    standard = plan.settings.serving.mode == "Standard"
    annotations = {
        "serving.kserve.io/deploymentMode": plan.settings.serving.mode,
        "pulumi.com/waitFor": "condition=Ready",
        "pulumi.com/timeoutSeconds": str(serving.timeouts.load_budget_seconds),
    }
    if standard:
        annotations["serving.kserve.io/autoscalerClass"] = "none"
    extra_labels = {"networking.kserve.io/visibility": "cluster-local", ROLE_LABEL: serving.role}
    if plan.queue is not None:
        extra_labels[QUEUE_LABEL] = plan.queue.local_queue
    return manifest(
        plan,
        "serving.kserve.io/v1beta1",
        "InferenceService",
        serving.name,
        component=COMPONENT,
        extra_labels=extra_labels,
        annotations=annotations,
        spec={"predictor": _predictor(plan, serving, standard=standard)},
    )


def disruption_budgets(plan: PlatformPlan, serving: ServingPlan) -> list[Manifest]:
    """Return a PodDisruptionBudget for two replicas or more; with one it could only block node upgrades."""
    if serving.replicas == 1:
        return []
    budget = manifest(
        plan,
        "policy/v1",
        "PodDisruptionBudget",
        serving.name,
        component=COMPONENT,
        extra_labels={ROLE_LABEL: serving.role},
        spec={
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": pod_labels(plan, serving)},
        },
    )
    return [budget]


def _predictor(plan: PlatformPlan, serving: ServingPlan, *, standard: bool) -> Manifest:
    settings = plan.settings.serving
    predictor: Manifest = {
        "minReplicas": serving.replicas,
        "maxReplicas": serving.replicas,
        "timeout": serving.timeouts.predictor_seconds,
        "labels": pod_labels(plan, serving),
        **(_standard(serving) if standard else _knative(serving)),
        "serviceAccountName": service_account_name(plan, serving),
        "automountServiceAccountToken": False,
        # A Service called "vllm" would set VLLM_PORT in the pod, which vLLM reads as its own setting.
        "enableServiceLinks": False,
        "priorityClassName": priority_class_name(plan),
        "nodeSelector": plan.pool.node_selector,
        "tolerations": tolerations(),
        "securityContext": POD_SECURITY,
        "containers": [server_container(serving, lifecycle=standard)],
        "volumes": server_volumes(serving),
    }
    if settings.image_pull_secrets:
        predictor["imagePullSecrets"] = [{"name": name} for name in settings.image_pull_secrets]
    downloads = download_containers(serving, secret=settings.storage_secret)
    if downloads:
        predictor["initContainers"] = downloads
    return predictor


def _standard(serving: ServingPlan) -> Manifest:
    return {
        "deploymentStrategy": serving.rollout.wire(),
        "terminationGracePeriodSeconds": serving.timeouts.termination_grace_seconds,
    }


def _knative(serving: ServingPlan) -> Manifest:
    """Knative's own settings: it drains within `timeout` and refuses a grace period in the pod.

    `progress-deadline` bounds how long a revision may take to become ready, not a request.
    """
    return {
        "containerConcurrency": serving.flags.max_num_seqs or 0,
        "annotations": {"serving.knative.dev/progress-deadline": f"{serving.timeouts.load_budget_seconds}s"},
    }
