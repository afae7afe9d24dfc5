"""etcd and Kubernetes' own processes, each on the loopback alone."""

from __future__ import annotations

import base64
import json
import secrets
import ssl
from collections.abc import Collection
from pathlib import Path

import yaml

from embedded.cluster.certificates import write_private
from embedded.cluster.probe import answers
from embedded.cluster.site import Site
from embedded.kube import KubeWriter
from embedded.ports import LOOPBACK
from embedded.process import Process
from onprem_agents.errors import EnvironmentProblem

PORTS = {"etcd": ("etcd", "etcd-peer"), "kube-apiserver": ("kube-apiserver",)}
CLIENTS = ("kube-controller-manager", "kube-scheduler", "kwok")
ADMIN = "onprem-admin"

_SERVICE_NETWORK = "10.96.0.0/16"
_READY_SECONDS = 180.0

# About 440 MiB live with all definitions, 800 at its busiest (kube-apiserver 1.36.3, measured 2026-11); with the
# runtime's default a busy moment doubles that, and the pages stay.
_API_SERVER_HEAP_MIB = 896

# Folders and files below kwok's `kustomize/stage`, read in v0.8.0 (2026-11): nodes that stay Ready, pods that
# run, and claims that get a volume.
_STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat/node-heartbeat.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
    "volume/fast/pvc-provision.yaml",
    "volume/fast/pv-bind.yaml",
    "volume/fast/pv-delete.yaml",
    "volume/fast/pvc-delete.yaml",
)


def write_credentials(site: Site) -> None:
    """Make certificates and kubeconfigs, the user's own included, where they are missing or out of date."""
    pki = site.pki
    pki.server("etcd")
    pki.client("etcd-client")
    pki.server("kube-apiserver", hosts=("kubernetes", "kubernetes.default", "kubernetes.default.svc"))
    pki.signing_key("service-accounts")
    for name in CLIENTS:
        pki.kubeconfig(site.kubeconfig(name), server=site.server, user=name)
    pki.kubeconfig(site.layout.kubeconfig, server=site.server, user=ADMIN)


def _write_encryption(site: Site) -> Path:
    """Write, once, the key with which the API server encrypts Secrets before etcd gets them."""
    file = site.folder("apiserver") / "encryption.json"
    if not file.exists():
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        secretbox = {"secretbox": {"keys": [{"name": "embedded", "secret": key}]}}
        content = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [{"resources": ["secrets"], "providers": [secretbox, {"identity": {}}]}],
        }
        write_private(file, json.dumps(content).encode())
    return file


def etcd(site: Site) -> Process:
    """Describe etcd. Without fsync a crash of the machine may cost the data, a killed process does not."""
    pki = site.pki
    client = f"https://{LOOPBACK}:{site.ports['etcd']}"
    peer = f"https://{LOOPBACK}:{site.ports['etcd-peer']}"
    return site.process(
        "etcd",
        "--name=embedded",
        f"--data-dir={site.folder('etcd')}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=embedded={peer}",
        f"--cert-file={pki.certificate('etcd')}",
        f"--key-file={pki.key('etcd')}",
        f"--trusted-ca-file={pki.ca}",
        "--client-cert-auth",
        f"--peer-cert-file={pki.certificate('etcd')}",
        f"--peer-key-file={pki.key('etcd')}",
        f"--peer-trusted-ca-file={pki.ca}",
        "--peer-client-cert-auth",
        "--unsafe-no-fsync",
        "--log-level=warn",
        client=False,
    )


def wait_for_etcd(site: Site, process: Process) -> None:
    context = ssl.create_default_context(cafile=site.pki.ca)
    context.load_cert_chain(site.pki.certificate("etcd-client"), site.pki.key("etcd-client"))
    url = f"https://{LOOPBACK}:{site.ports['etcd']}/readyz"
    process.wait_until(lambda: answers(url, context=context), timeout_seconds=_READY_SECONDS, what="ready")


def api_server(site: Site) -> Process:
    """Describe the API server; Pod Security admission is on by default and follows the namespaces' labels."""
    pki = site.pki
    return site.process(
        "kube-apiserver",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={site.ports['kube-apiserver']}",
        f"--advertise-address={LOOPBACK}",
        "--endpoint-reconciler-type=none",  # loopback endpoints are refused
        f"--etcd-servers=https://{LOOPBACK}:{site.ports['etcd']}",
        f"--etcd-cafile={pki.ca}",
        f"--etcd-certfile={pki.certificate('etcd-client')}",
        f"--etcd-keyfile={pki.key('etcd-client')}",
        f"--cert-dir={site.folder('apiserver')}",
        f"--tls-cert-file={pki.certificate('kube-apiserver')}",
        f"--tls-private-key-file={pki.key('kube-apiserver')}",
        f"--client-ca-file={pki.ca}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki.certificate('service-accounts')}",
        f"--service-account-signing-key-file={pki.key('service-accounts')}",
        f"--encryption-provider-config={_write_encryption(site)}",
        f"--service-cluster-ip-range={_SERVICE_NETWORK}",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",  # as every real cluster; Pod Security decides by namespace
        "--profiling=false",
        env={"GOMEMLIMIT": f"{_API_SERVER_HEAP_MIB}MiB"},
        client=False,
    )


def wait_for_api_server(process: Process, client: KubeWriter) -> None:
    process.wait_until(client.ready, timeout_seconds=_READY_SECONDS, what="ready")


def controller_manager(site: Site, groups: Collection[str]) -> Process:
    """Describe the controller-manager, which listens nowhere.

    Its garbage collector takes up to half a minute to learn a new kind and blocks deletions meanwhile, but
    knows at once those served when it starts: so it starts after the definitions, anew with other `groups`.
    """
    return site.process(
        "kube-controller-manager",
        f"--kubeconfig={site.kubeconfig('kube-controller-manager')}",
        "--secure-port=0",
        "--leader-elect=false",
        f"--cert-dir={site.folder('controller-manager')}",
        f"--flex-volume-plugin-dir={site.folder('flex-volumes')}",
        f"--root-ca-file={site.pki.ca}",
        f"--service-account-private-key-file={site.pki.key('service-accounts')}",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        # Each change of a node restarts kwok's heartbeat of 20 to 45 s (0.8.0); a pod once marked not ready
        # because its node was late is never marked ready again by kwok.
        "--node-monitor-grace-period=24h",
        "--profiling=false",
        env={"ONPREM_KINDS": " ".join(sorted(groups))},
    )


def scheduler(site: Site) -> Process:
    """Describe the scheduler, which listens nowhere."""
    return site.process(
        "kube-scheduler",
        f"--kubeconfig={site.kubeconfig('kube-scheduler')}",
        "--secure-port=0",
        "--leader-elect=false",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--profiling=false",
    )


def kwok(site: Site) -> Process:
    """Describe kwok, which listens nowhere."""
    stages = site.module("sigs.k8s.io/kwok") / "kustomize" / "stage"
    return site.process(
        "kwok",
        f"--kubeconfig={site.kubeconfig('kwok')}",
        "--manage-all-nodes=true",
        f"--node-ip={LOOPBACK}",
        *(f"--config={_existing(stages / stage)}" for stage in _STAGES),
    )


def wait_for_controllers(client: KubeWriter, manager: Process) -> None:
    """Wait until pods can be created: the controller-manager has made the default service account."""
    manager.wait_until(
        lambda: client.find("v1", "ServiceAccount", "default", "default") is not None,
        timeout_seconds=_READY_SECONDS,
        what="at work (no default service account)",
    )


def install_storage_class(client: KubeWriter, site: Site) -> None:
    """Apply the default StorageClass whose claims kwok binds to volumes that exist by name only."""
    file = site.module("sigs.k8s.io/kwok") / "kustomize" / "stage" / "volume" / "fast" / "storage-class.yaml"
    client.apply(yaml.safe_load(file.read_text(encoding="utf-8")), force=True)


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise EnvironmentProblem(f"{file} is missing; delete its folder to have it fetched again")
    return file
