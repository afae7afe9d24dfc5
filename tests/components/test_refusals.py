"""Arguments that cannot be: told by component and argument, all at once, and nothing is declared."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from tests.components.component_samples import ANY_SERVER, MINIMAL, as_outputs, changed, make, without
from tests.components.recording import ALICE, Recorder, recorded

BAD: dict[str, tuple[str, Any, list[str]]] = {
    "no accelerator of that name": (
        "GpuNodePool",
        changed("GpuNodePool", "accelerator", value="L4000"),
        ["accelerator"],
    ),
    "a pool of minus one node": ("GpuNodePool", changed("GpuNodePool", "nodes", value=-1), ["nodes"]),
    "no namespace": ("GpuNodePool", without("GpuNodePool", "namespace"), ["namespace"]),
    "an unknown model": (
        "InferenceService",
        changed("InferenceService", "model", value="Qwen/Qwen3.6-27B-FP9"),
        ["model"],
    ),
    "a text for a number": (
        "InferenceService",
        changed("InferenceService", "gpus_per_node", value="two"),
        ["gpus_per_node"],
    ),
    "half a GPU": (
        "InferenceService",
        changed("InferenceService", "gpus_per_node", value=2.5),
        ["gpus_per_node"],
    ),
    "nothing where a role must be": (
        "InferenceService",
        changed("InferenceService", "role", value=None),
        ["role"],
    ),
    "an argument that does not exist": (
        "InferenceService",
        changed("InferenceService", "gpus", value=2),
        ["gpus"],
    ),
    "an argument in the spelling of other languages": (
        "InferenceService",
        changed("InferenceService", "toolCallParser", value="hermes"),
        ["toolCallParser"],
    ),
    "several at once": (
        "InferenceService",
        changed("InferenceService", "model", value="Qwen/Qwen3.6-27B-FP9") | {"replicas": -1, "context": 7},
        ["model", "replicas", "context"],
    ),
    "a model that no GPU of the node holds": (
        "InferenceService",
        changed("InferenceService", "model", value="Qwen/Qwen3-Coder-480B-A35B-Instruct"),
        ["model"],
    ),
    "a short key of a server": (
        "InferenceService",
        changed("InferenceService", "server_key", value="short"),
        ["server_key"],
    ),
    "an ingress without a server": (
        "ExternalIngress",
        changed("ExternalIngress", "servers", value=[]),
        ["servers"],
    ),
    "a port that is none": (
        "ExternalIngress",
        changed("ExternalIngress", "servers", 0, "port", value=70_000),
        ["servers[0].port"],
    ),
    "a server that is a text": (
        "ExternalIngress",
        changed("ExternalIngress", "servers", value=["vllm"]),
        ["servers[0]"],
    ),
    "two servers of one name": (
        "ExternalIngress",
        changed("ExternalIngress", "servers", value=[ANY_SERVER, ANY_SERVER]),
        ["servers"],
    ),
    "no certificate": ("ExternalIngress", changed("ExternalIngress", "tls", value={}), ["tls"]),
    "a key that could be guessed": (
        "GatewayAuth",
        changed("GatewayAuth", "developer_keys", "alice", value="short"),
        ["developer_keys.alice"],
    ),
    "one key for two": (
        "GatewayAuth",
        changed("GatewayAuth", "developer_keys", "bob", value=ALICE),
        ["developer_keys.bob"],
    ),
    "keys of nobody": (
        "GatewayAuth",
        changed("GatewayAuth", "developer_keys", value={}),
        ["developer_keys"],
    ),
    "no keys": ("GatewayAuth", without("GatewayAuth", "developer_keys"), ["developer_keys"]),
    "an unknown proxy": (
        "TranslationProxy",
        changed("TranslationProxy", "software", value="nginx"),
        ["software"],
    ),
    "a proxy without a key": (
        "TranslationProxy",
        without("TranslationProxy", "server_key"),
        ["server_key"],
    ),
    "two roles of one name": (
        "CodingPlatform",
        changed("CodingPlatform", "models", value=MINIMAL["CodingPlatform"]["models"] * 2),
        ["models"],
    ),
    "a developer without a key": (
        "CodingPlatform",
        changed("CodingPlatform", "developer_keys", value={"alice": ALICE}),
        ["developer_keys.bob"],
    ),
    "a key without a developer": (
        "CodingPlatform",
        changed("CodingPlatform", "developer_keys", "carol", value="c" * 40),
        ["developer_keys.carol"],
    ),
    "a section that is a list": (
        "CodingPlatform",
        changed("CodingPlatform", "hardware", value=[]),
        ["hardware"],
    ),
    "nodes in no order": (
        "GpuNodePool",
        changed("GpuNodePool", "node_names", value={"a", "b"}),
        ["node_names"],
    ),
    "bytes for a text": (
        "GpuNodePool",
        changed("GpuNodePool", "accelerator", value=b"L4000"),
        ["accelerator"],
    ),
    "something of the program's own in a list": (
        "InferenceService",
        changed("InferenceService", "image_pull_secrets", value=[logging.INFO, logging.getLogger()]),
        ["image_pull_secrets[0]", "image_pull_secrets[1]"],
    ),
    "a number for the name of an argument": (
        "InferenceService",
        changed("InferenceService", 7, value=2),
        ["7"],
    ),
    "something wrong of settings and of keys": (
        "CodingPlatform",
        changed("CodingPlatform", "access", "host", value="Agents") | {"server_key": None},
        ["access.host", "server_key"],
    ),
}


def refused(program: Callable[[], object], *, preview: bool = False) -> tuple[str, Recorder]:
    """Return the text with which a program ends, and what it declared until then."""
    recorders: list[Recorder] = []
    with pytest.raises(pulumi.RunError) as caught:
        recorded(program, preview=preview, keep=recorders.append)
    return str(caught.value), recorders[0]


def places(text: str) -> list[str]:
    return [line.removeprefix("argument ") for line in text.splitlines() if line.startswith("argument ")]


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("written", [dict, as_outputs], ids=["values", "outputs"])
def test_bad_arguments_are_told_at_their_places_and_nothing_is_declared(
    case: str, written: Callable[[Any], Any], caplog: pytest.LogCaptureFixture
) -> None:
    noun, arguments, expected = BAD[case]

    text, recorder = refused(lambda: make(noun, written(arguments)))

    count = f"{len(expected)} problem{'s' if len(expected) > 1 else ''}"
    assert text.startswith(f"{noun} 'it': {count}\n"), text
    assert sorted(places(text)) == sorted(expected)
    assert text.count("  fix:   ") == len(expected)
    assert recorder.resources == []
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("written", [dict, as_outputs], ids=["values", "outputs"])
def test_what_two_arguments_contradict_is_told_of_all_arguments(written: Callable[[Any], Any]) -> None:
    arguments = MINIMAL["GpuNodePool"] | {"node_names": ["a", "b"], "nodes": 3}

    text, recorder = refused(lambda: make("GpuNodePool", written(arguments)))

    assert "\narguments\n  found: 'node_names' lists 2 nodes but 'nodes' says 3\n" in text
    assert recorder.resources == []


@pytest.mark.parametrize("noun", MINIMAL)
@pytest.mark.parametrize("arguments", [None, 7, "text", [], object()])
def test_arguments_that_are_no_map_are_refused(noun: str, arguments: object) -> None:
    text, recorder = refused(lambda: make_of(noun, arguments))

    assert "a component's arguments are a map" in text
    assert recorder.resources == []


def make_of(noun: str, arguments: object) -> object:
    return make(noun, arguments if arguments is not None else _Nothing())


class _Nothing:
    """Stands for arguments that somebody forgot."""


@pytest.mark.parametrize("noun", MINIMAL)
def test_every_argument_that_must_be_given_is_named_when_none_is(noun: str) -> None:
    text, _ = refused(lambda: make(noun, {}))

    assert set(places(text)) >= set(MINIMAL[noun])


@pytest.mark.parametrize("noun", MINIMAL)
def test_messages_are_written_as_python_writes_arguments(noun: str) -> None:
    text, _ = refused(lambda: make(noun, {}))

    for wire in ("gpusPerNode", "developerKeys", "serverKey", "secretName", "platform.", "stack file"):
        assert wire not in text


@pytest.mark.parametrize("noun", MINIMAL)
def test_a_secret_among_the_settings_is_refused_and_not_shown(noun: str) -> None:
    name = next(
        name for name, value in MINIMAL[noun].items() if isinstance(value, str | dict) and "key" not in name
    )

    def program() -> None:
        make(noun, MINIMAL[noun] | {name: pulumi.Output.secret("Hidden-Value")})

    text, recorder = refused(program)

    assert places(text) == [name]
    assert "Hidden" not in text
    assert recorder.resources == []


@pytest.mark.parametrize("preview", [True, False])
def test_what_is_known_is_checked_while_the_rest_is_awaited(preview: bool) -> None:
    arguments = changed("InferenceService", "model", value="Qwen/Qwen3.6-27B-FP9")
    arguments |= {"namespace": pulumi.Output.from_input(pulumi.UNKNOWN), "replicas": -1}

    text, recorder = refused(lambda: make("InferenceService", arguments), preview=preview)

    assert sorted(places(text)) == ["model", "replicas"]
    assert recorder.resources == []


def test_a_refusal_in_an_output_is_the_only_thing_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """Every Output of the component fails with it, and asyncio would print a traceback for each."""
    caplog.set_level(logging.DEBUG)

    refused(lambda: make("CodingPlatform", as_outputs(changed("CodingPlatform", "models", value=[]))))
    import gc

    gc.collect()

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
