"""Numbers that mean no server are refused as such; what vLLM itself would refuse stays a verdict."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from onprem_agents.cli import main

FIT = ("fit", "Qwen/Qwen3.6-27B-FP8", "--gpu", "H100")
SIMULATE = ("simulate", "Qwen/Qwen3.6-27B-FP8", "--gpu", "H100", "--developers", "2")
ADVISE = ("advise", "--gpu", "H100")


@pytest.mark.parametrize(
    ("command", "words", "told"),
    [
        (FIT, "--count 0", "1<=x<=4096"),
        (FIT, "-tp 0", "1<=x<=4096"),
        (FIT, "-tp -2", "1<=x<=4096"),
        (FIT, "-pp 0", "1<=x<=4096"),
        (FIT, "-pp 1000 --count 1000", "64 layers"),
        (FIT, "-dp 0", "1<=x<=4096"),
        (FIT, "--context 0", "give e.g. 64K"),
        (FIT, "--context 10", "one block of the KV cache"),
        (FIT, "--max-num-seqs 0", "1<=x<=100000"),
        (FIT, "--max-num-seqs 10000000", "1<=x<=100000"),
        (FIT, "--max-num-batched-tokens 0", "1<=x<="),
        (FIT, "--gpu-memory-utilization 1.5", "0<x<=1"),
        (FIT, "--gpu-memory-utilization 0", "0<x<=1"),
        (FIT, "--gpu-memory-utilization nan", "not a finite number"),
        (FIT, "--kv-cache-dtype foo", "'fp8'"),
        (FIT, "--speculative-tokens -1", "0<=x<=64"),
        (FIT, "--developers 0", "1<=x<=100000"),
        (FIT, "--vllm 99.1", "0.12.0 to 0."),
        (FIT, "--vllm 0.0.1", "0.12.0 to 0."),
        (SIMULATE, "--count 0", "1<=x<=4096"),
        (SIMULATE, "--developers 0", "1<=x<=100000"),
        (SIMULATE, "--replicas 0", "1<=x<=1000"),
        (SIMULATE, "--context 1000", "one turn of an agent"),
        (SIMULATE, "--max-num-seqs 0", "1<=x<=100000"),
        (SIMULATE, "--kv-cache-dtype foo", "'fp8'"),
        (ADVISE, "--developers 0", "1<=x<=100000"),
        (ADVISE, "--count 17", "1<=x<=16"),
        (ADVISE, "--context 0", "no coding agent works"),
        (ADVISE, "--context 10", "no coding agent works"),
        (ADVISE, "--context 100M", "give no more than that"),
        (ADVISE, "--min-speed nan", "not a finite number"),
        (ADVISE, "--max-first-token nan", "not a finite number"),
        (ADVISE, "--max-first-token 0", "x>0"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_number_that_means_no_server_is_a_usage_error_that_says_what_to_give(
    command: tuple[str, ...], words: str, told: str
) -> None:
    done = CliRunner().invoke(main, [*command, *words.split()])

    assert done.exit_code == 2, done.output
    assert told in " ".join(done.stderr.split())
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("-tp 3", "cannot be split or replicated over 3 GPUs"),
        ("--context 100M", "beyond the 262144"),
        ("--max-num-batched-tokens 10 --max-num-seqs 64", "is below max_num_seqs"),
        ("--gpu-memory-utilization 0.01", "nothing is left for the KV cache"),
    ],
)
def test_what_vllm_refuses_is_a_verdict_with_its_reason(words: str, cause: str) -> None:
    done = CliRunner().invoke(main, [*FIT, *words.split(), "--json"])

    assert done.exit_code == 0
    answer = json.loads(done.stdout)
    assert answer["verdict"] == "does_not_fit"
    assert any(cause in problem for problem in answer["problems"]), answer["problems"]


@pytest.mark.parametrize(("size", "count"), [(2, 4), (8, 2)])
def test_where_the_parallel_sizes_contradict_the_count_it_is_told_which_holds(size: int, count: int) -> None:
    done = CliRunner().invoke(main, [*FIT, "--count", f"{count}", "-tp", f"{size}", "--json"])

    assert json.loads(done.stdout)["gpus"] == size
    assert f"sized on {size} GPUs, as the parallel sizes say, not on {count}" in done.stderr
