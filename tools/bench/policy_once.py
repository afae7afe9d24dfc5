"""What the policies cost inside one interpreter: `python -m tools.bench.policy_once MANIFESTS`, one line of JSON.

The engine's request about the manifests is judged as the pack does it, and as the SDK alone would, in turn.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import _PolicyAnalyzerServicer
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policy.graph import UNKNOWN
from policy.pack import NAME, Analyzer, stack_policy
from policy.table import POLICIES, load_rules

ONCE, BY_THE_SDK = "resources made once", "resources made for each policy"
_ROUNDS = 5


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


def analyzers() -> Mapping[str, Any]:
    """Return the pack's analyzer and the SDK's own, with the same policies."""
    policies = [stack_policy(policy) for policy in POLICIES]
    kinds: Mapping[str, Any] = {ONCE: Analyzer, BY_THE_SDK: _PolicyAnalyzerServicer}
    return {
        what: kind(NAME, "0.1.0", policies, EnforcementLevel.ADVISORY, None) for what, kind in kinds.items()
    }


def main() -> None:
    """Print milliseconds of processor time a resource, by what was measured: the least of the rounds."""
    load_rules()
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    request = request_of(each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each)
    took: dict[str, list[float]] = {}
    for _ in range(_ROUNDS):
        for what, analyzer in analyzers().items():
            started = time.process_time()
            analyzer.AnalyzeStack(request, None)
            took.setdefault(what, []).append(time.process_time() - started)
    milliseconds = {what: min(rounds) / len(request.resources) * 1000 for what, rounds in took.items()}
    sys.stdout.write(f"answer: {json.dumps(milliseconds)}\n")


if __name__ == "__main__":
    main()
