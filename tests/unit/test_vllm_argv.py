"""Flags to argv and back: what is written is read again, and what runs in the real world is not misread."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from onprem_agents.errors import InvalidInput
from onprem_agents.vllm import (
    UNREADABLE,
    ServeFlags,
    known_releases,
    load_release,
    option_of,
    parse_argv,
    to_argv,
)
from onprem_agents.vllm.flags import kinds

pytestmark = pytest.mark.unit

CODER = ServeFlags(
    model="Qwen/Qwen3.6-27B-FP8",
    served_model_name=("coder", "qwen3.6-27b"),
    port=8080,
    tensor_parallel_size=2,
    max_model_len=131072,
    max_num_seqs=32,
    gpu_memory_utilization=0.92,
    kv_cache_dtype="fp8",
    enable_prefix_caching=True,
    async_scheduling=False,
    enable_auto_tool_choice=True,
    tool_call_parser="qwen3_coder",
    tool_strict_level="function",
    reasoning_parser="qwen3",
    default_chat_template_kwargs={"enable_thinking": False},
    speculative_config={"num_speculative_tokens": 3, "method": "mtp"},
)


def test_flags_become_the_arguments_that_follow_vllm_serve() -> None:
    assert to_argv(CODER, "0.33.0") == (
        "Qwen/Qwen3.6-27B-FP8",
        *("--served-model-name", "coder", "qwen3.6-27b"),
        *("--port", "8080"),
        *("--tensor-parallel-size", "2"),
        *("--max-model-len", "131072"),
        *("--max-num-seqs", "32"),
        *("--gpu-memory-utilization", "0.92"),
        *("--kv-cache-dtype", "fp8"),
        "--enable-prefix-caching",
        "--no-async-scheduling",
        *("--speculative-config", '{"method":"mtp","num_speculative_tokens":3}'),
        "--enable-auto-tool-choice",
        *("--tool-call-parser", "qwen3_coder"),
        *("--tool-strict-level", "function"),
        *("--reasoning-parser", "qwen3"),
        *("--default-chat-template-kwargs", '{"enable_thinking":false}'),
    )


@pytest.mark.parametrize(
    ("name", "release", "written"),
    [
        ("enable_prefix_caching", "0.32.0", "--no-enable-prefix-caching"),
        ("enable_prefix_caching", "0.33.0", "--no-enable-prefix-caching"),  # 0.33 takes it without listing it
        ("disable_fastapi_docs", "0.32.0", "--no-disable-fastapi-docs"),
        ("disable_fastapi_docs", "0.33.0", "--enable-fastapi-docs"),
        ("enforce_eager", "0.33.0", "--no-enforce-eager"),
    ],
)
def test_a_switch_is_turned_off_in_the_words_of_its_release(name: str, release: str, written: str) -> None:
    off: dict[str, Any] = {name: False}
    assert to_argv(ServeFlags(**off), release) == (written,)


def _random_value(kind: str, name: str, release: str, rng: random.Random) -> Any:
    facts = load_release(release)
    registries = {
        "tool_call_parser": facts.tool_parsers,
        "reasoning_parser": facts.reasoning_parsers,
        "quantization": facts.quantization_methods,
    }
    allowed = sorted(registries.get(name, facts.choices.get(option_of(name), ())))
    odd = ["plain", "with blank", "-dash", "--double", "a=b", "$(X)", "é", "{}", "128k", "'\"", "/a/b", "-1"]
    named = ["org/model", "/mnt/models", "coder", "with blank"]
    values: dict[str, Callable[[], Any]] = {
        "switch": lambda: rng.random() < 0.5,
        "text": lambda: rng.choice(allowed or (named if name == "model" else odd)),
        "texts": lambda: tuple(rng.sample(named, rng.randint(1, 3))),
        "integer": lambda: int(rng.choice(allowed)) if allowed else rng.choice([0, 1, 7, 8192, -1]),
        "tokens": lambda: rng.choice([1, 2048, 131072]),
        "context": lambda: rng.choice(["auto", 32768, 1_000_000]),
        "decimal": lambda: rng.choice([0.0, 0.92, 16.0, 1e-05]),
        "object": lambda: {"b": [1, None, True], "a": {"x": rng.choice(odd)}},
    }
    return values[kind]()


@pytest.mark.parametrize("release", known_releases())
def test_what_is_written_is_read_again_for_a_thousand_random_sets_of_flags(release: str) -> None:
    rng = random.Random(20261124)  # noqa: S311 - a fixed seed for a repeatable test
    usable = [name for name in kinds() if option_of(name) in load_release(release).options()]

    for _ in range(1000):
        chosen = rng.sample(usable, rng.randint(0, 12))
        flags = ServeFlags(**{name: _random_value(kinds()[name], name, release, rng) for name in chosen})

        argv = to_argv(flags, release)
        parsed = parse_argv(("vllm", "serve", *argv), release=release, env={"UNRELATED": "1"})

        # `$(X)` names a variable that this container lacks, so the reader may only say that it can't tell.
        doubtful = {name for name in parsed.unreadable if "$(X)" in str(getattr(flags, name))}
        assert parsed.unreadable == doubtful, argv
        assert {n: v for n, v in flags.given().items() if n not in doubtful} == parsed.flags.given(), argv
        assert not parsed.problems, argv
        assert not parsed.unknown, argv


def test_a_flag_that_the_release_lacks_is_refused_with_its_name_the_release_and_the_first_that_has_it() -> (
    None
):
    flags = ServeFlags(
        reasoning_effort_map={"low": "none"}, tool_call_parser="step5", kv_offloading_backend="x"
    )

    with pytest.raises(InvalidInput) as caught:
        to_argv(flags, "0.32.0")

    text = str(caught.value)
    assert "vLLM 0.32.0 does not know --reasoning-effort-map" in text
    assert "it exists since vLLM 0.33:" in text
    assert "--tool-call-parser" in text, "step5 came with 0.33.0: all problems are told at once"
    assert "lmcache, native" in text


def test_a_parser_from_a_plugin_is_taken_on_trust() -> None:
    flags = ServeFlags(tool_parser_plugin="/plugins/ours.py", tool_call_parser="ours")
    assert to_argv(flags, "0.33.0")[-1] == "/plugins/ours.py"


def test_a_release_without_a_folder_is_written_as_the_nearest_takes_it() -> None:
    assert to_argv(CODER, "0.33.7") == to_argv(CODER, "0.33.0")


def test_a_parser_and_a_quantisation_that_came_or_went_are_refused_with_the_release_of_it() -> None:
    flags = ServeFlags(tool_call_parser="glm47", quantization="bitsandbytes")

    with pytest.raises(InvalidInput, match=r"it exists since vLLM 0\.14"):
        to_argv(flags, "0.13.0")
    with pytest.raises(InvalidInput, match=r"it is gone since vLLM 0\.28"):
        to_argv(flags, "0.33.0")


def test_a_chat_template_that_the_image_does_not_bring_is_refused_with_the_nearest() -> None:
    gemma4 = ServeFlags(chat_template="/vllm-workspace/examples/tool_chat_template_gemma4.jinja")
    own = ServeFlags(chat_template="/etc/onprem/chat-template/template.jinja")

    assert to_argv(gemma4, "0.33.0")
    assert to_argv(own, "0.12.0"), "only the image's own folder is known"
    with pytest.raises(InvalidInput, match=r"the image of vLLM 0\.12\.0 brings no such template"):
        to_argv(gemma4, "0.12.0")


def test_a_served_name_that_looks_like_an_option_is_refused() -> None:
    with pytest.raises(InvalidInput, match="read as an option"):
        to_argv(ServeFlags(served_model_name=("coder", "-fast")), "0.33.0")


def test_the_old_module_with_underscores_equals_signs_and_shorthand_is_read() -> None:
    parsed = parse_argv(
        [
            *("python3", "-m", "vllm.entrypoints.openai.api_server"),
            *("--model=/mnt/models", "--served_model_name", "a", "b", "--max_model_len=128K"),
            *("--max-num-batched-tokens", "8k", "-tp", "4", "--device-memory-utilization", "0.9"),
            *("--disable-chunked-prefill", "--no-enable-prefix-caching", "--trust-remote-code"),
        ]
    )

    assert parsed.command
    assert parsed.flags == ServeFlags(
        model="/mnt/models",
        served_model_name=("a", "b"),
        max_model_len=131072,
        max_num_batched_tokens=8000,
        tensor_parallel_size=4,
        gpu_memory_utilization=0.9,
        enable_chunked_prefill=False,
        enable_prefix_caching=False,
        trust_remote_code=True,
    )


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["serve", "m/x", "--port", "80"], ServeFlags(model="m/x", port=80)),  # entrypoint `vllm`
        (["m/x", "--port", "80"], ServeFlags(model="m/x", port=80)),  # entrypoint `vllm serve`
        (
            ["--port=8080", "--model=/mnt/models"],
            ServeFlags(model="/mnt/models", port=8080),
        ),  # KServe's runtime
        (["/usr/bin/env", "A=b", "/opt/bin/vllm", "serve", "m/x"], ServeFlags(model="m/x")),
        (
            ["vllm", "serve", "--enforce-eager", "m/x", "--model", "m/y"],
            ServeFlags(model="m/x", enforce_eager=True),
        ),
        (["vllm", "serve", "m/x", "--max-model-len", "-1"], ServeFlags(model="m/x", max_model_len="auto")),
        (
            ["vllm", "serve", "m/x", "--tool-call", "hermes"],
            ServeFlags(model="m/x", tool_call_parser="hermes"),
        ),
        (
            ["vllm", "serve", "m/x", "--speculative-config.method", "mtp", "-sc.num_speculative_tokens=3"],
            ServeFlags(model="m/x", speculative_config={"method": "mtp", "num_speculative_tokens": 3}),
        ),
    ],
)
def test_every_way_to_start_the_server_is_read(argv: list[str], expected: ServeFlags) -> None:
    parsed = parse_argv(argv)

    assert parsed.flags == expected
    assert not parsed.unknown
    assert not parsed.problems
    assert not parsed.opaque


def test_the_opposite_of_log_requests_exists_in_one_release_and_not_in_the_one_before() -> None:
    argv = ["vllm", "serve", "m/x", "--disable-log-requests"]

    assert parse_argv(argv, release="0.33.0").flags.enable_log_requests is False
    assert [unknown.name for unknown in parse_argv(argv, release="0.32.0").unknown] == [
        "--disable-log-requests"
    ]


def test_options_that_vllm_dropped_are_kept_and_do_not_swallow_the_model() -> None:
    parsed = parse_argv(["vllm", "serve", "--enable-reasoning", "m/x", "--swap-space", "4", "--made-up"])

    assert parsed.flags.model == "m/x"
    assert [(unknown.name, unknown.value) for unknown in parsed.unknown] == [
        ("--enable-reasoning", None),
        ("--swap-space", "4"),
        ("--made-up", None),
    ]


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["m/x", "--port", "many"], "--port: a whole number is expected, not 'many'"),
        (["m/x", "--enforce-eager", "True"], "'True' belongs to no option, and the model is already 'm/x'"),
        (["m/x", "--enforce-eager=True"], "--enforce-eager takes no value: write it bare"),
        (["m/x", "--max-num-b", "1", "--max-num", "2"], "--max-num is short for several options"),
        (
            ["m/x", "--speculative-config", "mtp"],
            "--speculative-config: a JSON object is expected, not 'mtp'",
        ),
        (["m/x", "--served-model-name"], "--served-model-name lacks its value"),
        (["m/x", "--max-model-len", "long"], "--max-model-len: 'long' is not a token count"),
    ],
)
def test_what_vllm_would_refuse_is_told(argv: list[str], problem: str) -> None:
    problems = parse_argv(["vllm", "serve", *argv]).problems
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_options_outside_the_table_are_kept_by_their_full_name() -> None:
    parsed = parse_argv(["vllm", "serve", "m/x", "--api-key", "a", "b", "-O3", "--headless"])
    assert parsed.other == {"--api-key": ("a", "b"), "--optimization-level": ("3",), "--headless": ("True",)}


def test_a_value_from_a_variable_is_read_where_the_container_sets_it_and_unreadable_where_not() -> None:
    argv = ["vllm", "serve", "$(MODEL)", "--port", "$(PORT)", "--tool-call-parser=$(PARSER)"]

    parsed = parse_argv(argv, env={"MODEL": "m/x"})

    assert parsed.read("model") == "m/x"
    assert parsed.read("port") == UNREADABLE
    assert parsed.read("tool_call_parser") == UNREADABLE
    assert parsed.read("reasoning_parser") is None, "nothing hides an option here"


def test_a_config_file_may_set_anything() -> None:
    parsed = parse_argv(["vllm", "serve", "m/x", "--config", "/etc/vllm.yaml"])

    assert parsed.opaque
    assert parsed.read("model") == "m/x"
    assert parsed.read("tool_call_parser") == UNREADABLE
