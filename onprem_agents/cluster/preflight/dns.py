"""Where the cluster's DNS is: pods that may not ask it find neither the gateway's servers nor a download."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight.check import Check, Object
from onprem_agents.plan import PlatformPlan
from onprem_agents.stack.network import Dns

_OPENSHIFT = "openshift-dns"
_NAME = "DNS"
# NodeLocal DNSCache (kubernetes/kubernetes at 028f956, cluster/addons/dns/nodelocaldns/nodelocaldns.yaml, 2026-11).
_CACHE_NAMESPACE, _CACHE_LABEL, _CACHE = "kube-system", "k8s-app", "node-local-dns"
_CACHE_ADDRESSES = "-localip"


def check_dns(plan: PlatformPlan, _objects: Sequence[Object], client: KubeClient) -> Iterator[Check]:
    """Yield what tells that DNS is elsewhere than the NetworkPolicy lets pods ask; nothing where nothing tells."""
    dns = plan.settings.network.dns
    if dns.namespace != _OPENSHIFT and client.find("v1", "Namespace", _OPENSHIFT) is not None:
        yield Check(
            name=_NAME,
            verdict="missing",
            found=f"it is in {_OPENSHIFT}, at port 5353; pods may ask {dns.namespace} at port {dns.port} alone",
            fix="set platform.platform to openshift-ai, or platform.network.dns to {namespace: openshift-dns, port: "
            "5353}",
        )
    elif dns.pod_labels and not _bearing(dns, client):
        labels = ", ".join(f"{key}={value}" for key, value in dns.pod_labels.items())
        yield Check(
            name=_NAME,
            verdict="missing",
            found=f"no pod of {dns.namespace} is labelled {labels}",
            fix="correct platform.network.dns.podLabels, or leave them out",
        )
    uncovered = [address for address in _cache_addresses(client) if not _covered(address, dns)]
    if uncovered:
        ranges = ", ".join(str(ip_network(address)) for address in uncovered)
        yield Check(
            name="NodeLocal DNSCache",
            verdict="doubtful",
            found=f"it answers at {', '.join(uncovered)} in the nodes' own network, where no label reaches",
            fix=f"set platform.network.dns.cidrs to [{ranges}]; some network plugins let it through all the same",
        )


def _bearing(dns: Dns, client: KubeClient) -> bool:
    pods = client.list("v1", "Pod", dns.namespace)
    return any(dns.pod_labels.items() <= pod["metadata"].get("labels", {}).items() for pod in pods)


def _cache_addresses(client: KubeClient) -> list[str]:
    """Return the addresses at which the nodes' own caches answer."""
    found: set[str] = set()
    for pod in client.list("v1", "Pod", _CACHE_NAMESPACE):
        if pod["metadata"].get("labels", {}).get(_CACHE_LABEL) == _CACHE:
            for container in pod["spec"]["containers"]:
                args = [*container.get("args", ()), ""]
                if _CACHE_ADDRESSES in args:
                    found |= set(args[args.index(_CACHE_ADDRESSES) + 1].split(","))
    return sorted(address for address in found if _is_address(address))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _covered(address: str, dns: Dns) -> bool:
    return any(ip_address(address) in ip_network(cidr) for cidr in dns.cidrs)
