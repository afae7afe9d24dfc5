"""Each component alone in anybody's program, and what one tells the next."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pulumi
import pytest

import components
from components.kubernetes_object import KubernetesObject
from tests.components.component_samples import (
    MINIMAL,
    OWN,
    SERVER_ARGUMENTS,
    as_outputs,
    changed,
    make,
)
from tests.components.recording import ALICE, SERVER, Recorder, recorded

every_component = pytest.mark.parametrize("noun", MINIMAL)


def objects(recorder: Recorder) -> dict[tuple[str, str], Any]:
    found = [item for item in recorder.resources if item.typ.startswith("kubernetes:")]
    return {(item.name, item.typ): item.inputs for item in found}


def tell(found: dict[str, Any], component: Any, *names: str) -> None:
    """Put attributes where they can be looked at once the program has run; all of them where none is named."""
    for name in names or type(component).__annotations__:
        getattr(component, name).apply(partial(found.__setitem__, name))


@every_component
def test_a_component_alone_declares_its_own_objects_below_itself(noun: str) -> None:
    recorder = recorded(lambda: make(noun))

    assert recorder.types()["it"] == f"onprem-coding-agents:index:{noun}"
    assert OWN[noun] <= {item.typ for item in recorder.resources}
    assert all(name == "it" or name.startswith("it-") for name in recorder.types())


@every_component
def test_arguments_that_are_outputs_lead_to_the_same_objects(noun: str) -> None:
    plain = objects(recorded(lambda: make(noun)))

    assert bool(plain) == (noun != "ServiceCheck"), "a check alone makes no object"
    assert objects(recorded(lambda: make(noun, as_outputs(MINIMAL[noun])))) == plain


@every_component
def test_every_attribute_is_known_and_none_tells_a_key(noun: str) -> None:
    found: dict[str, Any] = {}

    recorded(lambda: tell(found, make(noun)))

    assert set(found) == set(getattr(components, noun).__annotations__)
    assert ALICE not in str(found)
    assert SERVER not in str(found)


def test_a_pool_tells_what_a_server_needs_of_it() -> None:
    found: dict[str, Any] = {}

    def program() -> None:
        pool = make(
            "GpuNodePool", MINIMAL["GpuNodePool"] | {"nodes": 3, "gpus_per_node": 2, "queue": {}}, "pool"
        )
        tell(found, pool)
        server = SERVER_ARGUMENTS | {
            "accelerator": pool.accelerator,
            "gpus_per_node": pool.gpus_per_node,
            "namespace": pool.namespace,
            "priority_class": pool.priority_class,
            "local_queue": pool.local_queue,
        }
        make("InferenceService", server, "server")

    recorder = recorded(program)
    (service,) = recorder.of_type("kubernetes:serving.kserve.io/v1beta1:InferenceService").values()

    assert found["gpus"] == 6
    assert found["free_gpus"] == 2
    assert service["spec"]["predictor"]["priorityClassName"] == found["priority_class"] == "agents-serving"
    assert found["local_queue"] == service["metadata"]["labels"]["kueue.x-k8s.io/queue-name"]


def test_a_pool_without_a_queue_tells_none_and_a_server_takes_it_so() -> None:
    def program() -> None:
        pool = make("GpuNodePool", name="pool")
        make("InferenceService", SERVER_ARGUMENTS | {"local_queue": pool.local_queue}, "server")

    recorder = recorded(program)
    (service,) = recorder.of_type("kubernetes:serving.kserve.io/v1beta1:InferenceService").values()

    assert "kueue.x-k8s.io/queue-name" not in service["metadata"].get("labels", {})


def test_a_server_an_ingress_and_its_keys_make_a_way_in() -> None:
    found: dict[str, Any] = {}

    def program() -> None:
        server = make("InferenceService", SERVER_ARGUMENTS | {"server_key": SERVER}, "server")
        way_in = make("ExternalIngress", MINIMAL["ExternalIngress"] | {"servers": [server.server]}, "way-in")
        auth = make("GatewayAuth", MINIMAL["GatewayAuth"] | {"ingress": way_in.ingress}, "auth")
        tell(found, server, "key_secret", "server")
        tell(found, way_in, "url", "anthropic_url", "connection", "ingress")
        tell(found, auth, "key_secrets", "developers")

    recorder = recorded(program)
    policies = recorder.of_type("kubernetes:gateway.envoyproxy.io/v1alpha1:SecurityPolicy")
    (policy,) = (each for name, each in policies.items() if name.startswith("auth-"))

    assert found["url"] == "https://agents.example.internal/v1"
    assert found["anthropic_url"] == "https://agents.example.internal"
    assert found["connection"]["roles"][0]["role"] == "coder"
    assert found["server"]["key_secret"] == found["key_secret"] == "coder-server-key"
    assert [each["name"] for each in policy["spec"]["targetRefs"]] == found["ingress"]["routes"]
    assert found["developers"] == ["alice", "bob"]
    assert found["key_secrets"] == {"alice": "key-alice", "bob": "key-bob"}


def test_a_proxy_stands_between_an_ingress_and_its_servers() -> None:
    def program() -> None:
        server = make("InferenceService", SERVER_ARGUMENTS | {"server_key": SERVER}, "server")
        proxy = make("TranslationProxy", MINIMAL["TranslationProxy"] | {"servers": [server.server]}, "proxy")
        arguments = MINIMAL["ExternalIngress"] | {"servers": [server.server], "proxy": proxy.proxy}
        make("ExternalIngress", arguments, "way-in")

    recorder = recorded(program)
    routes = recorder.of_type("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute")

    assert "translation-proxy" in str(routes["way-in-coding-agents-agents"])


@pytest.mark.parametrize("written", [dict, as_outputs], ids=["values", "outputs"])
def test_what_takes_an_attribute_comes_after_the_objects_of_the_component(
    written: Callable[[Any], Any],
) -> None:
    def program() -> None:
        pool = make("GpuNodePool", written(MINIMAL["GpuNodePool"] | {"queue": {}}), "pool")
        arguments = SERVER_ARGUMENTS | {"priority_class": pool.priority_class, "server_key": SERVER}
        server = make("InferenceService", arguments, "server")
        bot = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "bot"},
            "data": {"url": server.url},
        }
        KubernetesObject("bot", bot)

    recorder = recorded(program)
    of_the_pool = {name for name in recorder.requests if name.startswith("pool-")}

    assert of_the_pool
    assert of_the_pool <= recorder.before("server-coder")
    assert {"server-coder", "server-coder-server-key"} <= recorder.before("bot")


@pytest.mark.parametrize("written", [dict, as_outputs], ids=["values", "outputs"])
def test_a_child_may_take_attributes_of_its_parent(written: Callable[[Any], Any]) -> None:
    def program() -> None:
        pool = make("GpuNodePool", written(MINIMAL["GpuNodePool"]), "pool")
        arguments = SERVER_ARGUMENTS | {"priority_class": pool.priority_class}
        make("InferenceService", arguments, "server", pulumi.ResourceOptions(parent=pool))

    recorder = recorded(program)

    assert recorder.requests["server"].parent.endswith("::pool")
    assert "pool-agents-serving" in recorder.before("server-coder")


def test_an_attribute_is_known_at_preview_before_its_objects_are_there() -> None:
    found: dict[str, Any] = {}

    recorded(lambda: tell(found, make("InferenceService", name="server"), "url"), preview=True)

    assert found["url"].startswith("http://coder-predictor.agents")


def test_an_ingress_waits_for_no_model_to_be_loaded() -> None:
    def program() -> None:
        server = make("InferenceService", name="server")
        make("ExternalIngress", MINIMAL["ExternalIngress"] | {"servers": [server.server]}, "way-in")

    before = recorded(program).before("way-in-coding-agents-agents")

    assert not [name for name in before if name.startswith("server")]


def test_a_server_without_a_key_is_allowed_and_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    recorded(lambda: make("InferenceService"))

    assert "key" in caplog.text


def test_a_server_makes_its_secret_of_its_key() -> None:
    recorder = recorded(lambda: make("InferenceService", SERVER_ARGUMENTS | {"server_key": SERVER}))

    assert list(recorder.of_type("kubernetes:core/v1:Secret")) == ["it-coder-server-key"]


def identities(recorder: Recorder, parent: str) -> set[tuple[str, str, str, str]]:
    return {
        (
            each["apiVersion"],
            each["kind"],
            each["metadata"].get("namespace", ""),
            each["metadata"]["name"],
        )
        for (name, _), each in objects(recorder).items()
        if name.startswith(parent)
    }


def test_two_platforms_in_one_program_share_no_object() -> None:
    def program() -> None:
        for team in ("red", "blue"):
            arguments = changed("CodingPlatform", "access", "host", value=f"{team}.example.internal")
            make("CodingPlatform", arguments | {"namespace": team, "queue": {}}, team)

    recorder = recorded(program)

    red, blue = identities(recorder, "red"), identities(recorder, "blue")
    assert len(red) == len(blue) > 15
    assert red & blue == set()
    assert "kubernetes:kueue.x-k8s.io/v1beta1:ClusterQueue" in recorder.types().values()


@pytest.mark.parametrize("key", [lambda: ALICE, lambda: pulumi.Output.secret(ALICE)], ids=["value", "output"])
def test_a_developer_whose_name_is_a_number_has_a_key(key: Callable[[], Any]) -> None:
    recorder = recorded(
        lambda: make("GatewayAuth", changed("GatewayAuth", "developer_keys", value={7: key()}))
    )

    assert set(recorder.of_type("kubernetes:core/v1:Secret")) == {"it-key-7"}
