"""Contracts that were cut, come from the future, or mean harm: nothing else is written, and nothing runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.expected_agents import EXPECTED
from tests.unit.contract_samples import CONTRACT, changed
from tests.unit.setup_machine import KEY, Setup, everything

HOSTILE = [
    "../../../../tmp/x",
    "/etc/passwd",
    "$(touch hacked)",
    "`id`",
    "a;rm -rf ~",
    "a\nb",
    "a\x00b",
    "\x1b[31m",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "path",
    [
        ("stack",),
        ("host",),
        ("baseUrl",),
        ("anthropicBaseUrl",),
        ("auth", "keyEnv"),
        ("auth", "keyHint"),
        ("tls", "caHint"),
        ("mainRole",),
        ("roles", 0, "role"),
        ("roles", 0, "model"),
        ("roles", 0, "modelId"),
        ("roles", 0, "claudeCapabilities"),
        ("testedAgents", "codex"),
    ],
)
def test_a_hostile_contract_writes_nothing_but_the_agents_files_and_runs_nothing(
    value: str, path: tuple[str | int, ...], run_setup: Setup, home: Path, tmp_path: Path
) -> None:
    wrapped = [value] if path[-1] == "claudeCapabilities" else value
    outside = {name: row for name, row in everything(tmp_path).items() if not name.startswith("home")}
    result = run_setup(contract=changed(*path, value=wrapped), ONPREM_API_KEY=KEY)
    assert {name: row for name, row in everything(tmp_path).items() if not name.startswith("home")} == outside
    if result.exit_code == 0:  # a path or a $ is plain text where only people read it
        agents = {name.split("/")[1] for expected in EXPECTED.values() for name in expected.written("user")}
        touched = {name.split("/")[0] for name in everything(home)}
        assert touched <= agents | {".bashrc", ".config", ".local"}
        assert "\x1b" not in result.output
    else:
        assert everything(home) == {}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(CONTRACT)[:-20],
        changed("version", value=2),
        "[" * 100_000,
        json.dumps({**CONTRACT, "stack": "x" * 2_000_000}),
        json.dumps({**CONTRACT, "apiKey": "x"}),
    ],
    ids=["cut", "too new", "deep", "huge", "with a key"],
)
def test_a_bad_contract_writes_nothing(text: str, run_setup: Setup, home: Path) -> None:
    assert run_setup(contract=text, ONPREM_API_KEY=KEY).exit_code == 1
    assert everything(home) == {}
