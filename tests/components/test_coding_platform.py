"""The whole platform on mocks: which resources, under which parents, with which secrets, in which order."""

from __future__ import annotations

import base64
import json
from typing import Any

import pulumi
import pytest
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret

from components import CodingPlatform
from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan
from tests.components.recording import ALICE, ALICE_NEXT, BOB, SERVER, Recorder, family, recorded, settings_of
from tests.unit.manifest_samples import planned


def platform(plan: PlatformPlan) -> CodingPlatform:
    keys = {"alice": [ALICE, ALICE_NEXT], "bob": BOB}
    arguments: Any = settings_of(plan) | {"developer_keys": keys, "server_key": SERVER}
    return CodingPlatform("platform", arguments)


def declared(plan: PlatformPlan) -> Recorder:
    return recorded(lambda: platform(plan))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"second_role": True, "queue": {}},
        {"translation": "litellm"},
        {"access": {"gateway": "envoy-ai-gateway", "tls": {"issuer": "internal-ca"}}},
        {"serving": {"mode": "Knative"}},
    ],
)
def test_what_is_declared_is_what_is_rendered(changes: dict[str, Any]) -> None:
    plan = planned(**changes)
    recorder = declared(plan)
    kubernetes = [item.inputs for item in recorder.resources if item.typ.startswith("kubernetes:")]

    def identities(documents: list[Any]) -> set[tuple[str, str, str]]:
        return {(item["apiVersion"], item["kind"], item["metadata"]["name"]) for item in documents}

    assert identities(kubernetes) == identities(render(plan))


def test_objects_have_the_type_of_the_official_provider() -> None:
    types = set(declared(planned(hardware={"nodeNames": ["node-a", "node-b"]})).types().values())

    assert "kubernetes:serving.kserve.io/v1beta1:InferenceService" in types
    assert "kubernetes:core/v1:Namespace" in types
    assert "kubernetes:core/v1:NodePatch" in types, "nodes are adopted, never owned"
    assert "kubernetes:core/v1:Node" not in types


def test_the_five_parts_are_components_of_their_own() -> None:
    types = declared(planned(translation="litellm")).types()

    assert {name: token for name, token in types.items() if token.startswith("onprem-coding-agents:")} == {
        "platform": "onprem-coding-agents:index:CodingPlatform",
        "platform-pool": "onprem-coding-agents:index:GpuNodePool",
        "platform-auth": "onprem-coding-agents:index:GatewayAuth",
        "platform-coder": "onprem-coding-agents:index:InferenceService",
        "platform-proxy": "onprem-coding-agents:index:TranslationProxy",
        "platform-ingress": "onprem-coding-agents:index:ExternalIngress",
    }


def test_native_serving_declares_no_proxy() -> None:
    assert "onprem-coding-agents:index:TranslationProxy" not in declared(planned()).types().values()


def test_every_object_is_below_the_platform_and_named_after_its_parent() -> None:
    pairs: list[tuple[pulumi.Resource, pulumi.Resource]] = []
    recorder = recorded(lambda: pairs.extend(family(platform(planned()))))

    assert len(pairs) == len(recorder.resources) - 1, "nothing but the platform itself stands at the top"
    for parent, child in pairs:
        assert child._name.startswith(f"{parent._name}-")


def values_of(secret: dict[str, Any]) -> dict[str, str]:
    return {
        name: base64.b64decode(value).decode() for name, value in unwrap_rpc_secret(secret["data"]).items()
    }


def test_a_developers_keys_stand_in_one_secret_under_two_client_ids() -> None:
    secrets = declared(planned()).of_type("kubernetes:core/v1:Secret")

    assert set(secrets) == {
        "platform-auth-vllm-server-key",
        "platform-auth-key-alice",
        "platform-auth-key-bob",
    }
    assert values_of(secrets["platform-auth-key-alice"]) == {
        "alice": ALICE,
        "alice.B": ALICE_NEXT,
    }


def test_every_key_reaches_the_engine_marked_as_secret() -> None:
    secrets = declared(planned(translation="litellm")).of_type("kubernetes:core/v1:Secret")

    assert len(secrets) == 4, "servers, proxy, alice, bob"
    for inputs in secrets.values():
        assert is_rpc_secret(inputs["data"])


def test_no_key_stands_in_any_other_object() -> None:
    recorder = declared(planned(translation="litellm", second_role=True))
    others = [item.inputs for item in recorder.resources if item.typ != "kubernetes:core/v1:Secret"]
    text = json.dumps(others, default=str)

    for key in (ALICE, ALICE_NEXT, BOB, SERVER):
        assert key not in text


def test_the_servers_key_comes_bare_and_as_a_header() -> None:
    secret = declared(planned()).of_type("kubernetes:core/v1:Secret")["platform-auth-vllm-server-key"]

    assert values_of(secret) == {"apiKey": SERVER, "credential": f"Bearer {SERVER}"}


def test_the_proxy_has_a_key_of_the_form_that_litellm_wants() -> None:
    secrets = declared(planned(translation="litellm")).of_type("kubernetes:core/v1:Secret")
    proxy = values_of(secrets["platform-auth-translation-proxy-key"])

    assert proxy["apiKey"] == f"sk-{SERVER}"


def test_every_object_but_the_namespace_comes_after_it() -> None:
    recorder = declared(
        planned(hardware={"nodeNames": ["node-a", "node-b"]}, queue={}, translation="litellm")
    )

    for name, token in recorder.types().items():
        if token.startswith("kubernetes:") and name != "platform-namespace":
            assert "platform-namespace" in recorder.before(name)


def test_model_servers_come_after_walls_keys_and_nodes() -> None:
    recorder = declared(planned(hardware={"nodeNames": ["node-a", "node-b"]}))

    assert recorder.before("platform-coder-coder") >= {
        "platform-network-default-deny",
        "platform-auth-vllm-server-key",
        "platform-pool-node-a",
        "platform-pool-coding-agents-serving",
    }


def test_routes_come_after_the_key_check_and_do_not_wait_for_models() -> None:
    before = declared(planned()).before("platform-ingress-coding-agents-agents")

    assert "platform-auth-coding-agents-keys" in before, "no moment may see an open route"
    assert "platform-coder-coder" not in before, "a model may load for the better part of an hour"


def test_the_key_check_comes_after_the_secrets_that_it_reads() -> None:
    before = declared(planned()).before("platform-auth-coding-agents-keys")

    assert before >= {"platform-auth-key-alice", "platform-auth-key-bob", "platform-auth-vllm-server-key"}
