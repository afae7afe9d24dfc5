"""What the pack answers the engine through the SDK's analyzer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pulumi.runtime.proto import analyzer_pb2

from tools.bench.policy_once import BY_THE_SDK, ONCE, analyzers, request_of

LEVELS = {"mandatory": analyzer_pb2.MANDATORY, "advisory": analyzer_pb2.ADVISORY}


def diagnostics(manifests: Iterable[Mapping[str, Any]], *, by_the_sdk_alone: bool = False) -> list[Any]:
    """Return what the pack's analyzer answers, or the SDK's own on the same policies."""
    analyzer = analyzers()[BY_THE_SDK if by_the_sdk_alone else ONCE]
    return list(analyzer.AnalyzeStack(request_of(manifests), None).diagnostics)
