"""Reading `onprem-coding-agents:platform`: what is accepted, and that every mistake is told at once."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from onprem_agents.errors import InvalidInput
from onprem_agents.stack.settings import Platform, Section
from onprem_agents.stack.settings_page import settings_page
from onprem_agents.stack.settings_reader import parse_platform

GOOD: dict[str, Any] = {
    "hardware": {"accelerator": "L40S", "gpusPerNode": 2, "nodes": 2},
    "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8"}],
    "access": {
        "host": "agents.example.internal",
        "tls": {"issuer": "internal-ca"},
        "developers": {"alice": {}},
    },
}


def _with(path: str, value: object) -> dict[str, Any]:
    raw = copy.deepcopy(GOOD)
    target: Any = raw
    *parents, last = path.split(".")
    for part in parents:
        target = target[int(part)] if part.isdigit() else target[part]
    target[last] = value
    return raw


def test_the_smallest_config_is_accepted_with_its_defaults() -> None:
    platform = parse_platform(GOOD, "test")

    assert platform.namespace == "coding-agents"
    assert platform.translation == "native"
    assert platform.timeouts.longest_turn_seconds == 600
    assert platform.access.port == 443


@pytest.mark.parametrize(
    ("path", "value", "where", "told"),
    [
        ("hardware.gpusPerNode", -1, "platform.hardware.gpusPerNode", "it must be at least 1"),
        ("hardware.gpusPerNode", 1e9, "platform.hardware.gpusPerNode", "it must be a whole number"),
        ("hardware.nodes", True, "platform.hardware.nodes", "it must be a whole number"),
        ("hardware.tier", "48gb", "platform.hardware", "one of the two says which GPUs the nodes have"),
        ("hardware.nodeNames", ["a", "a"], "platform.hardware", "names a node twice"),
        ("models", [], "platform.models", "it must have one entry at least"),
        ("models", {"role": "coder"}, "platform.models", "a list is due"),
        ("models.0.role", "Coder/1", "platform.models[0].role", "like coder"),
        ("models.0.context", 0, "platform.models[0].context", "it must be at least 2048"),
        (
            "models.0.gpuMemoryUtilization",
            1.5,
            "platform.models[0].gpuMemoryUtilization",
            "it must be at most 0.98",
        ),
        ("models.0.gpuMemoryUtilization", float("nan"), "platform.models[0].gpuMemoryUtilization", "finite"),
        (
            "models.0.source",
            "https://example.com/x",
            "platform.models[0].source",
            "hf://, pvc://, oci:// or s3://",
        ),
        ("models.0.source", "pvc://models/../../etc", "platform.models[0].source", "hf://, pvc://"),
        ("access.host", "https://agents.example.internal/", "platform.access.host", "DNS name"),
        ("access.developers", {}, "platform.access.developers", "it must have one entry at least"),
        ("access.developers", {"Al ice": {}}, "platform.access.developers.Al ice.[key]", "like alice"),
        ("access.tls", {"issuer": "a", "secretName": "b"}, "platform.access.tls", "either 'issuer'"),
        ("access.tls", {"issuer": "a", "secretNamespace": "b"}, "platform.access.tls", "only goes with"),
        (
            "timeouts",
            {"longestTurnSeconds": 1},
            "platform.timeouts.longestTurnSeconds",
            "it must be at least",
        ),
        ("translation", "magic", "platform.translation", "'native', 'litellm'"),
    ],
)
def test_a_bad_value_is_told_with_its_key(path: str, value: object, where: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_platform(_with(path, value), "test")

    problems = [problem for problem in caught.value.problems if problem.where == where]
    assert problems, f"no problem at {where}: {caught.value}"
    assert told in f"{problems[0].why}; {problems[0].fix}"
    assert problems[0].fix


def test_an_unknown_key_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_platform(_with("models.0.contextt", 1), "test")

    (problem,) = caught.value.problems
    assert problem.where == "platform.models[0].contextt"
    assert problem.fix.startswith("did you mean context")


def test_all_problems_are_told_at_once() -> None:
    raw = _with("models.0.sessions", -1)
    raw["access"]["host"] = "UPPER"
    raw["acess"] = {}
    raw["models"].append({"role": "coder", "model": "x"})

    with pytest.raises(InvalidInput) as caught:
        parse_platform(raw, "test")

    assert {problem.where for problem in caught.value.problems} == {
        "platform.models[0].sessions",
        "platform.access.host",
        "platform.acess",
        "platform.models",
    }


def test_duplicate_roles_are_refused_by_name() -> None:
    raw = _with("models", [GOOD["models"][0], GOOD["models"][0]])

    with pytest.raises(InvalidInput, match="the role 'coder' more than once"):
        parse_platform(raw, "test")


@pytest.mark.parametrize("raw", [None, "text", 7, ["a"]])
def test_a_platform_that_is_no_map_gets_one_clear_problem(raw: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_platform(raw, "test")

    (problem,) = caught.value.problems
    assert problem.where == "platform"
    assert "map of sections" in problem.why


def _sections(section: type[Section] = Platform) -> Iterator[type[Section]]:
    yield section
    for field in section.model_fields.values():
        inner = _section_in(field.annotation)
        if inner is not None:
            yield from _sections(inner)


def _section_in(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)


def test_every_setting_says_what_it_means_and_what_holds_without_it() -> None:
    sections = list(_sections())
    assert {section.__name__ for section in sections} >= {"Platform", "ModelRole", "Developer", "Queue"}
    for section in sections:
        for name, field in section.model_fields.items():
            text = field.description or ""
            assert text.endswith("."), f"{section.__name__}.{name} has no description that is a sentence"
            if field.default is None:
                assert "Left out:" in text, f"{section.__name__}.{name} does not say what holds without it"


def test_the_page_of_settings_has_a_row_for_each() -> None:
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]

    assert len(rows) == sum(len(section.model_fields) for section in _sections())


def test_what_somebody_wrote_is_shown_without_keys_and_control_characters() -> None:
    raw = _with("access.developers", {"a\x1b[2J": {}, "Bearer sk-abcdefghijkl": {}, "\ud800": {}})
    raw["models"][0]["context"] = "hf_abcdefghijklmnop"

    with pytest.raises(InvalidInput) as caught:
        parse_platform(raw, "test")

    assert len(caught.value.problems) == 4, "a name each, and the context"
    text = str(caught.value)
    text.encode()
    assert "\x1b" not in text
    assert "sk-abc" not in text
    assert "hf_abc" not in text
