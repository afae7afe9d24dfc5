"""Whatever stands in the stack's configuration, the program ends in one text, never in a traceback."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime.config import set_all_config

from tests.components.recording import ALICE, BOB, SERVER, recorded
from tests.unit.manifest_samples import STACK

ROOT = Path(__file__).parents[2]
PREFIX = "onprem-coding-agents:"
GOOD = {
    "platform": json.dumps(STACK),
    "developerKeys": json.dumps({"alice": ALICE, "bob": BOB}),
    "serverKey": SERVER,
}
SECRET = ("developerKeys", "serverKey")
BAD_ROLE = json.dumps(STACK | {"models": [{"role": "UPPER", "model": "Qwen/Qwen3.6-27B-FP8"}]})


def refusal(values: dict[str, str], secret: tuple[str, ...] = SECRET) -> str:
    set_all_config(
        {PREFIX + name: value for name, value in values.items()}, [PREFIX + name for name in secret]
    )
    with pytest.raises(pulumi.RunError) as caught:
        recorded(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))
    text = str(caught.value)
    assert text.startswith("Pulumi.test.yaml: "), text
    for key in (ALICE, BOB, SERVER):
        assert key not in text, "no message may hold a key"
    return text


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    "platform",
    [
        "",
        "hello",
        "null",
        "7",
        "[]",
        "{",
        "[" * 100_000,
        '"text"',
        "{}",
        '{"models": 7}',
        '{"access": []}',
        BAD_ROLE,
    ]
    + [
        json.dumps(STACK | {name: value})
        for name in STACK
        for value in (None, 7, "text", [], {}, [None], {"a": 1})
    ],
)
def test_any_platform_that_is_not_one_is_refused_at_its_settings(platform: str) -> None:
    assert "\nplatform" in refusal(GOOD | {"platform": platform})


def test_a_stack_without_anything_is_told_all_that_it_lacks() -> None:
    text = refusal({})

    assert "\nplatform\n" in text
    assert "\nserverKey\n" in text


@pytest.mark.parametrize(
    "keys",
    [
        "hello",
        "null",
        "7",
        "[]",
        "{",
        "[" * 100_000,
        f'["{ALICE}"]',
        f'"{ALICE}"',
        ALICE,
        "{}",
        "true",
        '{"": ""}',
    ]
    + [
        json.dumps({"alice": value, "bob": BOB})
        for value in (
            None,
            7,
            True,
            1.5,
            [],
            [[ALICE]],
            {"secure": ALICE},
            [ALICE, None],
            [ALICE] * 3,
            "short",
            BOB,
        )
    ],
)
def test_developer_keys_of_any_other_form_are_refused(keys: str) -> None:
    assert "\ndeveloperKeys" in refusal(GOOD | {"developerKeys": keys})


@pytest.mark.parametrize(
    "key", ["", "short", f'{{"secure": "{SERVER}"}}', f'["{SERVER}"]', "ü" * 40, f"Bearer {SERVER}"]
)
def test_a_server_key_of_any_other_form_is_refused(key: str) -> None:
    assert "\nserverKey\n" in refusal(GOOD | {"serverKey": key})


@pytest.mark.parametrize("name", list(GOOD))
def test_a_key_that_is_missing_is_named(name: str) -> None:
    assert f"\n{name}" in refusal(without(name))


def test_problems_of_settings_and_of_keys_come_together() -> None:
    text = refusal(
        GOOD | {"platform": BAD_ROLE, "developerKeys": json.dumps({"alice": "short", "carol": BOB})}
    )

    assert text.startswith("Pulumi.test.yaml: 4 problems")
    for place in (
        "platform.models[0].role",
        "developerKeys.alice",
        "developerKeys.bob",
        "developerKeys.carol",
    ):
        assert f"\n{place}\n" in text


def test_keys_in_plain_text_are_told_together_with_everything_else() -> None:
    text = refusal(GOOD | {"platform": BAD_ROLE}, secret=())

    for place in ("platform.models[0].role", "developerKeys", "serverKey"):
        assert f"\n{place}\n" in text


def test_an_encrypted_value_among_the_settings_is_refused_and_not_shown() -> None:
    hidden: dict[str, Any] = STACK | {"namespace": "Hidden-Value"}

    text = refusal(GOOD | {"platform": json.dumps(hidden)}, secret=("platform", *SECRET))

    assert "encrypted value" in text
    assert "Hidden" not in text
