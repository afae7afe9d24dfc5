"""Every checkpoint of the catalogue is planned for every vLLM release that serves it, with flags that it accepts."""

from __future__ import annotations

import pytest

from onprem_agents.catalog import Model, Variant, load_catalog
from onprem_agents.plan.choice import Choice, request_of
from onprem_agents.plan.derive_serving import serving_plan
from onprem_agents.plan.own_flags import own_flags
from onprem_agents.plan.release_fitness import oldest_release
from onprem_agents.plan.rollout import choose_rollout
from onprem_agents.plan.timeouts import derive_timeouts
from onprem_agents.sizing import fit
from onprem_agents.stack.settings import ModelRole, Serving
from onprem_agents.vllm import (
    ServeFlags,
    known_releases,
    load_release,
    newest_release,
    parse_argv,
    to_argv,
    version_key,
)

pytestmark = pytest.mark.unit

CATALOG = load_catalog()
NEWEST = newest_release()
# Checkpoints that only older releases load: their quantisation is gone.
ONLY_ON_OLDER = {
    "unsloth/Llama-3.2-11B-Vision-Instruct-bnb-4bit",
    "unsloth/meta-llama-3.1-8b-instruct-bnb-4bit",
    "unsloth/phi-4-bnb-4bit",
}


def planned(model: Model, variant: Variant, version: str, **settings: object) -> ServeFlags:
    """Return the flags of a role on four H200, whether or not the memory would do."""
    role = ModelRole.model_validate({"role": "coder", "model": variant.hf_id, **settings})
    own = own_flags(model, variant, load_release(version))
    request = request_of(
        role,
        model,
        variant,
        CATALOG.accelerator("H200"),
        tensor_parallel=4,
        context_tokens=min(32_768, model.architecture.max_context_tokens),
        kv_cache_dtype=own.kv_cache_dtype or "auto",
    )
    choice = Choice(
        model=model, variant=variant, own=own, tensor_parallel=4, request=request, fit=fit(request)
    )
    return serving_plan(
        role,
        choice=choice,
        replicas=1,
        rollout=choose_rollout(replicas=1, gpus_per_replica=4, free_gpus=4),
        timeouts=derive_timeouts(longest_turn_seconds=600, load_budget_seconds=2700),
        settings=Serving(),
        release=version,
    ).flags


def serving_releases(model: Model, variant: Variant) -> tuple[str, ...]:
    """Return the known releases that are said to serve a checkpoint, the oldest first."""
    least = version_key(oldest_release(model, variant))
    return tuple(version for version in known_releases() if version_key(version) >= least)


@pytest.mark.parametrize("version", known_releases())
def test_what_is_rendered_for_a_model_is_accepted_by_each_release_that_serves_it(version: str) -> None:
    release = load_release(version)
    rendered = 0
    for model in CATALOG.models:
        for variant in model.variants:
            if version not in serving_releases(model, variant) or (
                variant.hf_id in ONLY_ON_OLDER and variant.quantization not in release.quantization_methods
            ):
                continue
            flags = planned(model, variant, version)
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
