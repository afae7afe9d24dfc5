"""The settings of the network around a stack: where DNS is, where downloads may go, a company's own HTTP proxy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from onprem_agents.errors import Finding
from onprem_agents.stack.domain import AddressRange, ForeignNamespace, LabelKey, LabelText, Port
from onprem_agents.stack.section import Section, contradiction
from onprem_agents.stack.untrusted import MAX_TEXT_CHARS, Shape, check_host, refusal


def _proxy_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if "@" in parts.netloc:
        raise refusal(
            Finding(
                cause="looks-like-key",
                found="an address with a user or password (not shown)",
                why="it would stand in the pod's own object, for everybody to read who may look at pods",
                fix="leave it out here, put HTTPS_PROXY with the user into the Secret of serving.storageSecret, and "
                "name the proxy's address and port in network.egress",
            )
        )
    if parts.scheme not in ("http", "https") or port is None or parts.path not in ("", "/") or parts.query:
        raise refusal(
            Finding(
                cause="bad-value",
                found="",
                why="it is not the address of a proxy: http:// or https://, a host and a port",
                fix="write it like http://proxy.example.internal:3128",
            )
        )
    check_host(host)
    return url


ProxyUrl = Annotated[str, Field(max_length=MAX_TEXT_CHARS), AfterValidator(_proxy_url)]
DirectName = Annotated[
    str,
    Shape(
        r"[A-Za-z0-9.:-]{1,253}",
        "a host name, an address, or a domain with a dot in front; the download's clients read no ranges",
        ".example.internal",
        published=False,
    ),
]

# What is in the cluster is reached directly. A domain with a dot stands for all names in it; ranges of addresses are
# passed over by httpx 0.28 and Python's urllib (run with requests 2.34, which reads them, 2026-11).
OWN_NAMES = ("localhost", "127.0.0.1", ".svc", ".cluster.local")


class Dns(Section):
    """Where the pods find the cluster's DNS: the only way out that every pod has."""

    namespace: ForeignNamespace = Field(
        default="kube-system", description="Namespace of the DNS servers' pods; OpenShift's is openshift-dns."
    )
    pod_labels: dict[LabelKey, LabelText] = Field(
        default={},
        max_length=16,
        description="Labels of those pods. Left out: all pods of that namespace, at that port.",
    )
    port: Port = Field(
        default=53, description="Port that those pods listen on, behind their Service; OpenShift's is 5353."
    )
    cidrs: Annotated[tuple[AddressRange, ...], Field(max_length=16)] = Field(
        default=(),
        description="Addresses of DNS servers that are no pods, reached at port 53, such as 169.254.20.10/32 of "
        "NodeLocal DNSCache. Left out: none.",
    )


class Egress(Section):
    """One place that downloads may go to."""

    cidr: AddressRange = Field(description="Addresses, as a range: one alone is 10.20.30.40/32.")
    ports: Annotated[tuple[Port, ...], Field(min_length=1, max_length=16)] = Field(
        description="TCP ports there; MinIO's is 9000."
    )


class DownloadProxy(Section):
    """A company's HTTP proxy, which the containers that download weights are told of."""

    http_proxy: ProxyUrl | None = Field(
        default=None, description="Proxy for http:// addresses. Left out: none."
    )
    https_proxy: ProxyUrl | None = Field(
        default=None, description="Proxy for https:// addresses. Left out: none."
    )
    no_proxy: Annotated[tuple[DirectName, ...], Field(max_length=64)] = Field(
        default=(),
        description="Names and addresses that are reached directly, such as your own S3, besides the cluster's own "
        f"({', '.join(OWN_NAMES)}). Left out: none.",
    )

    @model_validator(mode="after")
    def _some(self) -> DownloadProxy:
        if self.http_proxy is None and self.https_proxy is None:
            raise contradiction(
                "neither 'httpProxy' nor 'httpsProxy'",
                "without an address there is no proxy",
                "say 'httpsProxy', which downloads from Hugging Face go through, or remove the section",
            )
        return self

    def environment(self) -> dict[str, str]:
        """Return the variables that tell of it, in both spellings: clients read one or the other."""
        said = {
            "HTTP_PROXY": self.http_proxy,
            "HTTPS_PROXY": self.https_proxy,
            "NO_PROXY": ",".join((*OWN_NAMES, *self.no_proxy)),
        }
        return {
            spelled: value
            for name, value in said.items()
            if value is not None
            for spelled in (name, name.lower())
        }

    def endpoints(self) -> Iterator[tuple[str, int]]:
        """Yield host and port of each proxy, each once."""
        urls = (urlsplit(url) for url in (self.http_proxy, self.https_proxy) if url is not None)
        yield from dict.fromkeys((str(url.hostname), int(url.port or 0)) for url in urls)


class NetworkProxy(DownloadProxy):
    """A company's HTTP proxy, which the containers that download weights are told of, and may reach."""

    cidr: AddressRange | None = Field(
        default=None,
        description="Addresses of the proxy, for a NetworkPolicy knows no names. Left out: the one in its URL, where "
        "there is one, else any address at its port.",
    )


class Network(Section):
    """What is around the stack's namespace, in which all traffic is denied but this."""

    dns: Dns = Field(default=Dns(), description="Where DNS is. Left out: the defaults below.")
    egress: Annotated[tuple[Egress, ...], Field(max_length=64)] = Field(
        default=(),
        description="Where downloads of hf:// and s3:// weights may go. Left out: port 443 of any address, or, beside "
        "'proxy', the proxy alone.",
    )
    proxy: NetworkProxy | None = Field(default=None, description="A company's HTTP proxy. Left out: none.")
