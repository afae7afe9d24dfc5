"""Named types: what settings and connection contract both say, each with one check and one message.

A value that the settings take is one that the contract takes: the narrower of two needs is the type.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from onprem_agents.errors import Finding
from onprem_agents.stack.untrusted import (
    MAX_TEXT_CHARS,
    PROSE_PUNCTUATION,
    PUNCTUATION,
    Shape,
    check_host,
    check_model_id,
    check_url,
    is_dns_name,
    made_of,
    refusal,
    refuse_key,
)

Translation = Literal["native", "litellm", "claude-code-router"]

_LABEL = "[a-z]([-a-z0-9]{0,38}[a-z0-9])?"
_SUBDOMAIN = r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_RESERVED_NAMESPACE = re.compile(r"(kube|system)-.*|default")
_PAGE = re.compile(r"https?://([a-z0-9.-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/?#=%+-]*)?", re.ASCII)
_SOURCE = re.compile(r"(hf|pvc|oci|s3)://([A-Za-z0-9][A-Za-z0-9._:/@-]*)")


def _namespace(name: str) -> str:
    if _RESERVED_NAMESPACE.fullmatch(name):
        raise _bad(
            "Kubernetes keeps 'default' and names with 'kube-' and 'system-' in front for itself, also for "
            "the priority class that is named after it",
            "give the stack a namespace of its own, such as coding-agents",
        )
    return name


def _host_name(name: str) -> str:
    if not is_dns_name(name):
        raise _bad(
            "it must be a DNS name in lower case, without scheme, port or path: gateway and certificate go by "
            "the name, never by an IP address",
            "give the bare name, such as agents.example.internal",
        )
    return name


def _source(uri: str) -> str:
    match = _SOURCE.fullmatch(uri)
    claim = match[2].partition("/")[0] if match and match[1] == "pvc" else "claim"
    if match is None or ".." in uri or not re.fullmatch(_SUBDOMAIN, claim):
        raise _bad(
            "it must be hf://, pvc://, oci:// or s3:// with a path; pvc:// with the name of a claim",
            "write it like pvc://models/qwen3.6-27b-fp8",
        )
    return uri


def _address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise _bad("it must be an IP address", "write it like 192.0.2.10; names go nowhere here") from None
    return text


def _address_range(text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise _bad("it must be a range of IP addresses", "write it like 10.20.0.0/16") from None
    if str(network) != text:
        raise _bad("NetworkPolicies take ranges by their first address and length", f"write {network}")
    return text


def _page(url: str) -> str:
    match = _PAGE.fullmatch(url)
    if match is None or not (is_dns_name(match[1]) or match[1].replace(".", "").isdigit()):
        raise _bad(
            "it is not the plain http(s) address of a page (no user, no blank)",
            "give an address such as https://status.example.internal",
        )
    return refuse_key(url)


def _bad(why: str, fix: str) -> Exception:
    return refusal(Finding(cause="bad-value", found="", why=why, fix=fix))


# Names that developers' machines know: part of the contract.
RoleName = Annotated[
    str,
    Shape(
        "[a-z]([a-z0-9-]{0,29}[a-z0-9])?",
        "lower-case letters, digits and dashes, at most 31, with a letter first and no dash last",
        "coder or fast-2",
    ),
]
# Any agent's: a platform may be newer than the developer's release, and know more of them.
AgentName = Annotated[
    str, Shape("[a-z][a-z0-9-]{0,30}", "lower-case letters, digits and dashes, at most 31", "codex")
]
# No slash: gateways and routers match served names in paths; no comma: claude-code-router splits at it.
ServedName = Annotated[
    str,
    Shape("[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "letters, digits, '.', '_' and '-', at most 63", "coder"),
]
# What a name begins with; `*` stands for the rest.
AliasPattern = Annotated[
    str,
    Shape("[A-Za-z0-9][A-Za-z0-9._-]{0,30}[*]", "the beginning of a model's name, with '*' last", "claude-*"),
]
# The value of a label on each object (at most 63 characters, Kubernetes 1.36).
StackName = Annotated[
    str,
    Shape(
        "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?",
        "letters, digits, '.', '_' and '-', at most 63, with a letter or digit first and last",
        "team or prod-2",
    ),
]
HostName = Annotated[str, AfterValidator(_host_name)]
"""What a gateway listens for."""
Host = Annotated[str, AfterValidator(check_host)]
"""What a client calls: also an address, for a gateway on the developer's own machine."""
ApiUrl = Annotated[str, Field(max_length=MAX_TEXT_CHARS), AfterValidator(check_url)]
PageUrl = Annotated[str, Field(max_length=MAX_TEXT_CHARS), AfterValidator(_page)]
"""A page that is only shown: no key is ever sent there."""
ModelId = Annotated[str, Field(max_length=200), AfterValidator(check_model_id)]
VersionText = Annotated[
    str,
    Shape(
        "[0-9][0-9A-Za-z.+-]{0,31}",
        "a version: a digit first, then letters, digits, '.', '+', '-'",
        "2.1.330",
    ),
]
# Only our own prefix: any other name would let a contract make an agent send, say, GITHUB_TOKEN to its host.
KeyEnvName = Annotated[
    str, Shape("ONPREM_[A-Z][A-Z0-9_]{0,40}", "ONPREM_ and capital letters, digits or '_'", "ONPREM_API_KEY")
]
PlainText = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS), made_of(PUNCTUATION)]
# For explanations that are shown on a terminal and never become part of a file.
Prose = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS), made_of(PROSE_PUNCTUATION)]

# Names of objects in the cluster (Kubernetes 1.36: labels of at most 63, subdomains of at most 253 characters).
Label = Annotated[
    str,
    Shape(
        _LABEL,
        "lower-case letters, digits and dashes, at most 40, with a letter first and no dash last",
        "coding-agents",
        published=False,
    ),
]
Namespace = Annotated[Label, AfterValidator(_namespace)]
ForeignNamespace = Annotated[
    str,
    Shape(
        "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
        "lower-case letters, digits and dashes, at most 63, with no dash first or last",
        "certificates",
        published=False,
    ),
]
PoolNamespace = Annotated[ForeignNamespace, AfterValidator(_namespace)]
"""A namespace that cluster-wide names are made of, whoever made it."""
PoolName = Annotated[
    str,
    Shape(
        "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
        "lower-case letters, digits and dashes, at most 63, with no dash first or last",
        "fast or team-2",
        published=False,
    ),
]
"""The name of a pool of nodes."""
LabelValue = ForeignNamespace
"""A name that also stands in a label."""
ObjectName = Annotated[
    str,
    Shape(
        _SUBDOMAIN,
        "lower-case letters, digits, '-' and '.', at most 253, with a letter or digit first and last",
        "agents-tls",
        published=False,
    ),
]
PublishedName = Annotated[ObjectName, made_of(PUNCTUATION)]
"""The name of an object that the contract tells."""
DeveloperName = Annotated[
    str,
    Shape(
        "[a-z0-9]([-._a-z0-9]{0,61}[a-z0-9])?",
        "lower-case letters, digits, '.', '_' and '-', at most 63, with a letter or digit first and last",
        "alice",
        published=False,
    ),
]
CatalogName = Annotated[str, Field(min_length=1, max_length=200)]
"""The name of a model, accelerator or tier; whether there is one, the catalogue says."""
SourceUri = Annotated[str, AfterValidator(_source)]

# Labels and annotations of other software's objects (Kubernetes 1.36).
_NAME_PART = "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
LabelKey = Annotated[
    str,
    Shape(
        f"({_SUBDOMAIN}/)?{_NAME_PART}",
        "the key of a label: a name of letters, digits, '.', '_' and '-', perhaps behind a domain and a slash",
        "dns.operator.openshift.io/daemonset-dns",
        published=False,
    ),
]
LabelText = Annotated[
    str,
    Shape(
        f"({_NAME_PART})?",
        "the value of a label: letters, digits, '.', '_' and '-', at most 63",
        "default",
        published=False,
    ),
]
AnnotationText = Annotated[str, Field(max_length=4000)]

# The network.
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
IpAddress = Annotated[str, Field(max_length=MAX_TEXT_CHARS), AfterValidator(_address)]
AddressRange = Annotated[str, Field(max_length=MAX_TEXT_CHARS), AfterValidator(_address_range)]

# Quantities.
LEAST_CONTEXT_TOKENS = 2048
"""A window whose eighth still is an answer: below, nothing could be said in a turn."""
ContextTokens = Annotated[int, Field(strict=True, ge=LEAST_CONTEXT_TOKENS, le=16_777_216)]
OutputTokens = Annotated[int, Field(strict=True, ge=LEAST_CONTEXT_TOKENS // 8, le=16_777_216)]
Seconds = Annotated[int, Field(strict=True, ge=1, le=86_400)]
Temperature = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
