"""The facts of each vLLM release: complete, sourced, and answering the questions the plan asks."""

from __future__ import annotations

import itertools

import pytest

from onprem_agents.vllm import (
    field_of,
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


MINORS = [f"0.{minor}" for minor in range(12, 34)]


def test_every_minor_release_of_a_year_is_known_oldest_first() -> None:
    minors = [".".join(version.split(".")[:2]) for version in known_releases()]
    assert minors[: len(MINORS)] == MINORS, "December 2025 to November 2026"


@pytest.mark.parametrize(
    ("release", "options", "tools", "reasoning", "methods"),
    [("0.32.0", 316, 54, 38, 30), ("0.33.0", 320, 58, 42, 30)],
)
def test_a_release_holds_every_option_and_parser_that_its_own_registries_list(
    release: str, options: int, tools: int, reasoning: int, methods: int
) -> None:
    facts = load_release(release)
    registries = facts.tool_parsers, facts.reasoning_parsers, facts.quantization_methods
    assert len(facts.options()) == options, "counted in the release's own --help=all, 2026-11-24"
    assert tuple(map(len, registries)) == (tools, reasoning, methods), "counted there as well"


@pytest.mark.parametrize(
    ("name", "registry", "first", "last"),
    [
        # Found by a scan of other wheels, of the build for CPUs (2026-11-24).
        ("--anthropic-disabled-thinking-effort", "options", "0.31.0", None),
        ("--default-chat-template-kwargs", "options", "0.14.1", None),
        ("--disable-access-log-for-endpoints", "options", "0.16.0", None),
        ("--language-model-only", "options", "0.17.1", None),
        ("--max-num-queued-reqs", "options", "0.29.0", None),
        ("--prefix-match-unit", "options", "0.26.0", None),
        ("--reasoning-effort-map", "options", "0.33.0", None),
        ("--shutdown-timeout", "options", "0.18.1", None),
        ("--swap-space", "options", "0.12.0", "0.17.1"),
        ("--task", "options", "0.12.0", "0.12.0"),
        ("glm47", "tool_parsers", "0.14.1", None),
        ("gemma4", "tool_parsers", "0.19.1", None),
        ("gguf", "quantization_methods", "0.12.0", "0.23.0"),
        ("bitsandbytes", "quantization_methods", "0.12.0", "0.27.1"),
        ("/v1/messages/count_tokens", "endpoints", "0.17.1", None),
    ],
)
def test_what_came_and_went_is_in_exactly_the_releases_that_had_it(
    name: str, registry: str, first: str, last: str | None
) -> None:
    def names(version: str) -> frozenset[str]:
        held = getattr(load_release(version), registry)
        found: frozenset[str] = held() if callable(held) else held
        return found

    held = [version for version in known_releases() if name in names(version)]
    between = [
        version
        for version in known_releases()
        if version_key(first) <= version_key(version) <= version_key(last or known_releases()[-1])
    ]
    assert held == between


@pytest.mark.parametrize("release", known_releases())
def test_every_release_serves_what_agents_and_probes_call_and_names_its_image(release: str) -> None:
    facts = load_release(release)
    assert facts.release == release, "the folder's name is the release's"
    assert facts.endpoints >= {"/health", "/metrics", "/v1/models", "/v1/chat/completions", "/v1/messages"}
    assert facts.image.reference() == f"docker.io/vllm/vllm-openai:v{release}"
    assert facts.image.digest is None, "a tag can be built anew: no digest is invented"
    assert "tool_chat_template_hermes.jinja" in facts.image.templates
    assert all((facts.source, facts.image.source, facts.memory.source))


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        # Each rule's first release, see the sources in `memory.json`.
        ("0.19.1", "0.20.2", "graphs_are_counted"),
        ("0.16.0", "0.17.1", "sampler_sorts"),
        ("0.13.0", "0.14.1", "declared_kv_cache"),
        ("0.26.0", "0.27.1", "reads_device_memory"),
        ("0.27.1", "0.28.0", "v2_copies_logits"),
        ("0.27.1", "0.28.0", "largest_graph_blackwell"),
        ("0.28.0", "0.29.0", "v2_counts_graphs"),
        ("0.32.0", "0.33.0", "delta_checkpoints"),
        ("0.19.1", "0.20.2", "tokens_are_concurrency"),
        ("0.25.1", "0.26.0", "batches_in_flight"),
        ("0.25.1", "0.26.0", "hybrid_prefix_caching"),
        ("0.28.0", "0.29.0", "prefill_checkpoints"),
    ],
)
def test_a_memory_rule_changes_with_one_release(before: str, after: str, rule: str) -> None:
    values = [getattr(load_release(version).memory, rule) for version in known_releases()]
    at = known_releases().index(after)
    assert known_releases()[at - 1] == before
    assert set(values[:at]) == {values[0]}
    assert set(values[at:]) == {values[at]} != {values[0]}


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("item_raises_batch", {"0.21.0": "never", "0.26.0": "always", "0.33.0": "with-encoder"}),
        ("compressed_layout", {"0.23.0": "tuples", "0.26.0": "slots", "0.28.0": "slabs", "0.33.0": "dense"}),
    ],
)
def test_a_memory_rule_that_changed_more_than_once_holds_up_to_these_releases(
    rule: str, values: dict[str, str]
) -> None:
    found = {version: getattr(load_release(version).memory, rule) for version in known_releases()}
    runs = {value: version for version, value in found.items()}
    assert {version: value for value, version in runs.items()} == values
    changes = [value for version, value in found.items() if version in values]
    assert [value for value, _ in itertools.groupby(found.values())] == changes


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
    [
        ("0.32.0", "0.32.0"),
        ("0.32.7", "0.32.0"),
        ("0.22.0", "0.22.1"),
        ("0.40.1", known_releases()[-1]),
        ("0.9.2", "0.12.0"),
        ("latest", known_releases()[-1]),
        (None, known_releases()[-1]),
    ],
)
def test_a_release_without_a_folder_is_judged_by_its_minor_else_the_nearest_older_else_the_oldest(
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


def test_what_to_do_about_a_missing_option_is_told() -> None:
    options = load_release("0.33.0").options()
    assert (
        unknown_option_hint("--task", "0.33.0", options)
        == "it is gone since vLLM 0.13: use --runner and --convert"
    )
    assert "since vLLM 0.33:" in unknown_option_hint("--reasoning-effort-map", "0.32.0", options)
    assert "gone since vLLM 0.17: " in unknown_option_hint("--disable-log-requests", "0.20.2", options)
    assert "--max-num-seqs" in unknown_option_hint("--max-num-seq", "0.33.0", options)


def test_an_option_said_to_be_gone_is_in_no_release_after_the_one_that_dropped_it() -> None:
    newest = load_release(known_releases()[-1]).options()
    assert not newest & set(load_history().removed), "the newest still lists an option said to be gone"
