"""Every checkpoint of the catalogue is planned for every vLLM release that serves it, with flags that it accepts."""

from __future__ import annotations

import pytest

from onprem_agents.catalog import Model
from onprem_agents.plan.own_flags import own_flags
from onprem_agents.plan.release_fitness import oldest_release
from onprem_agents.vllm import (
    known_releases,
    load_release,
    newest_release,
    parse_argv,
    to_argv,
    version_key,
)
from tests.unit.catalog_samples import CATALOG, ONLY_ON_OLDER, planned, served_by

pytestmark = pytest.mark.unit

NEWEST = newest_release()


@pytest.mark.parametrize("version", known_releases())
def test_what_is_rendered_for_a_model_is_accepted_by_each_release_that_serves_it(version: str) -> None:
    release = load_release(version)
    rendered = 0
    for variant, flags in served_by(version):
        argv = to_argv(flags, version)
        read = parse_argv(argv, release=version)
        told = f"{variant.hf_id} on {version}"
        assert not read.unknown, told
        assert not read.problems, told
        assert not read.other, f"{told}: an option of the model's that no field holds"
        assert read.flags == flags, told
        assert flags.tool_call_parser is None or flags.tool_call_parser in release.tool_parsers, told
        assert flags.reasoning_parser is None or flags.reasoning_parser in release.reasoning_parsers, told
        rendered += 1
    assert rendered > len(CATALOG.models), "a release that serves next to nothing was not read rightly"


@pytest.mark.parametrize("model", CATALOG.models, ids=lambda model: model.name)
def test_a_model_runs_on_the_newest_release_and_says_nothing_that_its_plan_denies(model: Model) -> None:
    for variant in model.variants:
        assert version_key(oldest_release(model, variant)) <= version_key(NEWEST), variant.hf_id
        found = own_flags(model, variant, load_release(NEWEST))
        assert not found.obstacles, variant.hf_id
        if variant.hf_id not in ONLY_ON_OLDER:
            flags = planned(model, variant, NEWEST)
            assert {name: getattr(flags, name) for name in found.flags.given()} == found.flags.given()


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        (
            "mistralai/Devstral-Small-2-24B-Instruct-2512",
            ("--tokenizer-mode mistral", "--config-format mistral", "--load-format mistral"),
        ),
        ("moonshotai/Kimi-K3", ("--tokenizer-mode kimi_k3", "--trust-remote-code")),
        ("MiniMaxAI/MiniMax-M2.7", ("--trust-remote-code",)),
        ("stepfun-ai/Step-3.7-Flash", ("--disable-cascade-attn", "--trust-remote-code")),
        (
            "deepseek-ai/DeepSeek-V4-Flash",
            ("--tokenizer-mode deepseek_v4", "--kv-cache-dtype fp8", "--block-size 256"),
        ),
        ("zai-org/GLM-5", ("--chat-template-content-format string",)),
    ],
)
def test_a_model_that_does_not_start_without_a_flag_gets_it(name: str, flags: tuple[str, ...]) -> None:
    model = CATALOG.model(name)
    argv = " ".join(to_argv(planned(model, model.variant(name), NEWEST), NEWEST))
    for flag in flags:
        assert f" {flag}" in argv


def test_a_copy_in_another_format_than_its_makers_gets_no_flag_of_that_format() -> None:
    model, variant = CATALOG.model_and_variant("RedHatAI/Mistral-7B-Instruct-v0.3-FP8")
    assert variant is not None
    flags = planned(model, variant, NEWEST)
    assert (flags.tokenizer_mode, flags.config_format, flags.load_format) == (None, None, None)
    assert flags.tool_call_parser == "mistral"
