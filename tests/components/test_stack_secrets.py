"""Keys from the stack's configuration: checked in plain sight of nobody, wrapped at once."""

from __future__ import annotations

import json

import pulumi
import pytest
from pulumi.runtime.config import set_all_config
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret

from components.kubernetes_object import KubernetesObject
from components.stack_secrets import read_stack_secrets
from onprem_agents.errors import InvalidInput
from tests.components.recording import ALICE, ALICE_NEXT, BOB, SERVER, recorded
from tests.unit.manifest_samples import planned

DEVELOPER_KEYS, SERVER_KEY = "onprem-coding-agents:developerKeys", "onprem-coding-agents:serverKey"


def configure(keys: object, server: str | None = SERVER, *, secret: bool = True) -> pulumi.Config:
    values = {DEVELOPER_KEYS: json.dumps(keys)}
    if server is not None:
        values[SERVER_KEY] = server
    set_all_config(values, [DEVELOPER_KEYS, SERVER_KEY] if secret else [])
    return pulumi.Config("onprem-coding-agents")


def test_keys_are_secret_outputs() -> None:
    config = configure({"alice": [ALICE, ALICE_NEXT], "bob": BOB})

    def declare() -> None:
        secrets = read_stack_secrets(config, planned().developers, "Pulumi.test.yaml")
        manifest = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {},
            "data": {**secrets.developer_keys, "s": secrets.server_key},
        }
        KubernetesObject("leak", manifest)

    inputs = recorded(declare).of_type("kubernetes:core/v1:ConfigMap")["leak"]

    assert is_rpc_secret(inputs["data"]), "wherever a key goes, it goes as a secret"
    assert unwrap_rpc_secret(inputs["data"]) == {"alice": [ALICE, ALICE_NEXT], "bob": [BOB], "s": SERVER}


def test_a_secret_in_plain_text_is_refused_and_not_shown() -> None:
    config = configure({"alice": ALICE, "bob": BOB}, secret=False)

    with pytest.raises(InvalidInput) as caught:
        read_stack_secrets(config, planned().developers, "Pulumi.test.yaml")

    assert [problem.where for problem in caught.value.problems] == ["developerKeys", "serverKey"]
    assert ALICE not in str(caught.value)


def test_missing_keys_are_named_by_developer() -> None:
    config = configure({"alice": ALICE}, server=None)

    with pytest.raises(InvalidInput) as caught:
        read_stack_secrets(config, planned().developers, "Pulumi.test.yaml")

    assert [problem.where for problem in caught.value.problems] == ["developerKeys.bob", "serverKey"]
