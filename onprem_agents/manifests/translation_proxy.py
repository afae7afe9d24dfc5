"""The translation proxy where native serving is off: LiteLLM or claude-code-router, inside the cluster.

Both run without a database, so keys and quotas stay at the gateway and nobody can make a key in the proxy.
Only the gateway reaches it (NetworkPolicy), with a key of its own that the gateway adds.
"""

from __future__ import annotations

from onprem_agents.manifests.claude_code_router import CLAUDE_CODE_ROUTER
from onprem_agents.manifests.litellm import LITELLM
from onprem_agents.manifests.meta import (
    COMPONENT_LABEL,
    Manifest,
    container_security,
    files_digest,
    manifest,
    pod_security,
    user_environment,
)
from onprem_agents.manifests.proxy_software import ProxySoftware, server_key_names
from onprem_agents.plan import (
    PRE_STOP_SECONDS,
    PROXY_KEY_SECRET,
    PROXY_NAME,
    PROXY_PORT,
    ProxyPart,
    ProxySoftwareName,
    Scope,
)
from onprem_agents.stack.domain import Translation
from onprem_agents.stack.labels import CONFIG_ANNOTATION, STACK_LABEL

COMPONENT = "translation-proxy"
_REPLICAS = 2
_RESOURCES = {"cpu": "2", "memory": "2Gi", "ephemeral-storage": "2Gi"}

_SOFTWARE: dict[ProxySoftwareName, ProxySoftware] = {
    "litellm": LITELLM,
    "claude-code-router": CLAUDE_CODE_ROUTER,
}


def software(translation: Translation) -> ProxySoftware | None:
    """Return the proxy of that translation, None in native mode."""
    return None if translation == "native" else _SOFTWARE[translation]


PICKED = {COMPONENT_LABEL: COMPONENT}
"""What picks out the proxy's pods in the stack's namespace, also those that an earlier version started."""


def pod_labels(scope: Scope) -> dict[str, str]:
    """Return the labels of the proxy's pods."""
    return PICKED | {STACK_LABEL: scope.stack}


def _selector(scope: Scope) -> dict[str, str]:
    """Return what the Deployment knows its pods by: Kubernetes lets nobody change it, so its old prefix stays."""
    return {COMPONENT_LABEL: COMPONENT, "onprem.ai/stack": scope.stack}


def translation_proxy(part: ProxyPart) -> list[Manifest]:
    """Return the proxy's objects."""
    proxy = _SOFTWARE[part.software]
    files = proxy.files(part)
    selector = pod_labels(part)
    fixed = _selector(part)
    port = {"name": "http", "port": PROXY_PORT, "targetPort": proxy.port, "protocol": "TCP"}
    return [
        manifest(
            part,
            "v1",
            "ServiceAccount",
            PROXY_NAME,
            component=COMPONENT,
            automountServiceAccountToken=False,
        ),
        manifest(part, "v1", "ConfigMap", PROXY_NAME, component=COMPONENT, data=files),
        manifest(
            part,
            "apps/v1",
            "Deployment",
            PROXY_NAME,
            component=COMPONENT,
            spec={
                "replicas": _REPLICAS,
                "selector": {"matchLabels": fixed},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": {
                    "metadata": {
                        "labels": selector | fixed,
                        "annotations": {CONFIG_ANNOTATION: files_digest(files)},
                    },
                    "spec": _pod(part, proxy),
                },
            },
        ),
        manifest(
            part,
            "v1",
            "Service",
            PROXY_NAME,
            component=COMPONENT,
            spec={"type": "ClusterIP", "selector": PICKED, "ports": [port]},
        ),
        manifest(
            part,
            "policy/v1",
            "PodDisruptionBudget",
            PROXY_NAME,
            component=COMPONENT,
            spec={
                "maxUnavailable": 1,
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
                "selector": {"matchLabels": PICKED},
            },
        ),
    ]


def _pod(part: ProxyPart, proxy: ProxySoftware) -> Manifest:
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": PICKED},
    }
    secrets = part.image_pull_secrets
    return {
        "serviceAccountName": PROXY_NAME,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": part.timeouts.termination_grace_seconds,
        "securityContext": pod_security(part.pod_ids),
        "topologySpreadConstraints": [spread],
        **({"imagePullSecrets": [{"name": name} for name in secrets]} if secrets else {}),
        "containers": [_container(part, proxy)],
        "volumes": [
            {"name": "config", "configMap": {"name": PROXY_NAME}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
        ],
    }


def _container(part: ProxyPart, proxy: ProxySoftware) -> Manifest:
    def from_secret(name: str, secret: str) -> Manifest:
        return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": "apiKey"}}}

    environment = {**proxy.environment, **user_environment(part.pod_ids)}
    plain: list[Manifest] = [{"name": name, "value": value} for name, value in environment.items()]
    env = [
        *plain,
        from_secret(proxy.key_env, PROXY_KEY_SECRET),
        *(from_secret(name, secret) for secret, name in server_key_names(part).items()),
    ]
    mounts: list[Manifest] = [{"name": "scratch", "mountPath": "/tmp"}]  # noqa: S108  the pod's own emptyDir
    mounts += [
        {"name": "config", "mountPath": path, "subPath": file_name, "readOnly": True}
        for file_name, path in proxy.mounts.items()
    ]
    container: Manifest = {
        "name": "proxy",
        "image": part.images.reference(proxy.image),
        "imagePullPolicy": part.images.pull_policy,
        "env": env,
        "ports": [{"name": "http", "containerPort": proxy.port, "protocol": "TCP"}],
        "resources": {"requests": dict(_RESOURCES), "limits": dict(_RESOURCES)},
        "startupProbe": _probe(proxy, period_seconds=5, failures=24),
        "readinessProbe": _probe(proxy, period_seconds=10, failures=3),
        "livenessProbe": _probe(proxy, period_seconds=20, failures=6),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}},
        "securityContext": container_security(read_only_root=True),
        "volumeMounts": mounts,
    }
    if proxy.args:
        container["args"] = list(proxy.args)
    return container


def _probe(proxy: ProxySoftware, *, period_seconds: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": proxy.health_path, "port": proxy.port, "scheme": "HTTP"},
        "periodSeconds": period_seconds,
        "failureThreshold": failures,
        "timeoutSeconds": 5,
        "successThreshold": 1,
    }
