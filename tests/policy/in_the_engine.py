"""What the engine gets to see: manifests as it sends them, and what the pack answers through the SDK."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import _PolicyAnalyzerServicer
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policy.graph import UNKNOWN
from policy.pack import NAME, Analyzer, stack_policy
from policy.table import POLICIES

LEVELS = {"mandatory": analyzer_pb2.MANDATORY, "advisory": analyzer_pb2.ADVISORY}


def request_of(manifests: Iterable[Mapping[str, Any]]) -> Any:
    """Return the engine's request about a program that declares these manifests."""
    request = analyzer_pb2.AnalyzeStackRequest()
    for manifest in manifests:
        version, kind, name = manifest["apiVersion"], manifest["kind"], _as_sent(manifest["metadata"]["name"])
        token = f"kubernetes:{version if '/' in version else f'core/{version}'}:{kind}"
        resource = request.resources.add(type=token, urn=f"urn:pulumi:a::b::{token}::{name}", name=name)
        resource.properties.CopyFrom(json_format.ParseDict(_as_sent(manifest), struct_pb2.Struct()))
    return request


def _as_sent(value: Any) -> Any:
    if value is UNKNOWN:
        return UNKNOWN_STRING_VALUE
    if isinstance(value, Mapping):
        return {key: _as_sent(each) for key, each in value.items()}
    return [_as_sent(each) for each in value] if isinstance(value, list | tuple) else value


def diagnostics(manifests: Iterable[Mapping[str, Any]], *, by_the_sdk_alone: bool = False) -> list[Any]:
    """Return what the pack's analyzer answers, or the SDK's own on the same policies."""
    kind: Any = _PolicyAnalyzerServicer if by_the_sdk_alone else Analyzer
    policies = [stack_policy(policy) for policy in POLICIES]
    analyzer = kind(NAME, "0.1.0", policies, EnforcementLevel.ADVISORY, None)
    return list(analyzer.AnalyzeStack(request_of(manifests), None).diagnostics)
