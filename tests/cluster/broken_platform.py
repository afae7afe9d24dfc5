"""What is broken of the platform around the model servers, and who may not do what."""

from __future__ import annotations

from tests.cluster.broken import Broken
from tests.cluster.good_cluster import NAMESPACE, STACK, TIME, named

_KNATIVE = {"serving": {"mode": "Knative"}}

PLATFORM = (
    Broken(
        what="the namespace's quota has fewer GPUs than the stack",
        added=(
            named("v1", "ResourceQuota", "team", NAMESPACE, spec={"hard": {"requests.nvidia.com/gpu": "0"}}),
        ),
        check="ResourceQuota team",
        found=("requests.nvidia.com/gpu: the stack needs", "the quota is 0"),
        fix=("let the quota be raised",),
    ),
    Broken(
        what="a container may not have as much memory",
        added=(
            named(
                "v1",
                "LimitRange",
                "small",
                NAMESPACE,
                spec={"limits": [{"type": "Container", "max": {"memory": "8Gi"}}]},
            ),
        ),
        check="LimitRange small",
        found=("memory: a container needs", "at most 8Gi"),
        fix=("API server refuses the pods",),
    ),
    Broken(
        what="the certificate's Secret is not there",
        gone=("Secret/agents-tls",),
        check="Secret certificates/agents-tls",
        found=("not there",),
        fix=("platform.access.tls",),
    ),
    Broken(
        what="nobody grants the Gateway the certificate",
        gone=("ReferenceGrant/agents",),
        check="ReferenceGrant in certificates",
        found=("none that allows it",),
        fix=("kind: ReferenceGrant", f"namespace: {NAMESPACE}"),
    ),
    Broken(
        what="the issuer cannot sign",
        stack={"access": {"tls": {"issuer": "internal-ca"}}},
        states={"ClusterIssuer/internal-ca": {"conditions": [{"type": "Ready", "status": "False"}]}},
        check="ClusterIssuer internal-ca",
        found=("condition Ready is False",),
        fix=("kubectl describe clusterissuer/internal-ca",),
    ),
    Broken(
        what="no controller accepts the GatewayClass",
        states={
            "GatewayClass/envoy-gateway": {
                "conditions": [
                    {
                        "type": "Accepted",
                        "status": "Unknown",
                        "reason": "Pending",
                        "message": "Waiting for controller",
                        "lastTransitionTime": TIME,
                    }
                ]
            }
        },
        check="GatewayClass envoy-gateway",
        found=("condition Accepted is Unknown",),
        fix=("Envoy Gateway's controller runs",),
    ),
    Broken(
        what="the GatewayClass merges Gateways",
        changed={
            "GatewayClass/envoy-gateway": {
                "spec": {
                    "parametersRef": {
                        "group": "gateway.envoyproxy.io",
                        "kind": "EnvoyProxy",
                        "name": "shared",
                        "namespace": "envoy-gateway-system",
                    }
                }
            }
        },
        added=(
            named(
                "gateway.envoyproxy.io/v1alpha1",
                "EnvoyProxy",
                "shared",
                "envoy-gateway-system",
                spec={"mergeGateways": True},
            ),
        ),
        check="GatewayClass envoy-gateway",
        found=("merges Gateways",),
        fix=("mergeGateways", "platform.access.gatewayClass"),
    ),
    Broken(
        what="nothing gives LoadBalancer Services an address",
        states={"Service/edge": {"loadBalancer": None}},
        check="addresses for LoadBalancer Services",
        found=("none for 1 Service of that type",),
        fix=("MetalLB",),
    ),
    Broken(
        what="Envoy Gateway takes no Lua and there are two roles",
        stack={
            "models": [*STACK["models"], {"role": "fast", "model": "google/gemma-4-E4B-it", "context": 65536}]
        },
        changed={"ConfigMap/envoy-gateway-config": {"data": {"envoy-gateway.yaml": "extensionApis: {}\n"}}},
        check="Lua filters in Envoy Gateway",
        found=("not enabled",),
        fix=("enableLua: true",),
    ),
    Broken(
        what="Kueue is not installed",
        stack={"queue": {}},
        check="ClusterQueue (kueue.x-k8s.io/v1beta1)",
        found=("the API server does not serve it",),
        fix=("install Kueue",),
    ),
    Broken(
        what="Knative is not installed",
        stack=_KNATIVE,
        check="Service (serving.knative.dev/v1)",
        found=("the API server does not serve it",),
        fix=("install Knative Serving",),
    ),
    *(
        Broken(
            what=f"Knative refuses {field}",
            stack=_KNATIVE,
            check=f"Knative's kubernetes.podspec-{flag}",
            found=("disabled",),
            fix=(f"kubernetes.podspec-{flag}: enabled in ConfigMap config-features",),
        )
        for field, flag in (
            ("node selectors", "nodeselector"),
            ("tolerations", "tolerations"),
            ("init containers", "init-containers"),
            ("priority classes", "priorityclassname"),
            ("fsGroup", "securitycontext"),
        )
    ),
    Broken(
        what="Knative ends long turns",
        stack=_KNATIVE,
        added=(
            named(
                "v1",
                "ConfigMap",
                "config-defaults",
                "knative-serving",
                data={"max-revision-timeout-seconds": "300"},
            ),
        ),
        check="Knative's max-revision-timeout-seconds",
        found=("300",),
        fix=("longestTurnSeconds",),
    ),
)
PEOPLE = (
    Broken(
        what="the caller may not create model servers",
        account="guest",
        check="permission for inferenceservices.serving.kserve.io",
        found=(f"the caller may not create, patch, delete in {NAMESPACE}",),
        fix=("let a cluster administrator grant these verbs",),
    ),
    Broken(
        what="the caller may not make cluster-wide objects",
        account="developer",
        check="permission for priorityclasses.scheduling.k8s.io",
        found=("the caller may not create, patch, delete cluster-wide",),
        fix=("let a cluster administrator grant these verbs",),
    ),
    Broken(
        what="the caller may not look at the nodes",
        account="developer",
        check="nodes",
        verdict="doubtful",
        found=("the caller may not list nodes cluster-wide",),
        fix=("kubectl auth can-i list nodes",),
    ),
    Broken(
        what="the caller may not look at Secrets of another namespace",
        account="developer",
        check="Secret certificates/agents-tls",
        verdict="doubtful",
        found=("the caller may not get secrets in the namespace certificates",),
        fix=("let an administrator grant it",),
    ),
)
