"""The program as Pulumi runs it: bad settings end in one text, good ones in resources and outputs."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime.config import set_all_config

from tests.components.recording import ALICE, BOB, SERVER, Recorder, exports, recorded
from tests.unit.manifest_samples import STACK

ROOT = Path(__file__).parents[2]
PREFIX = "onprem-coding-agents:"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return exports(monkeypatch)


def run_program(platform: object) -> Recorder:
    values = {
        f"{PREFIX}platform": json.dumps(platform),
        f"{PREFIX}developerKeys": json.dumps({"alice": ALICE, "bob": BOB}),
        f"{PREFIX}serverKey": SERVER,
    }
    set_all_config(values, [f"{PREFIX}developerKeys", f"{PREFIX}serverKey"])
    return recorded(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))


def test_a_good_stack_declares_its_platform_and_exports_contract_report_and_host(
    exported: dict[str, Any],
) -> None:
    recorder = run_program(STACK)

    assert "kubernetes:serving.kserve.io/v1beta1:InferenceService" in recorder.types().values()
    assert set(exported) == {"connection", "sizing", "host"}
    assert exported["host"] == "agents.example.internal"
    assert exported["connection"]["baseUrl"] == "https://agents.example.internal/v1"
    assert exported["sizing"]["stack"] == "test"


def test_outputs_hold_no_secret(exported: dict[str, Any]) -> None:
    run_program(STACK)
    text = json.dumps(exported)

    for key in (ALICE, BOB, SERVER):
        assert key not in text


def test_bad_settings_end_in_one_text_that_says_what_to_change(exported: dict[str, Any]) -> None:
    bad = STACK | {"models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP9"}]}

    with pytest.raises(pulumi.RunError) as caught:
        run_program(bad)

    assert "Pulumi.test.yaml" in str(caught.value)
    assert "fix:" in str(caught.value)
    assert exported == {}


def test_every_key_that_the_program_reads_is_described_in_the_project_file() -> None:
    own = {name: entry for name, entry in project()["config"].items() if name.startswith(PREFIX)}

    assert set(own) == {f"{PREFIX}platform", f"{PREFIX}developerKeys", f"{PREFIX}serverKey"}
    assert all(entry["description"] for entry in own.values())
    assert project()["stackConfigDir"] == "stacks"


def test_secrets_and_config_maps_are_changed_in_place() -> None:
    config = project()["config"]

    for option in ("enableSecretMutable", "enableConfigMapMutable"):
        assert config[f"kubernetes:{option}"] == {"value": True}, "a key's Secret would be away for a moment"


def project() -> Any:
    return yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
