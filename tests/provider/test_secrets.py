"""A secret value of the program is nowhere in plain text: state, backups, history, messages."""

from __future__ import annotations

import base64

import pytest

from tests.provider.stack import Outcome, Stack

CANARY = "canary-7f3a9c51d2"

_SECRET_DATA = {"metadata": "meta('it')", "stringData": "{'key': SECRET, 'open': 'yes'}"}
_SECRET_BASE64 = {"metadata": "meta('it')", "data": "{'key': ENCODED}"}
_POD = (
    "{'containers': [{'name': 'c', 'image': 'c:1', 'env': [{'name': 'OPEN', 'value': 'yes'},"
    " {'name': 'KEY', 'value': SECRET}]}]}"
)
_BODIES = {
    "stringData of a Secret": ("core/v1:Secret", _SECRET_DATA),
    "data of a Secret": ("core/v1:Secret", _SECRET_BASE64),
    "a ConfigMap": ("core/v1:ConfigMap", {"metadata": "meta('it')", "data": "{'key': SECRET}"}),
    "inside a text": (
        "core/v1:ConfigMap",
        {"metadata": "meta('it')", "data": "{'f': Output.concat('k=', SECRET)}"},
    ),
    "an annotation": (
        "core/v1:ConfigMap",
        {"metadata": "meta('it', annotations={'k': SECRET})", "data": "{'a': '1'}"},
    ),
    "a label": ("core/v1:ServiceAccount", {"metadata": "meta('it', labels={'k': SECRET})"}),
    "the environment of a Pod": (
        "core/v1:Pod",
        {"metadata": "meta('it', annotations={'pulumi.com/skipAwait': 'true'})", "spec": _POD},
    ),
    "a custom resource": (
        "test.example/v1:Widget",
        {"metadata": "meta('it')", "spec": "{'list': [{'deep': {'key': SECRET}}]}"},
    ),
    "a whole spec": (
        "test.example/v1:Widget",
        {"metadata": "meta('it')", "spec": "Output.secret({'key': CANARY, 'list': [CANARY]})"},
    ),
    "a patch": (
        "core/v1:NamespacePatch",
        {"metadata": "{'name': NAMESPACE, 'annotations': {'k': SECRET}}"},
    ),
}


def _program(token: str, body: dict[str, str], canary: str = CANARY) -> str:
    # The value is put together at run time: the program's own file is no leak.
    half = len(canary) // 2
    fields = ", ".join(f"{key!r}: {value}" for key, value in body.items())
    return f"""
import base64

CANARY = {canary[:half]!r} + {canary[half:]!r}
SECRET = Output.secret(CANARY)
ENCODED = Output.secret(base64.b64encode(CANARY.encode()).decode())
made = Object({token!r}, "it", {{{fields}}})
pulumi.export("all", made["metadata"])
"""


def _assert_hidden(stack: Stack, outcomes: list[Outcome], canary: str = CANARY) -> None:
    spellings = [canary, base64.b64encode(canary.encode()).decode()]
    for spelling in spellings:
        leaks = [str(path) for path, text in stack.files().items() if spelling in text]
        assert leaks == [], f"{spelling} is in plain text"
        assert not any(spelling in outcome.text for outcome in outcomes), "the engine printed it"


@pytest.mark.parametrize("place", list(_BODIES))
def test_a_secret_stays_secret_in(stack: Stack, place: str) -> None:
    token, body = _BODIES[place]
    stack.program(_program(token, body))
    outcomes = [stack.run("preview", "--diff"), stack.up("--diff"), stack.refresh(), stack.up("--diff")]

    assert outcomes[-1].changes == {"same": 1}, "a secret is no reason for a change"
    _assert_hidden(stack, outcomes)
    exported = stack.run("stack", "export", "--show-secrets")
    assert CANARY in exported.text or base64.b64encode(CANARY.encode()).decode() in exported.text


def test_a_changed_secret_stays_secret_and_arrives(stack: Stack) -> None:
    stack.config("kubernetes:enableSecretMutable", "true")
    stack.program(_program("core/v1:Secret", _SECRET_DATA))
    outcomes = [stack.up()]
    other = "canary-rotated-44e1"
    stack.program(_program("core/v1:Secret", _SECRET_DATA, other))

    outcomes += [stack.run("preview", "--diff"), stack.up("--diff")]

    assert outcomes[-1].changes == {"update": 1}
    assert base64.b64decode(stack.get("Secret", "it")["data"]["key"]).decode() == other
    _assert_hidden(stack, outcomes)
    _assert_hidden(stack, outcomes, other)


def test_a_secret_that_drifted_is_found_and_stays_secret(stack: Stack) -> None:
    stack.program(_program("core/v1:Secret", _SECRET_DATA))
    stack.up()
    theirs = "canary-of-others-91"
    body = {"data": {"key": base64.b64encode(theirs.encode()).decode()}}
    stack.client.patch("v1", "Secret", "it", body, stack.namespace)

    outcomes = [stack.refresh(), stack.run("preview", "--diff"), stack.preview()]

    assert "it" in stack.resources()
    assert outcomes[2].changes == {"replace": 1}, "what others put there is to be set right"
    _assert_hidden(stack, outcomes)
    _assert_hidden(stack, outcomes, theirs)
