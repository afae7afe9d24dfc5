"""Each rule of the packs through the SDK's own analyzer: the engine's numbers and unknowns change no verdict."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import _PolicyAnalyzerServicer
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policy.checks import check_manifests
from policy.graph import UNKNOWN
from policy.pack import NAME, stack_policy
from policy.table import POLICIES
from tests.policy import test_exposure, test_pods_and_keys, test_quotas_and_tokens, test_supply_chain
from tests.policy.rendered import Change, objects_of

pytestmark = pytest.mark.policy

LEVELS = {"mandatory": analyzer_pb2.MANDATORY, "advisory": analyzer_pb2.ADVISORY}
ON_LITELLM = {**test_supply_chain.MUTATIONS, **test_pods_and_keys.MUTATIONS}
ON_AI_GATEWAY = test_quotas_and_tokens.MUTATIONS
ROWS: dict[str, tuple[str, Change]] = {
    **{name: (stack, change) for name, (stack, change, _, _) in test_exposure.MUTATIONS.items()},
    **{name: ("feature-litellm-oci", change) for name, (change, _, _) in ON_LITELLM.items()},
    **{name: ("feature-ai-gateway", change) for name, (change, _, _) in ON_AI_GATEWAY.items()},
}
# The first row of each policy, and every row with a value that is only known at run time.
_OF_POLICY = {policy: name for name, (*_, policy, _) in reversed(test_exposure.MUTATIONS.items())} | {
    policy: name for name, (_, policy, _) in reversed((ON_LITELLM | ON_AI_GATEWAY).items())
}
CHOSEN = sorted({*_OF_POLICY.values(), *(name for name in ROWS if "known later" in name)})


def _as_the_engine_sends(value: Any) -> Any:
    if value is UNKNOWN:
        return UNKNOWN_STRING_VALUE
    if isinstance(value, dict):
        return {key: _as_the_engine_sends(each) for key, each in value.items()}
    return [_as_the_engine_sends(each) for each in value] if isinstance(value, list) else value


def _diagnostics(manifests: list[dict[str, Any]]) -> set[tuple[str, int, str]]:
    request = analyzer_pb2.AnalyzeStackRequest()
    for manifest in manifests:
        version = (
            manifest["apiVersion"] if "/" in manifest["apiVersion"] else f"core/{manifest['apiVersion']}"
        )
        kind, name = f"kubernetes:{version}:{manifest['kind']}", manifest["metadata"]["name"]
        resource = request.resources.add(type=kind, urn=f"urn:pulumi:a::b::{kind}::{name}", name=name)
        props = json_format.ParseDict(_as_the_engine_sends(manifest), struct_pb2.Struct())
        resource.properties.CopyFrom(props)
    servicer: Any = _PolicyAnalyzerServicer(
        NAME, "0.1.0", [stack_policy(policy) for policy in POLICIES], EnforcementLevel.ADVISORY, None
    )
    found = servicer.AnalyzeStack(request, None).diagnostics
    return {(one.policyName, one.enforcementLevel, one.message.split("\n")[-1]) for one in found}


@pytest.mark.parametrize("name", CHOSEN)
def test_the_engine_is_told_what_the_check_tells(name: str) -> None:
    stack, change = ROWS[name]
    objects = objects_of(stack)
    change(objects)
    manifests = list(objects.values())

    expected = {(f.policy, LEVELS[f.level], f.told) for f in check_manifests(manifests)}
    assert _diagnostics(manifests) == expected
    assert expected


def test_every_policy_that_a_change_can_fire_is_among_them() -> None:
    alone = {
        test_supply_chain.REGISTRIES,
        test_exposure.SPACE,
        test_exposure.CHECKABLE,
        "timeouts-are-monotonic",
    }
    assert set(_OF_POLICY) == {policy.name for policy in POLICIES if policy.pack != "serving"} - alone
