"""What `./dev up` promises: the plan first, then a platform that is ready and a gateway that checks keys."""

from __future__ import annotations

import json

import pytest

from tests.cluster.end_to_end.checkout import Checkout, ask
from tests.cluster.end_to_end.conftest import FirstUp

_PATHS = (
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/messages/count_tokens",
)


def test_up_succeeds_and_shows_plan_and_policies_before_it_starts_anything(first_up: FirstUp) -> None:
    text = first_up.outcome.text

    assert first_up.outcome.code == 0, text
    plan = text.index("Stack local: 2 nodes with 2 × L40S")
    policies = text.index("policies: all passed on")
    assert plan < policies < text.index("Kubernetes API server")
    assert "InferenceService coder  READY=True" in text


def test_up_names_the_stand_ins_it_uses(local: Checkout, first_up: FirstUp) -> None:
    stand_ins = [part["name"] for part in local.status()["parts"] if part["origin"] == "stand-in"]

    for name in stand_ins:
        assert name in first_up.outcome.text.partition("stand-ins in use:")[2]


def test_state_status_and_plugin_agree_on_the_kubernetes_provider(local: Checkout) -> None:
    (part,) = [part for part in local.status()["parts"] if part["name"] == "pulumi-kubernetes"]
    (provider,) = [
        resource
        for resource in local.state()["resources"]
        if resource["type"] == "pulumi:providers:kubernetes"
    ]

    assert provider["inputs"]["version"] == part["version"]
    assert part["origin"] in {"path", "build"}


def test_status_tells_stack_models_pods_gateway_and_parts(local: Checkout) -> None:
    status = local.status()

    assert set(status) == {"stack", "inferenceServices", "pods", "gateway", "parts"}
    assert set(status["stack"]) == {"name", "resources", "outputs"}
    assert status["stack"]["name"] == "local"
    assert status["stack"]["resources"] == len(local.state()["resources"])
    assert set(status["stack"]["outputs"]) == {"connection", "sizing", "host"}
    assert status["inferenceServices"] == [{"name": "coder", "ready": True}]
    (pod,) = status["pods"]
    assert set(pod) == {"name", "phase", "node", "gpus"}
    assert pod["name"].startswith("coder-predictor-")
    assert (pod["phase"], pod["gpus"]) == ("Running", 1)
    assert pod["node"] in {"gpu-0", "gpu-1"}
    assert set(status["gateway"]) == {"accepted", "programmed", "policies"}
    assert (status["gateway"]["accepted"], status["gateway"]["programmed"]) == (True, True)
    assert {policy["kind"] for policy in status["gateway"]["policies"]} == {
        "HTTPRoute",
        "SecurityPolicy",
        "ClientTrafficPolicy",
        "BackendTrafficPolicy",
    }
    assert [policy for policy in status["gateway"]["policies"] if policy["accepted"] is not True] == []
    for part in status["parts"]:
        assert set(part) == {"name", "version", "origin", "pid", "resident_mib"}
        assert part["origin"] in {"path", "download", "build", "stand-in"}
    running = {part["name"]: part for part in status["parts"] if part["pid"] is not None}
    assert len(running) == 8, "etcd, four of Kubernetes with kwok, KServe, Envoy Gateway and Envoy"
    assert sum(part["resident_mib"] for part in running.values()) < 1.7 * 1024, (
        "the promise is 1.7 GiB in all"
    )


@pytest.mark.parametrize("path", ["/v1/models", *_PATHS])
def test_a_request_without_a_key_or_with_a_wrong_one_is_refused_by_the_real_envoy(
    local: Checkout, path: str
) -> None:
    method = "GET" if path == "/v1/models" else "POST"
    with local.gateway() as gateway:
        assert ask(gateway, method, path).status_code == 401
        assert ask(gateway, method, path, Authorization="Bearer nobodys-key").status_code == 401
        assert ask(gateway, method, path, **{"x-api-key": "nobodys-key"}).status_code == 401


@pytest.mark.parametrize("developer", ["alice", "bob"])
def test_a_developers_key_opens_the_list_of_models_in_either_header(local: Checkout, developer: str) -> None:
    key = local.key(developer)
    with local.gateway() as gateway:
        for headers in ({"Authorization": f"Bearer {key}"}, {"x-api-key": key}):
            answer = ask(gateway, "GET", "/v1/models", **headers)

            assert answer.status_code == 200, headers.keys()
            assert [model["id"] for model in answer.json()["data"]] == ["coder"]


def test_the_key_that_the_engineer_set_is_the_one_that_opens(local: Checkout, first_up: FirstUp) -> None:
    with local.gateway() as gateway:
        assert ask(gateway, "GET", "/v1/models", **{"x-api-key": first_up.canary}).status_code == 200
    assert "made keys for bob" in first_up.outcome.text, "alice had one already"


def test_the_connection_contract_is_served_without_a_key_and_equals_the_stack_output(local: Checkout) -> None:
    output = local.pulumi("stack", "output", "connection", "--json", "--stack", "local")
    with local.gateway() as gateway:
        answer = ask(gateway, "GET", "/.well-known/onprem-coding-agents.json")

    assert answer.status_code == 200
    assert answer.json() == json.loads(output.text)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/metrics"),
        ("GET", "/health"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("POST", "/invocations"),
        ("POST", "/tokenize"),
        ("POST", "/v1/completions"),
        ("POST", "/v1/embeddings"),
        ("POST", "/v1/load_lora_adapter"),
        ("GET", "/v1/chat/completions"),
        ("POST", "/v1/chat/completions/"),
        ("POST", "/v1/chat/completions/more"),
        ("POST", "/v1/models"),
    ],
)
def test_paths_off_the_allow_list_do_not_exist_even_with_a_key(
    local: Checkout, method: str, path: str
) -> None:
    with local.gateway() as gateway:
        assert ask(gateway, method, path).status_code == 404
        assert ask(gateway, method, path, **{"x-api-key": local.key("alice")}).status_code == 404


def test_another_host_name_finds_nothing(local: Checkout) -> None:
    with local.gateway() as gateway:
        answer = gateway.get(
            "/v1/models", headers={"Host": "other.example"}, extensions={"sni_hostname": "localhost"}
        )

    assert answer.status_code in {404, 421}
