"""The facts of each vLLM release: complete, sourced, and answering the questions the plan asks."""

from __future__ import annotations

import pytest

from onprem_agents.errors import UnknownFact
from onprem_agents.vllm import (
    field_of,
    has_endpoint,
    known_releases,
    load_history,
    load_release,
    nearest_release,
    option_of,
    same_tool_parser,
    unknown_option_hint,
    version_key,
)
from onprem_agents.vllm.flags import kinds

pytestmark = pytest.mark.unit


def test_the_two_newest_releases_are_known_oldest_first() -> None:
    assert known_releases() == ("0.32.0", "0.33.0")


@pytest.mark.parametrize(
    ("release", "options", "tools", "reasoning"), [("0.32.0", 316, 54, 38), ("0.33.0", 320, 58, 42)]
)
def test_a_release_holds_every_option_and_parser_that_its_own_registries_list(
    release: str, options: int, tools: int, reasoning: int
) -> None:
    facts = load_release(release)
    counts = len(facts.options()), len(facts.tool_parsers), len(facts.reasoning_parsers)
    assert counts == (options, tools, reasoning), "counted in the release itself, 2026-11-24"
    assert facts.source
    assert facts.read == "2026-11-24"


def test_every_modelled_flag_is_an_option_of_the_newest_release() -> None:
    missing = [name for name in kinds() if option_of(name) not in nearest_release(None).options()]
    assert missing == []
    assert field_of("--max-num-seqs") == "max_num_seqs"
    assert field_of("--api-key") is None, "a secret never belongs in argv"


def test_defaults_are_those_of_the_release() -> None:
    facts = load_release("0.33.0")
    assert facts.default("--gpu-memory-utilization") == 0.92
    assert facts.default("--port") == 8000
    assert facts.default("--enforce-eager") is False
    assert facts.default("--headless") is False
    assert facts.default("--enable-prefix-caching") is None, "vLLM decides at start"


@pytest.mark.parametrize(
    ("asked", "judged_by"),
    [("0.33.0", "0.33.0"), ("0.32.7", "0.32.0"), ("0.40.1", "0.33.0"), ("0.9.2", "0.32.0"), (None, "0.33.0")],
)
def test_a_release_without_facts_is_judged_by_the_nearest_older_one(
    asked: str | None, judged_by: str
) -> None:
    assert nearest_release(asked).release == judged_by


def test_versions_sort_as_numbers_and_not_as_text() -> None:
    assert version_key("v0.9.2") < version_key("0.11.1") < version_key("0.33.1rc1")
    assert version_key("latest") == ()


def test_names_of_one_parser_class_are_equal_and_others_are_not() -> None:
    assert same_tool_parser("qwen3_coder", "qwen3_xml")
    assert same_tool_parser("hermes", "qwen3_json")
    assert same_tool_parser("glm47", "glm45")
    assert same_tool_parser("ours", "ours")
    assert not same_tool_parser("hermes", "qwen3_coder")


@pytest.mark.parametrize(
    ("release", "path", "served"),
    [
        ("0.11.0", "/v1/messages", False),
        ("0.11.1", "/v1/messages", True),
        ("0.16.0", "/v1/messages/count_tokens", False),
        ("0.33.0", "/v1/messages/count_tokens", True),
        ("0.9.2", "/v1/models", True),
    ],
)
def test_an_endpoint_exists_from_its_first_release_on(release: str, path: str, served: bool) -> None:
    assert has_endpoint(release, path) is served


def test_an_endpoint_without_facts_is_refused() -> None:
    with pytest.raises(UnknownFact, match="/v1/audio"):
        has_endpoint("0.33.0", "/v1/audio")


def test_what_to_do_about_a_missing_option_is_told() -> None:
    options = load_release("0.33.0").options()
    assert (
        unknown_option_hint("--task", "0.33.0", options)
        == "it is gone since vLLM 0.13.0: use --runner and --convert"
    )
    assert "since vLLM 0.33.0" in unknown_option_hint("--reasoning-effort-map", "0.32.0", options)
    assert "--max-num-seqs" in unknown_option_hint("--max-num-seq", "0.33.0", options)


def test_no_dropped_option_is_listed_by_the_releases_that_dropped_it() -> None:
    history = load_history()
    for release in known_releases():
        listed = set(load_release(release).options())
        assert not listed & set(history.removed), f"{release} still lists an option said to be gone"
