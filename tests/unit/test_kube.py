"""The Kubernetes client against a made-up API server: what it sends, and what its errors say."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx2
import pytest

from embedded.kube import KubeWriter
from onprem_agents.cluster import ApiError, KubeClient
from onprem_agents.errors import ClusterError

pytestmark = pytest.mark.unit

Answer = Callable[[httpx2.Request], httpx2.Response]

_CORE = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {
            "metadata": {},
            "versions": [
                {
                    "version": "v1",
                    "resources": [
                        {"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced"},
                        {"resource": "nodes", "responseKind": {"kind": "Node"}, "scope": "Cluster"},
                        {"resource": "componentstatuses", "responseKind": {}, "scope": "Cluster"},
                    ],
                }
            ],
        }
    ],
}
_GROUPS = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {
            "metadata": {"name": "serving.kserve.io"},
            "versions": [
                {
                    "version": "v1beta1",
                    "resources": [
                        {
                            "resource": "inferenceservices",
                            "responseKind": {"kind": "InferenceService"},
                            "scope": "Namespaced",
                        }
                    ],
                }
            ],
        }
    ],
}


class Server:
    """Answers discovery itself and everything else with `answer`; keeps the requests."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests: list[httpx2.Request] = []
        self.discoveries = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/api":
            self.discoveries += 1
            return httpx2.Response(200, json=_CORE)
        if request.url.path == "/apis":
            return httpx2.Response(200, json=_GROUPS)
        self.requests.append(request)
        return self._answer(request)


def connect(answer: Answer) -> tuple[KubeWriter, Server]:
    server = Server(answer)
    http = httpx2.Client(base_url="https://api.example:6443", transport=httpx2.MockTransport(server))
    return KubeWriter(http, source="/home/me/.kube/config"), server


def echo(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json={"kind": "Echo"})


def status(code: int, reason: str, message: str) -> Answer:
    body = {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code}
    return lambda _: httpx2.Response(code, json=body)


def test_kinds_are_found_through_aggregated_discovery_asked_once() -> None:
    client, server = connect(echo)

    client.get("serving.kserve.io/v1beta1", "InferenceService", "coder", "team")
    client.get("v1", "Node", "gpu-0")

    assert [request.url.path for request in server.requests] == [
        "/apis/serving.kserve.io/v1beta1/namespaces/team/inferenceservices/coder",
        "/api/v1/nodes/gpu-0",
    ]
    assert server.discoveries == 1


def test_a_namespaced_object_without_a_namespace_goes_to_the_contexts() -> None:
    client, server = connect(echo)

    client.get("v1", "Pod", "one")

    assert server.requests[0].url.path == "/api/v1/namespaces/default/pods/one"


def test_a_kind_that_is_not_served_is_asked_for_again_and_then_named() -> None:
    client, server = connect(echo)
    client.resources()

    with pytest.raises(ApiError, match=r"kueue\.x-k8s\.io/v1beta1 ClusterQueue is not served") as caught:
        client.get("kueue.x-k8s.io/v1beta1", "ClusterQueue", "gpu")

    assert caught.value.status == 404
    assert server.discoveries == 2, "it may have been installed since"


@pytest.mark.parametrize("verb", ["create", "apply", "patch", "delete", "request"])
def test_the_products_own_client_has_no_verb_that_writes(verb: str) -> None:
    assert hasattr(KubeWriter, verb)
    assert not hasattr(KubeClient, verb)


def test_apply_is_server_side_with_manager_force_and_dry_run() -> None:
    client, server = connect(echo)
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "namespace": "team"}}

    client.apply(body, field_manager="me", force=True, dry_run=True)

    [request] = server.requests
    assert (request.method, request.url.path) == ("PATCH", "/api/v1/namespaces/team/pods/one")
    assert dict(request.url.params) == {"fieldManager": "me", "force": "true", "dryRun": "All"}
    assert request.headers["Content-Type"] == "application/apply-patch+yaml"
    assert json.loads(request.content) == body


def test_create_posts_to_the_collection() -> None:
    client, server = connect(echo)

    client.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "gpu-0"}})

    [request] = server.requests
    assert (request.method, request.url.path) == ("POST", "/api/v1/nodes")


def test_a_patch_is_merged_into_the_object() -> None:
    client, server = connect(echo)

    client.patch("v1", "Node", "n", {"spec": {}}, subresource="/status")

    [merge] = server.requests
    assert (merge.url.path, merge.headers["Content-Type"]) == (
        "/api/v1/nodes/n/status",
        "application/merge-patch+json",
    )


def test_delete_takes_what_an_object_owns_along_without_waiting_for_it() -> None:
    client, server = connect(echo)

    client.delete("v1", "Pod", "one", "team")

    assert json.loads(server.requests[0].content)["propagationPolicy"] == "Background"


def test_a_list_follows_its_pages_and_tells_the_kind_of_each_item() -> None:
    def pages(request: httpx2.Request) -> httpx2.Response:
        last = request.url.params.get("continue") == "next"
        metadata = {} if last else {"continue": "next"}
        return httpx2.Response(
            200, json={"metadata": metadata, "items": [{"metadata": {"name": "b" if last else "a"}}]}
        )

    client, server = connect(pages)

    items = client.list("v1", "Pod", labels="app=vllm")

    assert [item["metadata"]["name"] for item in items] == ["a", "b"]
    assert {(item["apiVersion"], item["kind"]) for item in items} == {("v1", "Pod")}
    assert server.requests[0].url.path == "/api/v1/pods", "no namespace means all of them"
    assert server.requests[0].url.params["labelSelector"] == "app=vllm"


def test_a_refusal_names_the_object_and_the_servers_reason() -> None:
    client, _ = connect(
        status(422, "Invalid", "spec.predictor: minReplicas cannot be greater than maxReplicas")
    )

    with pytest.raises(ApiError) as caught:
        client.apply(
            {
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "metadata": {"name": "coder", "namespace": "team"},
            }
        )

    assert str(caught.value) == (
        "InferenceService team/coder: the API server answered 422 Invalid: "
        "spec.predictor: minReplicas cannot be greater than maxReplicas"
    )
    assert (caught.value.status, caught.value.reason) == (422, "Invalid")


@pytest.mark.parametrize("body", ["upstream gone", "[]", "{}", ""])
def test_a_refusal_that_is_no_status_object_still_reads_as_one(body: str) -> None:
    client, _ = connect(lambda _: httpx2.Response(502, text=body))

    with pytest.raises(ApiError, match=r"Node n: the API server answered 502 \(no reason given\): ."):
        client.get("v1", "Node", "n")


def test_find_gives_none_for_what_is_not_there_and_raises_for_the_rest() -> None:
    missing, _ = connect(status(404, "NotFound", "no"))
    forbidden, _ = connect(status(403, "Forbidden", "no"))

    assert missing.find("v1", "Node", "n") is None
    assert missing.find("nowhere/v1", "Nothing", "n") is None
    with pytest.raises(ApiError, match="403 Forbidden"):
        forbidden.find("v1", "Node", "n")


def test_a_busy_server_is_asked_again_when_it_says_so() -> None:
    answers = [httpx2.Response(429, headers={"Retry-After": "0.01"}), httpx2.Response(200, json={"ok": True})]
    client, server = connect(lambda _: answers.pop(0))

    assert client.get("v1", "Node", "n") == {"ok": True}
    assert len(server.requests) == 2


def test_a_server_that_does_not_answer_is_one_sentence_with_address_and_kubeconfig() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("Connection refused", request=request)

    client, _ = connect(refuse)

    assert not client.ready()
    with pytest.raises(ClusterError) as caught:
        client.version()
    assert str(caught.value) == (
        "the API server: cannot reach the Kubernetes API server https://api.example:6443 "
        "of /home/me/.kube/config: Connection refused"
    )


def test_a_wait_ends_when_the_object_is_as_wanted() -> None:
    phases = iter(["Pending", "Running"])
    client, _ = connect(lambda _: httpx2.Response(200, json={"status": {"phase": next(phases)}}))

    found = client.wait_until(
        "v1",
        "Pod",
        "one",
        "team",
        lambda pod: pod is not None and pod["status"]["phase"] == "Running",
        timeout_seconds=5,
        interval_seconds=0.01,
    )

    assert found == {"status": {"phase": "Running"}}


def test_a_wait_has_a_limit_and_says_what_did_not_come() -> None:
    client, _ = connect(status(404, "NotFound", "no"))

    with pytest.raises(
        ClusterError, match=r"Pod team/one does not exist and so was not Ready within 0\.05 s"
    ):
        client.wait_until(
            "v1", "Pod", "one", "team", bool, timeout_seconds=0.05, what="Ready", interval_seconds=0.01
        )
