"""What is planned although some arguments are not known yet: nothing that is decided may depend on them.

A name, a host or a Secret says nothing about whether a model fits. So a preview that awaits only such arguments
refuses all that the deployment would refuse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onprem_agents.stack.parts import IngressArguments, PoolArguments, ServerArguments
from onprem_agents.stack.section import Section
from onprem_agents.stack.settings import Platform

_LEFT_OUT = object()
_NAME, _HOST = "known-later", "known-later.example"
_URL = f"http://{_HOST}:3128"
_TLS: dict[str, Any] = {
    "tls": {"issuer": _NAME},
    "tls.issuer": _NAME,
    "tls.issuerKind": _LEFT_OUT,
    "tls.secretName": _NAME,
    "tls.secretNamespace": _NAME,
    "tls.referenceGrant": _LEFT_OUT,
    "tls.caHint": _LEFT_OUT,
}
_SERVICE = ("gatewayService", "gatewayService.addresses", "gatewayService.annotations")
_LISTENER: dict[str, Any] = {
    "host": _HOST,
    **dict.fromkeys(("port", "gatewayClass", "gatewayReplicas", *_SERVICE), _LEFT_OUT),
    **_TLS,
}
_PODS: dict[str, Any] = dict.fromkeys(("images", "images.registry", "images.pullPolicy", "podIds"), _LEFT_OUT)
_DOWNLOAD_PROXY: dict[str, Any] = {"httpProxy": _URL, "httpsProxy": _URL, "noProxy": _LEFT_OUT}
_SERVING: dict[str, Any] = dict.fromkeys(
    ("image", "imagePullSecrets", "serviceAccount", "storageSecret", "cudaAffinity"), _LEFT_OUT
)
_QUEUE: dict[str, Any] = dict.fromkeys(
    ("queue", "queue.clusterQueue", "queue.existingClusterQueue", "queue.localQueue"), _LEFT_OUT
)
_STAND_INS: Mapping[type[Section], Mapping[str, Any]] = {
    PoolArguments: {"namespace": _NAME, "taint": _LEFT_OUT, **_QUEUE},
    ServerArguments: {
        "namespace": _NAME,
        **_SERVING,
        **dict.fromkeys(("priorityClass", "localQueue", "keySecret", "downloadProxy"), _LEFT_OUT),
        **{f"downloadProxy.{key}": value for key, value in _DOWNLOAD_PROXY.items()},
        **_PODS,
    },
    IngressArguments: _LISTENER | _PODS,
    Platform: {
        "namespace": _LEFT_OUT,
        "access": {"host": _HOST, "tls": {"issuer": _NAME}, "developers": {_NAME: {}}},
        **{f"access.{key}": value for key, value in _LISTENER.items()},
        "access.developers": {_NAME: {}},
        "access.gatewayNamespace": _LEFT_OUT,
        **{f"serving.{key}": value for key, value in _SERVING.items()},
        **_QUEUE,
        **_PODS,
        **{f"network.proxy.{key}": value for key, value in _DOWNLOAD_PROXY.items()},
    },
}


def with_stand_ins(section: type[Section], raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return arguments to plan in place of those of which some are None, which is what is not known yet.

    None where something is awaited that decides the plan. What is planned so is good for its problems alone.
    """
    known = _STAND_INS.get(section, {})
    if not set(_unknown(raw, "")) <= known.keys():
        return None
    return _filled(raw, "", known)


def _unknown(value: Any, place: str) -> Iterator[str]:
    if value is None:
        yield place
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _unknown(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _unknown(inner, f"{place}[{index}]")


def _filled(raw: Mapping[str, Any], above: str, known: Mapping[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for key, value in raw.items():
        place = f"{above}.{key}" if above else str(key)
        if isinstance(value, Mapping):
            filled[key] = _filled(value, place, known)
        elif value is not None:
            filled[key] = value
        elif known[place] is not _LEFT_OUT:
            filled[key] = known[place]
    return filled
