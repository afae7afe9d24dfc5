"""Arguments that are Outputs: planned as soon as they are known, and until then checked as far as they are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pulumi
import pytest
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret

from components import CodingPlatform
from components.awaited import is_unknown
from components.kubernetes_object import KubernetesObject
from tests.components.recording import ALICE, BOB, SERVER, Recorder, family, recorded, unknown

HOST = "agents.example.internal"
PLAIN: dict[str, Any] = {
    "hardware": {"accelerator": "L40S", "gpus_per_node": 2, "nodes": 2},
    "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", "context": 65536}],
    "access": {"host": HOST, "tls": {"secret_name": "agents-tls"}, "developers": {"alice": {}, "bob": {}}},
    "developer_keys": {"alice": ALICE, "bob": [BOB]},
    "server_key": SERVER,
}


def changed(*path: str | int, value: Any) -> dict[str, Any]:
    """Return the arguments with one of them changed."""
    arguments = deepcopy(PLAIN)
    *above, last = path
    place: Any = arguments
    for name in above:
        place = place[name]
    place[last] = value
    return arguments


def declared(arguments: Callable[[], Any], *, preview: bool = False) -> Recorder:
    return recorded(lambda: CodingPlatform("platform", arguments()), preview=preview)


def objects(recorder: Recorder) -> dict[str, Any]:
    """Return the inputs of every object by its name, and by its type where two have one name."""
    found: dict[str, dict[str, Any]] = {}
    for item in recorder.resources:
        if item.typ.startswith("kubernetes:"):
            found.setdefault(item.name, {})[item.typ] = item.inputs
    return dict(found)


def test_plain_arguments_are_planned_while_the_component_is_made() -> None:
    made: list[int] = []
    recorded(lambda: made.append(len(family(CodingPlatform("platform", PLAIN)))))  # type: ignore[arg-type]

    assert made[0] > 20


AS_OUTPUT: dict[str, Callable[[], dict[str, Any]]] = {
    "a value": lambda: changed("access", "host", value=pulumi.Output.from_input(HOST)),
    "a value in a list": lambda: changed("models", 0, "context", value=pulumi.Output.from_input(65536)),
    "a section": lambda: changed("access", value=pulumi.Output.from_input(PLAIN["access"])),
    "a list of Outputs": lambda: changed("models", value=[pulumi.Output.from_input(PLAIN["models"][0])]),
    "an Output in an Output": lambda: changed(
        "access",
        value=pulumi.Output.from_input({**PLAIN["access"], "host": pulumi.Output.from_input(HOST)}),
    ),
    "an awaitable": lambda: changed("access", "host", value=coroutine(HOST)),
    "a key": lambda: changed("server_key", value=pulumi.Output.secret(SERVER)),
    "one of a developer's keys": lambda: changed("developer_keys", "bob", value=[pulumi.Output.secret(BOB)]),
    "all keys": lambda: changed("developer_keys", value=pulumi.Output.secret(PLAIN["developer_keys"])),
    "a number as other languages send it": lambda: changed("hardware", "nodes", value=2.0),
    "nothing": lambda: PLAIN | {"queue": None, "namespace": None},
}


async def coroutine(value: str) -> str:
    return value


@pytest.mark.parametrize("case", AS_OUTPUT)
@pytest.mark.parametrize("preview", [False, True])
def test_what_is_known_in_the_end_is_declared_as_if_it_were_plain(case: str, preview: bool) -> None:
    assert objects(declared(AS_OUTPUT[case], preview=preview)) == objects(declared(lambda: PLAIN))


@pytest.mark.parametrize(
    ("arguments", "awaited"),
    [
        (lambda: changed("access", "host", value=unknown()), "access.host"),
        (lambda: changed("models", 0, "context", value=unknown()), "models[0].context"),
        (lambda: changed("models", 0, value=unknown()), "models[0]"),
        (lambda: changed("hardware", value=unknown()), "hardware"),
        (lambda: changed("access", "developers", value={"alice": unknown()}), "access.developers.alice"),
        (
            lambda: changed("access", value=pulumi.Output.from_input({**PLAIN["access"], "host": unknown()})),
            "access.host",
        ),
    ],
)
def test_what_is_not_known_at_preview_is_named_and_nothing_is_guessed(
    arguments: Callable[[], Any], awaited: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    recorder = declared(arguments, preview=True)

    assert recorder.types() == {"platform": "onprem-coding-agents:index:CodingPlatform"}
    assert f"waits for {awaited}: " in caplog.text


def test_attributes_are_unknown_until_the_plan_is_known() -> None:
    def program() -> None:
        platform: Any = CodingPlatform("platform", changed("access", "host", value=unknown()))  # type: ignore[arg-type]
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {"url": platform.url}}
        KubernetesObject("user", manifest)

    inputs = recorded(program, preview=True).of_type("kubernetes:core/v1:ConfigMap")["user"]

    assert is_unknown(inputs["data"]["url"])


def test_a_key_that_is_not_known_at_preview_hides_its_secret_and_nothing_else() -> None:
    recorder = declared(lambda: changed("server_key", value=unknown()), preview=True)
    plain = objects(declared(lambda: PLAIN))

    assert set(objects(recorder)) == set(plain)
    data = objects(recorder)["platform-auth-vllm-server-key"]["kubernetes:core/v1:Secret"]["data"]
    assert is_rpc_secret(data)
    assert is_unknown(unwrap_rpc_secret(data))
    for name in set(plain) - {"platform-auth-vllm-server-key"}:
        assert objects(recorder)[name] == plain[name]


def test_every_object_comes_after_the_resources_behind_the_arguments() -> None:
    def program() -> None:
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {"host": HOST}}
        settings: Any = KubernetesObject("settings", manifest)
        CodingPlatform("platform", changed("access", "host", value=settings.data["host"]))  # type: ignore[arg-type]

    recorder = recorded(program)

    assert "settings" in recorder.before("platform")
    for name in set(objects(recorder)) - {"settings"}:
        assert "settings" in recorder.before(name)


def test_an_attribute_is_an_argument_of_the_next_component() -> None:
    def program() -> None:
        first: Any = CodingPlatform("first", PLAIN)  # type: ignore[arg-type]
        second = changed("access", "host", value=first.host.apply(lambda host: f"second-{host}"))
        CodingPlatform("second", second | {"namespace": "second"})  # type: ignore[arg-type]

    gateways = recorded(program).of_type("kubernetes:gateway.networking.k8s.io/v1:Gateway")

    hosts = [gateway["spec"]["listeners"][0]["hostname"] for gateway in gateways.values()]
    assert sorted(hosts) == [HOST, f"second-{HOST}"]


def test_a_model_that_fits_nowhere_is_refused_at_a_preview_that_awaits_only_the_host() -> None:
    arguments = changed("models", 0, "model", value="Qwen/Qwen3.5-397B-A17B-FP8")
    told: list[str] = []
    for host in (HOST, unknown()):
        arguments["access"]["host"] = host
        with pytest.raises(pulumi.RunError) as caught:
            declared(lambda: arguments, preview=True)
        told.append(str(caught.value))

    assert told[0] == told[1]
    assert "models[0]" in told[0]
