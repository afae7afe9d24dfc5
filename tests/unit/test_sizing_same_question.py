"""The same question gets the same answer, asked by the options of `fit` or as a row of a file of runs."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from onprem_agents.advice.past_runs import predict
from onprem_agents.advice.past_runs import request_of as of_row
from onprem_agents.catalog import Model, Variant, load_catalog
from onprem_agents.cli import main
from onprem_agents.sizing import fit
from onprem_agents.vllm import known_releases, version_key
from tests.unit.fit_words import request_of

pytestmark = pytest.mark.unit

CATALOG = load_catalog()
ROWS = 250
# What a row leaves to vLLM as well: there a blank is not known, and the answer does not rest on vLLM's own value.
ALWAYS_TOLD = ("max_model_len", "gpu_memory_utilization")
# Refusals that a row cannot tell to hold: it says too little of what else was set.
MEMORY = {"no-room-for-weights", "no-room-for-context", "no-room-for-states", "outside-the-budget"}
SAME_IN_ROWS = {*MEMORY, "cannot-be-split", "batch-below-sequences"}


def some_row(dice: random.Random, model: Model, variant: Variant) -> dict[str, str]:
    """Return a row with some of its columns blank, as a table of runs has them."""
    tensor, pipeline, data = (
        dice.choice((1, 1, 2, 3, 4, 8)),
        dice.choice((1, 1, 1, 2)),
        dice.choice((1, 1, 1, 2)),
    )
    releases = [
        release for release in known_releases() if version_key(release) >= version_key(model.min_vllm)
    ]
    told = {
        "gpu_count": f"{tensor * pipeline * data}",
        "tp": f"{tensor}",
        "pp": f"{pipeline}",
        "kv_cache_dtype": dice.choice(("auto", "fp8")),
        "vllm_version": dice.choice(releases),
        "max_num_seqs": f"{dice.choice((1, 8, 64, 256, 1024))}",
        "max_num_batched_tokens": f"{dice.choice((512, 2048, 8192, 16384))}",
        "enforce_eager": dice.choice(("True", "False")),
        "text_only": dice.choice(("yes", "no")),
        "speculative_tokens": f"{dice.choice((0, 1, 3))}" if model.architecture.mtp_layers else "0",
        "expert_parallel": dice.choice(("1", "0")),
        "enable_prefix_caching": dice.choice(("true", "false")),
        "start": dice.choice(("cold", "warm")),
    }
    kept = {
        name: value
        for name, value in told.items()
        if name in {"gpu_count", "tp", "pp"} or dice.random() < 0.5
    }
    return {
        "hf_id": variant.hf_id,
        "precision": variant.precision,
        "gpu": dice.choice([gpu.name for gpu in CATALOG.accelerators]),
        "max_model_len": f"{min(dice.choice((4096, 32768, 131072)), model.architecture.max_context_tokens)}",
        "gpu_memory_utilization": f"{dice.choice((0.5, 0.8, 0.92, 0.98))}",
        **kept,
    }


def words_of(row: dict[str, str]) -> Iterator[str]:
    """Yield the words of `fit` that ask what a row asks."""
    data = int(row["gpu_count"]) // (int(row["tp"]) * int(row["pp"]))
    yield from (row["hf_id"], "--precision", row["precision"], "--gpu", row["gpu"])
    yield from ("--count", row["gpu_count"], "-tp", row["tp"], "-pp", row["pp"], "-dp", f"{data}")
    yield from ("--vllm", row.get("vllm_version", "any"))
    for column, option in {
        "kv_cache_dtype": "--kv-cache-dtype",
        "max_model_len": "--max-model-len",
        "gpu_memory_utilization": "--gpu-memory-utilization",
        "max_num_seqs": "--max-num-seqs",
        "max_num_batched_tokens": "--max-num-batched-tokens",
        "speculative_tokens": "--speculative-tokens",
        "start": "--start",
    }.items():
        if column in row:
            yield from (option, row[column])
    if row.get("text_only") != "yes":
        yield "--images"
    if row.get("enforce_eager") == "True":
        yield "--enforce-eager"
    if row.get("expert_parallel") == "1":
        yield "--enable-expert-parallel"
    if "enable_prefix_caching" in row:
        yield f"--{'' if row['enable_prefix_caching'] == 'true' else 'no-'}enable-prefix-caching"


def test_a_row_and_the_options_that_say_the_same_ask_and_answer_alike() -> None:
    dice = random.Random(14)  # noqa: S311 - the same rows each time
    checkpoints = [(model, variant) for model in CATALOG.models for variant in model.variants]
    compared, states = 0, 0
    for _ in range(ROWS):
        model, variant = dice.choice(checkpoints)
        row = some_row(dice, model, variant)
        asked = of_row(row, CATALOG)
        assert request_of(*words_of(row)) == asked, row
        result = fit(asked)
        if {refusal.cause for refusal in result.refusals} <= SAME_IN_ROWS:
            assert predict(row, CATALOG)["verdict"] == result.verdict, (row, result.problems)
            compared += 1
            states += result.memory is not None and result.memory.most_states is not None
    # Enough of both kinds that neither agrees by chance.
    assert compared > ROWS // 2
    assert states > 10


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        ({"tp": "3", "gpu_count": "3"}, "does_not_fit", "3"),
        ({"max_num_seqs": "64", "max_num_batched_tokens": "32"}, "does_not_fit", "below max_num_seqs 64"),
        ({"max_num_batched_tokens": "32"}, "fits", "the pool is"),
    ],
)
def test_a_row_that_vllm_refuses_by_its_own_settings_does_not_fit(
    changes: dict[str, str], verdict: str, words: str
) -> None:
    row = {"id": "a", "hf_id": "Qwen/Qwen3-8B", "precision": "bf16", "gpu": "H100", "max_model_len": "4096"}
    answer = predict({**row, **changes}, CATALOG)
    assert answer["verdict"] == verdict
    assert words in answer["reason"]


def test_states_that_find_no_room_for_vllms_own_number_are_told_with_the_number_to_give() -> None:
    # Qwen3.8-27B in FP8 on an L40S is refused for 256 sequences with 184 blocks (vllm-project/recipes#831).
    words = ("fit", "Qwen/Qwen3.8-27B-FP8", "--gpu", "L40S", "--context", "16384", "--vllm", "0.25.1")
    told = CliRunner().invoke(main, words).output
    assert ": fits" in told or "too close" in told
    assert "start it with --max-num-seqs " in told
    refused = CliRunner().invoke(main, [*words, "--max-num-seqs", "256"]).output
    assert ": does not fit" in refused or "too close" in refused
    assert "max_num_seqs 256 is more than the" in refused
    assert "start it with" not in refused
