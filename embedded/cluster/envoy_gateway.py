"""Envoy Gateway in one process: it reads the API server, writes real status and runs Envoy on this host.

All Gateways of a class share one Envoy, because they share one loopback; the default EnvoyProxy of its
configuration says so for every GatewayClass that names no other.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

from embedded.cluster import kserve
from embedded.cluster.certificates import write_private
from embedded.cluster.probe import answers
from embedded.cluster.site import Site
from embedded.kube import KubeWriter
from embedded.ports import LOOPBACK
from embedded.process import Process
from embedded.toolchain import gateway_patch
from onprem_agents.cluster import Object
from onprem_agents.errors import EnvironmentProblem

NAME = "envoy-gateway"
NAMESPACE = "envoy-gateway-system"
GATEWAY_CLASS = "envoy-gateway"
CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"
# Port table name -> environment variable of the patched binary.
PORTS = {
    "envoy-gateway-xds": gateway_patch.XDS_PORT,
    "envoy-gateway-health": gateway_patch.HEALTH_PORT,
    "envoy-gateway-webhook": gateway_patch.WEBHOOK_PORT,
    "envoy-gateway-wasm": gateway_patch.WASM_PORT,
    "envoy-readiness": gateway_patch.READINESS_PORT,
}
ADMIN_PORT = "envoy-gateway-admin"
INGRESS_PORT = "kserve-ingress"

_READY_SECONDS = 180.0
_CERTGEN_SECONDS = 120.0


def write_files(site: Site) -> None:
    """Write configuration, certificates and the place of the Envoy binary below the gateway's own folder."""
    home = site.folder(NAME)
    site.pki.kubeconfig(site.kubeconfig(NAME), server=site.server, user=NAME)
    certificates = home / "certs"  # the patched binary reads `certs` of its working folder
    if not (certificates / "envoy-oidc-hmac" / "hmac-secret").exists():
        _generate_certificates(site, home)
    for file in (certificates / "envoy-gateway").iterdir():
        write_private(certificates / file.name, file.read_bytes())
    envoy = site.binaries["envoy"]
    place = home / "data" / "envoy-versions" / envoy.version / "bin" / "envoy"
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink() or place.readlink() != envoy.path:
        place.unlink(missing_ok=True)
        place.symlink_to(envoy.path)
    if not process(site).alive():
        for name in ("runtime", "state"):  # each run of Envoy leaves a folder in both
            shutil.rmtree(home / name, ignore_errors=True)
    write_private(_config_file(site), json.dumps(_config(site), indent=1).encode())


def process(site: Site) -> Process:
    """Describe the controller; Envoy runs as its child."""
    environment = {variable: str(site.ports[name]) for name, variable in PORTS.items()}
    return site.process(
        NAME,
        "server",
        f"--config-path={_config_file(site)}",
        cwd=site.folder(NAME),
        env={
            **environment,
            "KUBECONFIG": str(site.kubeconfig(NAME)),
            "ENVOY_GATEWAY_NAMESPACE": NAMESPACE,
            "ONPREM_CONFIG": json.dumps(_config(site), sort_keys=True),
        },
    )


def install(client: KubeWriter, site: Site, *, with_kserve: bool) -> None:
    """Apply what the controller wants to find: its namespace, its secrets, a class, and KServe's gateway."""
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, force=True)
    certificates = site.folder(NAME) / "certs"
    for name, kind in (("envoy", "kubernetes.io/tls"), ("envoy-oidc-hmac", "Opaque")):
        client.apply(_secret(name, kind, certificates / name), force=True)
    client.apply(
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": GATEWAY_CLASS},
            "spec": {"controllerName": CONTROLLER},
        },
        force=True,
    )
    for stand_in in _stand_ins():
        client.apply(stand_in, force=True)
    address = {"status": {"loadBalancer": {"ingress": [{"ip": LOOPBACK}]}}}
    client.patch("v1", "Service", GATEWAY_CLASS, address, NAMESPACE, subresource="/status")
    if with_kserve:
        client.apply(_kserve_gateway(site.ports[INGRESS_PORT]), force=True)


def wait_ready(site: Site, controller: Process) -> None:
    url = f"http://{LOOPBACK}:{site.ports['envoy-gateway-health']}/readyz"
    controller.wait_until(lambda: answers(url), timeout_seconds=_READY_SECONDS, what="ready")


def wait_programmed(client: KubeWriter, site: Site, controller: Process) -> None:
    """Wait until the gateway for KServe's own routes is Programmed and its Envoy has its configuration."""
    envoy = f"http://{LOOPBACK}:{site.ports['envoy-readiness']}/ready"

    def programmed() -> bool:
        gateway = client.get(
            "gateway.networking.k8s.io/v1", "Gateway", kserve.INGRESS_GATEWAY, kserve.NAMESPACE
        )
        conditions = gateway.get("status", {}).get("conditions", [])
        said = any(each["type"] == "Programmed" and each["status"] == "True" for each in conditions)
        return said and answers(envoy)  # after a restart the condition is still there from before

    controller.wait_until(programmed, timeout_seconds=_READY_SECONDS, what="done with the ingress gateway")


def _config_file(site: Site) -> Path:
    return site.folder(NAME) / "config.json"


def _config(site: Site) -> Object:
    home = site.folder(NAME)
    host = {
        "configHome": str(home),
        "dataHome": str(home / "data"),
        "stateHome": str(home / "state"),
        "runtimeDir": str(home / "runtime"),
    }
    kubernetes = {"leaderElection": {"disable": True}}
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyGateway",
        "gateway": {"controllerName": CONTROLLER},
        "provider": {
            "type": "Custom",
            "custom": {
                "resource": {"type": "Kubernetes", "kubernetes": kubernetes},
                "infrastructure": {"type": "Host", "host": host},
            },
        },
        "extensionApis": {"enableBackend": True, "enableLua": True, "enableEnvoyPatchPolicy": True},
        "telemetry": {"metrics": {"prometheus": {"disable": True}}},
        "admin": {"address": {"host": LOOPBACK, "port": site.ports[ADMIN_PORT]}},
        "envoyProxy": {
            "mergeGateways": True,
            "concurrency": 1,
            # Hot restart takes a socket whose name is the same for every Envoy of the machine.
            "extraArgs": ["--disable-hot-restart"],
            "provider": {"type": "Host", "host": {"envoyVersion": site.binaries["envoy"].version}},
        },
    }


def _generate_certificates(site: Site, home: Path) -> None:
    log = site.layout.logs / f"{NAME}-certgen.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [str(site.binaries[NAME].path), "certgen", "--local", "--config-home", str(home)]
    with log.open("wb") as output:
        try:
            subprocess.run(
                command, stdout=output, stderr=subprocess.STDOUT, timeout=_CERTGEN_SECONDS, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EnvironmentProblem(f"{NAME} could not make its certificates: {error}; see {log}") from error


def _secret(name: str, kind: str, folder: Path) -> Object:
    data = {file.name: base64.b64encode(file.read_bytes()).decode() for file in sorted(folder.iterdir())}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"control-plane": NAME}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": data}


def _stand_ins() -> tuple[Object, Object]:
    """Return the Service and the Deployment from which the controller reads whether a Gateway is Programmed.

    With Envoy on this host nobody makes them; it looks for them by this label (v1.9.1, merged Gateways).
    """
    labels = {"gateway.envoyproxy.io/owning-gatewayclass": GATEWAY_CLASS}
    metadata = {"name": GATEWAY_CLASS, "namespace": NAMESPACE, "labels": labels}
    service: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {
            "type": "LoadBalancer",
            "allocateLoadBalancerNodePorts": False,
            "ports": [{"name": "https", "port": 443, "protocol": "TCP"}],
        },
    }
    container = {"name": "envoy", "image": "envoy-on-this-host"}
    deployment: Object = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    return service, deployment


def _kserve_gateway(port: int) -> Object:
    listener = {
        "name": "http",
        "protocol": "HTTP",
        "port": port,
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": kserve.INGRESS_GATEWAY, "namespace": kserve.NAMESPACE},
        "spec": {"gatewayClassName": GATEWAY_CLASS, "listeners": [listener]},
    }
