"""What a second `pulumi up` does: nothing, or what was changed, or what somebody changed behind its back."""

from __future__ import annotations

import copy
import json
import signal
from typing import Any

import pytest

from embedded.kube import KubeWriter
from onprem_agents.cluster import ApiError
from tests.cluster.end_to_end.checkout import Checkout
from tests.cluster.looking import eventually

_SERVING = "serving.kserve.io/v1beta1"
_NAMESPACE = "coding-agents"
_CODER = f"kubernetes:{_SERVING}:InferenceService::platform-coder-coder"
_OURS = "app.kubernetes.io/part-of=onprem-coding-agents"
_UNTOUCHED = ("preview", "--stack", "local", "--policy-pack", "policy", "--expect-no-changes")


def _changes(checkout: Checkout) -> dict[str, str]:
    """Return what a preview would do: type and name of each object to operation, what stays left out."""
    done = checkout.pulumi("preview", "--stack", "local", "--json")
    assert done.code == 0, done.text
    document = json.loads(done.text[done.text.index("{") :])
    return {
        step["urn"].rpartition("$")[2]: step["op"]
        for step in document["steps"]
        if step["op"] != "same" and "pulumi:pulumi:Stack" not in step["urn"]
    }


def _service(checkout: Checkout) -> dict[str, Any]:
    """Return the model server's InferenceService, nothing while it is being replaced."""
    with checkout.client() as client:
        return client.find(_SERVING, "InferenceService", "coder", _NAMESPACE) or {}


def _listener(checkout: Checkout) -> dict[str, tuple[str, str]]:
    """Return status and reason of each condition of the Gateway's one listener."""
    with checkout.client() as client:
        gateway = client.get("gateway.networking.k8s.io/v1", "Gateway", "coding-agents", _NAMESPACE)
    (listener,) = gateway["status"]["listeners"]
    return {each["type"]: (each["status"], each["reason"]) for each in listener["conditions"]}


def _argument(client: KubeWriter, name: str) -> str:
    """Return the value of one of vLLM's arguments in the Deployment that KServe made."""
    deployment = client.get("apps/v1", "Deployment", "coder-predictor", _NAMESPACE)
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    words = " ".join([*container.get("command", []), *container.get("args", [])]).replace("=", " ").split()
    return str(words[words.index(name) + 1])


def _labelled(client: KubeWriter, labels: str) -> list[str]:
    """Return kind and name of every object of any served kind that carries the labels."""
    found = []
    for kind in client.resources(refresh=True):
        try:
            items = client.list(kind.api_version, kind.kind, labels=labels)
        except ApiError as error:
            if error.status not in {404, 405}:  # reviews and the like can only be created
                raise
            continue
        found += [f"{kind.kind} {item['metadata']['name']}" for item in items]
    return found


def test_a_second_update_changes_nothing(local: Checkout) -> None:
    done = local.pulumi(*_UNTOUCHED)

    assert done.code == 0, done.text


def test_refresh_finds_no_drift_after_the_webhooks_had_their_say(local: Checkout) -> None:
    done = local.pulumi("refresh", "--yes", "--skip-preview", "--stack", "local", "--expect-no-changes")

    assert done.code == 0, done.text
    done = local.pulumi(*_UNTOUCHED)
    assert done.code == 0, done.text


def test_a_changed_context_updates_the_model_server_in_place_and_it_is_ready_again(local: Checkout) -> None:
    platform = local.platform()
    with local.client() as client:
        before = client.get(_SERVING, "InferenceService", "coder", _NAMESPACE)["metadata"]["uid"]
        assert _argument(client, "--max-model-len") == "65536"
    changed = copy.deepcopy(platform)
    changed["models"][0]["context"] = 49152
    local.write_stack("local", changed)
    try:
        assert _changes(local) == {
            "kubernetes:serving.kserve.io/v1beta1:InferenceService::platform-coder-coder": "update",
            # The contract, what opencode is told at its login, and the list of models tell clients the context.
            **{
                "kubernetes:gateway.envoyproxy.io/v1alpha1:HTTPRouteFilter"
                f"::platform-ingress-coding-agents-{name}": "update"
                for name in ("connection", "opencode", "models")
            },
        }

        done = local.up()

        assert "InferenceService coder  READY=True" in done.text
        with local.client() as client:
            assert client.get(_SERVING, "InferenceService", "coder", _NAMESPACE)["metadata"]["uid"] == before
            assert _argument(client, "--max-model-len") == "49152"
        (role,) = local.status()["stack"]["outputs"]["connection"]["roles"]
        assert role["contextTokens"] == 49152
    finally:
        local.write_stack("local", platform)
        local.up()


def test_another_word_for_the_mode_changes_the_model_server_in_place(local: Checkout) -> None:
    platform = local.platform()
    uid = _service(local)["metadata"]["uid"]
    try:
        local.write_stack("local", platform | {"serving": {"kserve": "0.15"}})
        assert _changes(local)[_CODER] == "update"
        local.up()
        assert _service(local)["metadata"]["uid"] == uid
    finally:
        local.write_stack("local", platform)
        local.up()
    assert _service(local)["metadata"]["uid"] == uid


def test_another_mode_replaces_the_model_server_for_kserve_refuses_to_change_it(local: Checkout) -> None:
    platform = local.platform()
    first = _service(local)["metadata"]["uid"]
    mode = {"metadata": {"annotations": {"serving.kserve.io/deploymentMode": "Knative"}}}
    with local.client() as client, pytest.raises(ApiError, match="deploymentMode cannot be changed"):
        client.patch(_SERVING, "InferenceService", "coder", mode, _NAMESPACE)
    local.write_stack("local", platform | {"serving": {"mode": "Knative"}})
    try:
        assert _changes(local)[_CODER] == "replace"
        # There is no Knative here, so nothing becomes READY; that KServe took the new mode is seen by its status.
        with local.running("up") as run:
            eventually(
                lambda: (_service(local).get("status") or {}).get("deploymentMode") == "Knative",
                "KServe has taken the new mode",
                seconds=120,
            )
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=60)
        second = _service(local)["metadata"]["uid"]
        assert second != first
    finally:
        local.write_stack("local", platform)
        done = local.up()

    assert "InferenceService coder  READY=True" in done.text
    assert _service(local)["metadata"]["uid"] not in {first, second}
    assert _service(local)["status"]["deploymentMode"] == "Standard"
    assert local.pulumi(*_UNTOUCHED).code == 0


def test_the_stacks_own_grant_is_what_lets_the_listener_use_the_certificate(local: Checkout) -> None:
    platform = local.platform()
    assert _listener(local)["ResolvedRefs"] == ("True", "ResolvedRefs")
    ungranted = copy.deepcopy(platform)
    del ungranted["access"]["tls"]["referenceGrant"]
    local.write_stack("local", ungranted)
    try:
        assert _changes(local) == {
            "kubernetes:gateway.networking.k8s.io/v1beta1:ReferenceGrant"
            "::platform-ingress-coding-agents-tls": "delete"
        }
        local.up()
        eventually(
            lambda: _listener(local)["ResolvedRefs"] == ("False", "RefNotPermitted"),
            "the listener may not use the Secret",
        )
    finally:
        local.write_stack("local", platform)
        local.up()
    eventually(
        lambda: _listener(local)["ResolvedRefs"] == ("True", "ResolvedRefs"), "the listener uses the Secret"
    )


def test_drift_made_behind_its_back_is_found_by_refresh_and_repaired_by_up(local: Checkout) -> None:
    with local.client() as client:
        policies = client.list("networking.k8s.io/v1", "NetworkPolicy", _NAMESPACE)
        deleted = policies[0]["metadata"]["name"]
        client.delete("networking.k8s.io/v1", "NetworkPolicy", deleted, _NAMESPACE)
        client.patch(
            "gateway.envoyproxy.io/v1alpha1",
            "ClientTrafficPolicy",
            "coding-agents",
            {"spec": {"connection": {"bufferLimit": None}}},
            _NAMESPACE,
        )

    found = local.pulumi("refresh", "--yes", "--skip-preview", "--stack", "local", "--expect-no-changes")

    assert found.code != 0, "drift must not go unseen"
    assert "no changes were expected for refresh" in found.text, found.text
    local.pulumi("refresh", "--yes", "--skip-preview", "--stack", "local")
    assert set(_changes(local).values()) == {"create", "update"}

    local.up()

    with local.client() as client:
        assert client.find("networking.k8s.io/v1", "NetworkPolicy", deleted, _NAMESPACE) is not None
        policy = client.get(
            "gateway.envoyproxy.io/v1alpha1", "ClientTrafficPolicy", "coding-agents", _NAMESPACE
        )
    assert policy["spec"]["connection"]["bufferLimit"] == "8Mi"
    done = local.pulumi(*_UNTOUCHED)
    assert done.code == 0, done.text


def test_destroy_leaves_no_object_of_ours_and_gives_the_nodes_back(local: Checkout) -> None:
    with local.client() as client:
        assert len(_labelled(client, _OURS)) > 20, "the label is on what the stack makes"
    done = local.pulumi("destroy", "--yes", "--skip-preview", "--stack", "local")

    assert done.code == 0, done.text
    with local.client() as client:
        assert _labelled(client, _OURS) == []
        assert client.find("v1", "Namespace", _NAMESPACE) is None
        for name in ("gpu-0", "gpu-1"):
            node = client.get("v1", "Node", name)
            ours = [key for key in node["metadata"]["labels"] if key.startswith("onprem")]
            assert ours == []
            assert node["spec"].get("taints", []) == [], "the stack's own taint is taken back"
    assert not local.state().get("resources")
