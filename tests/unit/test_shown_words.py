"""What people read holds no value as Python or a float writes it, whatever entry of the catalogue it is about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from onprem_agents.catalog import load_catalog
from onprem_agents.cli import main

pytestmark = pytest.mark.unit

CATALOG = load_catalog()
STACKS = str(Path(__file__).parents[2] / "stacks")
# Python's words for values, an enum's or a dataclass's own text, and floats that are no numbers.
RAW = re.compile(r"\b(None|True|False|nan|inf|NaN)\b|<\w+[.:] ?\w+|\b[A-Z]\w+\(\w+=|<\w+ object|\bdict_\w+\(")


def found_in(*words: str) -> list[str]:
    """Return the lines of a command's output that hold such a word."""
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == 0, done.output
    return [f"{' '.join(words)}: {line}" for line in done.output.splitlines() if RAW.search(line)]


def test_the_pattern_finds_what_it_is_to_find() -> None:
    for text in (
        "parsers None / none",
        "unrated <Rated.NONE: 1>",
        "Fit(fits=True)",
        "at nan tokens/s",
        "inf GiB",
    ):
        assert RAW.search(text), text
    for text in ("none", "information", "Nonetheless", "<role>", "of 2 (or more)", "Falsehood"):
        assert not RAW.search(text), text


def test_the_catalogue_and_each_of_its_entries_are_shown_in_words() -> None:
    names = [entry.name for kind in (CATALOG.models, CATALOG.accelerators, CATALOG.tiers) for entry in kind]
    names += [platform.name for platform in CATALOG.platforms]
    assert len(names) > 150
    assert [
        line for words in ((), *((name,) for name in names)) for line in found_in("catalog", *words)
    ] == []


def test_every_device_is_sized_in_words() -> None:
    lines = [line for gpu in CATALOG.accelerators for line in found_in("fit", "Qwen3-8B", "--gpu", gpu.name)]
    assert lines == []


def test_every_model_is_sized_in_words() -> None:
    lines = [
        line
        for model in CATALOG.models
        for line in found_in("fit", model.name, "--gpu", "B200", "--count", "8")
    ]
    assert lines == []


@pytest.mark.parametrize("stack", ["8-16gb", "multi-gpu", "team"])
def test_every_view_of_a_stack_is_in_words(stack: str) -> None:
    views = (("plan",), ("plan", "--all"), ("plan", "--explain"), ("report",), ("explain",))
    assert [line for view in views for line in found_in(view[0], stack, *view[1:], "--stacks", STACKS)] == []


def test_advice_is_in_words() -> None:
    assert found_in("advise", "--gpu", "L40S", "--count", "4", "--developers", "10") == []
    assert found_in("advise", "--developers", "2", "--count", "1") == []
