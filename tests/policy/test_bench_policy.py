"""The figures of `./dev bench policy`: every outcome is counted as what it is, and the aims are judged by them."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from tools.bench import policy_corpus
from tools.bench.policy import PolicyFigures, show_policy
from tools.bench.policy_corpus import Judged, judge, read_corpus
from tools.bench.policy_once import BY_THE_SDK, ONCE

pytestmark = pytest.mark.policy

# Ministral asks for a parser of its own; the server has none and says nothing of tools.
BODY = """apiVersion: apps/v1
kind: Deployment
metadata: {name: x, namespace: ml}
spec:
  template:
    spec:
      containers: [{name: v, image: 'IMAGE', args: [--model, meta-llama/Llama-3.1-8B-Instruct]}]
"""
SERVER = BODY.replace("IMAGE", "vllm/vllm-openai:v0.33.0")
FILES = {
    "refused.yaml": "# verdict: refused by tool-calling-is-on\n# said: serving-can-be-checked\n" + SERVER,
    "alarm.yaml": "# verdict: fine\n" + SERVER,
    "missed.yaml": "# verdict: refused by memory-headroom-is-left, tool-calling-is-on\n"
    "# said: serving-can-be-checked\n" + SERVER,
    "silent.yaml": "# verdict: not read\n# said: serving-can-be-checked\n"
    + BODY.replace("IMAGE", "ollama/ollama:0.12.0"),
    "pass.yaml": "# verdict: none of ours\n" + BODY.replace("IMAGE", "ollama/ollama:0.12.0"),
}


@pytest.fixture
def judged(tmp_path: Path) -> list[Judged]:
    for name, text in FILES.items():
        (tmp_path / name).write_text("# style: made up\n" + text, encoding="utf-8")
    return judge(read_corpus(tmp_path))


def test_each_outcome_is_told_from_the_others(judged: list[Judged]) -> None:
    assert {each.case.name: each.outcome for each in judged} == {
        "refused": "right refusal",
        "alarm": "false alarm",
        "missed": "miss",
        "silent": "unread in silence",
        "pass": "right pass",
    }
    by_name = {each.case.name: each for each in judged}
    assert by_name["missed"].missed == {"memory-headroom-is-left"}
    assert by_name["alarm"].false_mandatory == {"tool-calling-is-on"}, "an advisory is no mandatory alarm"


def test_a_crash_is_an_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(policy_corpus, "check_graph", crash)
    (tmp_path / "a.yaml").write_text("# style: a\n" + FILES["pass.yaml"], encoding="utf-8")
    assert [each.outcome for each in judge(read_corpus(tmp_path))] == ["crash"]


def test_missed_aims_are_told(judged: list[Judged], capsys: pytest.CaptureFixture[str]) -> None:
    figures = PolicyFigures(
        judged=judged,
        load_seconds=[0.4, 0.3, 0.6],
        sdk_seconds=[0.3, 0.3, 0.3],
        resource_ms={ONCE: 2.5, BY_THE_SDK: 25.0},
        cores=2,
        load=(1.0, 2.0),
    )

    wire = figures.to_wire()
    show_policy(figures, Console(width=130))

    assert {aim["what"]: (aim["figure"], aim["verdict"]) for aim in wire["aims"]} == {
        "crashes": (0, "met"),
        "false mandatory alarms": (1, "missed"),
        "share of faults missed": (0.667, "missed"),  # two of the three files with a fault
        "declares vLLM and passes unread": (1, "missed"),
        "pack load until its port is announced, s": (0.4, "met"),
        "processor time a resource, ms": (2.5, "missed"),
    }
    assert wire["confusion"]["false alarm"] == 1
    shown = capsys.readouterr().out
    assert "missed: false -; missed memory-headroom-is-left" in shown
    assert "25.0 ms each, 10 × resources made once" in shown
