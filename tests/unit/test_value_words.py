"""What is wrong with a value is said in the product's words, whatever kind of value it is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from onprem_agents.errors import InvalidInput
from onprem_agents.stack.settings import json_schema
from onprem_agents.stack.settings_reader import parse_platform

pytestmark = pytest.mark.unit

GOOD: dict[str, Any] = {
    "hardware": {"tier": "48gb"},
    "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8"}],
    "access": {
        "host": "agents.example.internal",
        "tls": {"secretName": "agents-tls"},
        "developers": {"alice": {}},
    },
}
# How pydantic's own messages speak.
FOREIGN = re.compile(
    "(Input|String|List|Tuple|Dictionary|Value) should|valid (string|integer|dict)|instance of"
)
# One of each kind of value that YAML can hold.
ODD: list[Any] = [None, True, 0, -1, 3.5, 10**30, float("nan"), "", "x y", "x" * 9000, [], [1], {}, {"x": 1}]


def places(section: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the place of every setting in the JSON schema of the platform, at most four deep."""
    found: list[tuple[str, ...]] = []
    for name, inner in section.get("properties", {}).items():
        found.append((*path, name))
        for option in [inner, *inner.get("anyOf", ()), *inner.get("allOf", ())]:
            target = DEFINITIONS.get(option.get("$ref", "").rpartition("/")[2])
            if target is not None and len(path) < 3:
                found += places(target, (*path, name))
    return found


SCHEMA = json_schema()
DEFINITIONS: dict[str, Any] = SCHEMA["$defs"]
PLACES = places(SCHEMA)


def test_no_setting_answers_an_odd_value_in_words_of_the_validator() -> None:
    assert len(PLACES) > 60, "the walk over the schema finds the settings"
    foreign, refused = [], 0
    for place in PLACES:
        for odd in ODD:
            raw: dict[str, Any] = {**GOOD}
            inside = raw
            for step in place[:-1]:
                inside[step] = {**inside[step]} if isinstance(inside.get(step), dict) else {}
                inside = inside[step]
            inside[place[-1]] = odd
            try:
                parse_platform(raw, "stack")
            except InvalidInput as error:
                refused += 1
                foreign += [
                    (place, odd, problem.why) for problem in error.problems if FOREIGN.search(problem.why)
                ]
    assert refused > len(PLACES) * 5
    assert foreign == []


@pytest.mark.parametrize(
    ("change", "found", "why"),
    [
        ({"replicas": 0}, "0", "it must be at least 1"),
        ({"replicas": True}, "true", "it must be a whole number, without quotes"),
        ({"replicas": "2"}, "'2'", "it must be a whole number, without quotes"),
        ({"model": None}, "nothing", "a text is due: put it in quotes"),
        ({"model": ""}, "''", "it must not be empty"),
        ({"maxNumSeqs": 10**9}, "1000000000", "it must be at most "),
        ({"vision": "perhaps"}, "'perhaps'", "it must be true or false"),
        ({"env": ["A"]}, "['A']", "a map of settings is due: 'key: value' pairs"),
        ({"tolerations": {"key": "a"}}, "{'key': 'a'}", "a list is due"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_taken(change: dict[str, Any], found: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_platform({**GOOD, "models": [{**GOOD["models"][0], **change}]}, "stack")
    (problem,) = caught.value.problems
    assert problem.found == found
    assert problem.why.startswith(why)
