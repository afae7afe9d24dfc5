"""The cluster's side: it lets the environment's gateway use the company's certificate, and tells what is there."""

import pulumi
import pulumi_kubernetes as k8s

CERTIFICATE, CERTIFICATE_NAMESPACE = "agents-tls", "certificates"

config = pulumi.Config()
namespace = f"agents-{pulumi.get_stack()}"

k8s.apiextensions.CustomResource(
    "certificate-grant",
    api_version="gateway.networking.k8s.io/v1",
    kind="ReferenceGrant",
    metadata={"name": namespace, "namespace": CERTIFICATE_NAMESPACE},
    spec={
        "from": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": namespace}],
        "to": [{"group": "", "kind": "Secret", "name": CERTIFICATE}],
    },
)

pulumi.export("namespace", namespace)
pulumi.export("host", config.require("host"))
pulumi.export("port", config.require_int("port"))
pulumi.export("certificate", CERTIFICATE)
pulumi.export("certificateNamespace", CERTIFICATE_NAMESPACE)
pulumi.export("accelerator", config.require("accelerator"))
pulumi.export("gpusPerNode", config.require_int("gpusPerNode"))
pulumi.export("nodes", config.require_int("nodes"))
pulumi.export("model", config.require("model"))
