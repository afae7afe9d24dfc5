"""A user's YAML with ours in it: comments, order and layout of everything else stay."""

from __future__ import annotations

import pytest

from onprem_agents.agents.config import Wanted
from onprem_agents.errors import InvalidInput
from onprem_agents.setup import yaml_text
from onprem_agents.setup.merge import merged_text

pytestmark = pytest.mark.unit

TEXT = """\
# mine
name: my own   # kept
models:
  - name: gpt
    provider: openai
    model: gpt-9 # the public one
  - name: ours
    model: old
    roles:
      - chat

# what follows
context:
- provider: code
empty:
colours: [a, b]
nested:
  deep:
    x: 1 # one
last: 'ends here'"""
OURS = {"name": "ours", "model": "coder", "limits": {"window": 5}}


def merged(text: str, wanted: Wanted) -> str:
    return merged_text(text, "yaml", wanted, source="config.yaml")


def test_ours_stands_in_the_users_text_and_nothing_else_has_moved() -> None:
    wanted = Wanted(
        values={
            "name": "On-Prem",
            "models": [OURS, {"name": "second", "model": "fast"}],
            "colours": ["b", "c"],
            "empty": True,
            "nested": {"deep": {"x": 2, "y": ["z"]}},
            "new": {"a": 1},
        },
        added_to=(("models",), ("colours",)),
        kept=(("name",),),
    )
    after = merged(TEXT, wanted)
    assert after == (
        "# mine\n"
        "name: my own   # kept\n"
        "models:\n"
        "  - name: gpt\n"
        "    provider: openai\n"
        "    model: gpt-9 # the public one\n"
        "  - name: ours\n"
        "    model: coder\n"
        "    limits:\n"
        "      window: 5\n"
        "  - name: second\n"
        "    model: fast\n"
        "\n"
        "# what follows\n"
        "context:\n"
        "- provider: code\n"
        "empty: true\n"
        "colours: [a, b, c]\n"
        "nested:\n"
        "  deep:\n"
        "    x: 2 # one\n"
        "    y:\n"
        "    - z\n"
        "last: 'ends here'\n"
        "new:\n"
        "  a: 1"
    )
    assert merged(after, wanted) == after


@pytest.mark.parametrize("text", ["", "# a comment alone", "---\n", "\n"])
def test_a_text_without_values_keeps_its_comments(text: str) -> None:
    after = merged(text, Wanted(values={"model": "openai/coder", "list": [1]}))
    assert after.startswith(text.strip())
    assert yaml_text.parse(after) == {"model": "openai/coder", "list": [1]}


def test_line_ends_of_windows_stay() -> None:
    after = merged("a: 1\r\nb: 2\r\n", Wanted(values={"a": 3, "c": 4}))
    assert after == "a: 3\r\nb: 2\r\nc: 4\r\n"


def test_a_key_that_must_go_goes_with_its_lines() -> None:
    after = merged("a: 1\nb:\n  c: 2 # two\n  d: 3\ne: 4\n", Wanted(values={}, removed=(("b",),)))
    assert after == "a: 1\ne: 4\n"


def test_a_shorter_list_takes_the_place_of_a_longer_one() -> None:
    assert merged("a:\n  - 1\n  - 2\nb: 3\n", Wanted(values={"a": [9]})) == "a: [9]\nb: 3\n"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: 1\nb: [1\n", "line 2"),
        ("a: b: c\n", "line 1"),
        ("- a\n- b\n", "the file"),
        ("1: one\n", "the file"),
        ("a: !!python/object:os.system x\n", "line 1"),
        ("a: 1\n---\nb: 2\n", "line 2"),
    ],
)
def test_what_no_agent_could_read_is_refused_with_its_line(text: str, where: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        merged(text, Wanted(values={"c": 3}))
    (problem,) = raised.value.problems
    assert (problem.where, problem.cause) == (where, "broken-syntax")


@pytest.mark.parametrize("text", ["{a: 1}\n", "a: &x 1\n? [1, 2]\n: 2\n"])
def test_a_layout_that_cannot_be_edited_is_refused_and_not_broken(text: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        merged(text, Wanted(values={"c": 3}))
    assert raised.value.problems[0].cause in ("unusual-layout", "broken-syntax")


def test_an_alias_keeps_its_meaning() -> None:
    after = merged("a: &x\n  k: 1\nb: *x\n", Wanted(values={"c": 3}))
    assert after == "a: &x\n  k: 1\nb: *x\nc: 3\n"
