"""The page of the components: every component and attribute is on it, and its examples run."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pulumi
import pytest
from pulumi.runtime.config import set_all_config

import components
from components.component import _PASSED_ON
from tests.components.recording import ALICE, SERVER, recorded
from tools.component_examples import COMPONENTS, HEAD
from tools.component_page import component_page, unit_of

_CONFIG = {"onprem-coding-agents:serverKey": SERVER, "onprem-coding-agents:aliceKey": ALICE}


def classes() -> dict[str, type[pulumi.ComponentResource]]:
    exported = {name: getattr(components, name) for name in components.__all__}
    return {
        name: found
        for name, found in exported.items()
        if inspect.isclass(found) and issubclass(found, pulumi.ComponentResource)
    }


def section_of(name: str) -> str:
    found = re.search(rf"^## {name}\n(.*?)(?=^## )", component_page(), re.MULTILINE | re.DOTALL)
    assert found, f"the page has no {name}"
    return found[1]


def test_every_component_has_an_example_of_three_to_ten_lines() -> None:
    assert set(COMPONENTS) == set(classes())
    for name, text in COMPONENTS.items():
        code = [line for line in text.splitlines() if line and not line.startswith("from ")]
        assert 3 <= len(code) <= 10, name


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_output_of_a_component_is_on_the_page_with_its_meaning(name: str) -> None:
    promised = {each for each in inspect.get_annotations(classes()[name]) if not each.startswith("_")}

    outputs = section_of(name).partition("| output |")[2]
    rows = dict(re.findall(r"^\| `(\w+)` \| [^\n]+ \| ([^|\n]*) \|$", outputs, re.MULTILINE))

    assert rows.keys() == promised
    assert "" not in rows.values()


@pytest.mark.parametrize("name", COMPONENTS)
def test_what_must_be_said_comes_first_and_is_at_most_five_arguments(name: str) -> None:
    arguments = section_of(name).partition("| argument |")[2].partition("| output |")[0]
    defaults = re.findall(r"^\| `\w+` \| [^\n]+? \| ([^|\n]*) \| [^|\n]* \|$", arguments, re.MULTILINE)

    required = [default == "required" for default in defaults]
    assert required == sorted(required, reverse=True)
    assert 1 <= sum(required) <= 5
    assert "" not in defaults


def test_the_page_names_every_option_that_reaches_the_children() -> None:
    told = HEAD.partition("**Options**")[2]
    named = set(re.findall(r"`(\w+)`", told))

    assert named >= set(_PASSED_ON)
    assert named <= inspect.signature(pulumi.ResourceOptions).parameters.keys(), "no such option"


def test_the_examples_run_one_after_the_other() -> None:
    set_all_config(_CONFIG, list(_CONFIG))
    names: dict[str, Any] = {"pulumi": pulumi}

    def program() -> None:
        for text in COMPONENTS.values():
            exec(text.replace("onprem_agents_components", "components"), names)  # noqa: S102 - our own texts

    recorder = recorded(program)

    declared = {token.rpartition(":")[2] for token in recorder.types().values() if "onprem-coding" in token}
    assert declared == set(COMPONENTS)
    for example in ("pool", "coder", "proxy", "ingress", "auth", "platform"):
        parent = next(item for item in recorder.requests.values() if item.name == example)
        assert parent.type.startswith("onprem-coding-agents:index:")
        assert any(item.name.startswith(f"{example}-") for item in recorder.requests.values()), example


@pytest.mark.parametrize(
    ("description", "unit"),
    [
        ("Nodes in the pool.", "nodes"),
        ("Longest turn of an agent, in seconds: limits of model servers follow.", "seconds"),
        ("GPUs that share one replica.", "GPUs"),
        ("Sampling temperature.", ""),
    ],
)
def test_a_number_counts_what_its_description_says(description: str, unit: str) -> None:
    assert unit_of(description) == unit


def test_a_number_whose_description_says_no_unit_has_no_place_on_the_page() -> None:
    with pytest.raises(LookupError, match="How much of it"):
        unit_of("How much of it.")
