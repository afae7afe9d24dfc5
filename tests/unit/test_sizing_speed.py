"""Expected speed: below its bounds always, slower with less, and what a developer sees of it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from click.testing import CliRunner

from onprem_agents.catalog import load_catalog
from onprem_agents.cli import main
from onprem_agents.sizing import FitRequest, Memory, bounds_of, memory_of, speed_of
from onprem_agents.sizing.demand import demand_of
from onprem_agents.sizing.links import links_of
from onprem_agents.sizing.pace import pace_of, step_by_cause
from onprem_agents.sizing.queueing import congestion
from onprem_agents.sizing.throughput import most_decoded, most_prefilled
from tests.unit.sizing_samples import sample

pytestmark = pytest.mark.unit

CATALOG = load_catalog()


def request(model: str, precision: str, gpu: str, **changes: object) -> FitRequest:
    found = CATALOG.model(model)
    base = FitRequest(
        model=found,
        variant=found.variant(precision),
        accelerator=CATALOG.accelerator(gpu),
        tensor_parallel=1,
        context_tokens=65_536,
        max_num_seqs=64,
        kv_cache_dtype="auto",
        max_num_batched_tokens=8192,
        gpu_memory_utilization=0.92,
    )
    return replace(base, **changes)  # type: ignore[arg-type] # keyword values are the fields of FitRequest


def memory(model: str, precision: str, gpu: str, **changes: object) -> Memory:
    return memory_of(request(model, precision, gpu, **changes))


def test_what_is_expected_never_exceeds_a_bound() -> None:
    for asked in sample(300):
        account = memory_of(asked)
        pace, demand = pace_of(account), demand_of(account)
        for sessions in (1, 2, 7, 64):
            expected = sessions / pace.step_seconds(sessions)
            bound = most_decoded(asked, demand, sessions)
            assert expected < bound, (asked.variant.hf_id, asked.accelerator.name, sessions)
        assert 30_000 / pace.first_token_seconds(0, warm=False) < most_prefilled(asked, demand), (
            asked.variant.hf_id
        )


def test_a_bound_is_bandwidth_over_what_is_read() -> None:
    # 3350 GB/s over 8.19 billion parameters of two bytes less the table of 151,936 x 4096 that is looked up, and over
    # 36 layers x 2 x 8 heads x 128 x 2 bytes x 38,768 tokens (5.72 GB)
    account = memory("Qwen3-8B", "bf16", "H100")
    demand = demand_of(account)
    assert most_decoded(account.request, demand, 1) == pytest.approx(3350 / (15.2 + 5.72), rel=0.02)
    # 989 TFLOPS over two operations for each of 6.95 billion parameters that are no table
    assert most_prefilled(account.request, demand) == pytest.approx(71_200, rel=0.01)


def test_drafted_tokens_raise_the_bound_and_not_what_is_expected() -> None:
    plain, drafting = (memory("Qwen3.6-27B", "fp8", "H100", speculative_tokens=n) for n in (0, 3))
    bounds = [bounds_of(account, 1).decode_tokens_per_second_one for account in (plain, drafting)]
    assert bounds[1] > 3 * bounds[0]
    assert pace_of(drafting).step_seconds(1) >= pace_of(plain).step_seconds(1)


def test_a_mixture_reads_more_experts_the_more_sessions_there_are() -> None:
    pace = pace_of(memory("gpt-oss-120b", "mxfp4", "H200"))
    # 4 of 128 experts: one token reads a 32nd of them, 64 tokens 87 %
    assert pace.experts_seconds(1) / pace.experts == pytest.approx(4 / 128)
    assert pace.experts_seconds(64) / pace.experts == pytest.approx(0.869, abs=0.001)


def test_links_without_nvlink_cost_more_and_one_gpu_has_none() -> None:
    alone, nvlink, pcie = (
        links_of(request("Qwen3-32B", "fp8", gpu, tensor_parallel=size))
        for gpu, size in (("H100", 1), ("H100", 4), ("H100-PCIe", 4))
    )
    assert (alone.step_seconds, alone.token_seconds) == (0, 0)
    assert pcie.step_seconds > 3 * nvlink.step_seconds > 0
    assert pcie.token_seconds > 3 * nvlink.token_seconds > 0


def test_two_stages_halve_the_work_of_a_step_and_take_it_twice() -> None:
    one = pace_of(memory("Qwen3-32B", "fp8", "H100", tensor_parallel=2))
    two = pace_of(memory("Qwen3-32B", "fp8", "H100", tensor_parallel=2, pipeline_parallel=2))
    assert two.step_seconds(1) == pytest.approx(one.step_seconds(1), rel=0.1), "a token passes both"
    assert two.step_seconds(32) < one.step_seconds(32), "each stage holds half of the cache"


def test_more_developers_are_never_faster_and_more_replicas_never_slower() -> None:
    account = memory("Qwen3.6-27B", "fp8", "H100", context_tokens=131_072)
    rates = [speed_of(account, developers).tokens_per_second_per_developer for developers in range(1, 60)]
    assert all(before >= after for before, after in pairwise(rates))
    shared, spread = speed_of(account, 24), speed_of(account, 24, replicas=4)
    assert spread.tokens_per_second_per_developer > shared.tokens_per_second_per_developer
    assert spread.first_token_seconds_cold_30k < shared.first_token_seconds_cold_30k


def test_a_desk_machine_is_too_slow_for_twenty_and_says_by_what() -> None:
    speed = speed_of(
        memory("gpt-oss-120b", "mxfp4", "GB10", context_tokens=65_536, max_num_batched_tokens=2048), 20
    )
    # 273 GB/s over 60 GB of experts, nearly all of which twenty sessions read
    assert speed.tokens_per_second_per_developer < 4
    assert speed.bounded_by in ("memory bandwidth", "KV pool"), "it keeps about 15 sessions"
    few = speed_of(
        memory("gpt-oss-120b", "mxfp4", "GB10", context_tokens=131_072, max_num_batched_tokens=2048), 8
    )
    assert few.bounded_by == "memory bandwidth"


def test_a_pool_that_cannot_keep_the_sessions_is_named() -> None:
    # 10.5 GB of cache for each of 71,536 tokens: five of them on one GPU, and twelve developers
    speed = speed_of(memory("Qwen3-8B", "bf16", "H100", context_tokens=131_072), 12)
    assert speed.bounded_by == "KV pool"


def test_a_warm_prefix_is_answered_sooner() -> None:
    speed = speed_of(memory("Qwen3.6-27B", "fp8", "H100"), 4)
    assert speed.first_token_seconds_warm_30k < speed.first_token_seconds_cold_30k / 5


def test_turns_that_do_not_slow_each_other_follow_from_their_own_time() -> None:
    # 10 agents, pauses of 15 s, turns of 5 s each beside any others: each is at work 5 of 20 s
    free = congestion(10, 15.0, 10, lambda _: 5.0)
    assert free.at_work == pytest.approx(2.5)
    assert free.turns_per_second == pytest.approx(0.5)
    assert free.met == pytest.approx(1 + 9 / 4), "a turn meets a quarter of the nine others"


def test_where_room_is_short_the_others_wait() -> None:
    # 2000 agents, 64 at once that take 1.28 s each: 50 turns a second, and all but 15 x 50 + 64 agents wait
    full = congestion(2000, 15.0, 64, lambda running: 0.02 * running)
    assert full.turns_per_second == pytest.approx(50.0)
    assert full.waiting == pytest.approx(2000 - 15 * 50 - 64)
    assert full.waiting_seconds == pytest.approx(full.waiting / 50)


def test_one_agent_never_does_more_than_its_pause_and_its_turn_allow() -> None:
    # a pause of 15 s and a turn of 10 s: one turn in 25 s, however many could be served
    for most_at_once in (1, 2):
        alone = congestion(1, 15.0, most_at_once, lambda running: 10.0 * running)
        assert (alone.at_work, alone.turns_per_second) == pytest.approx((0.4, 0.04))
        assert (alone.met, alone.waiting, alone.waiting_seconds) == (1.0, 0.0, 0.0)


def test_two_agents_wait_for_each_other_where_one_is_served() -> None:
    # weights of 0, 1 and 2 pauses: 1, 1.5 and 1.5 x 1.5 / 2 = 1.125, of 3.625 in all
    pair = congestion(2, 15.0, 1, lambda _: 10.0)
    assert pair.waiting == pytest.approx(1 / 3.625)
    assert pair.at_work == pytest.approx(2.5 / 3.625)
    assert pair.waiting_seconds == pytest.approx(4.0), "10 s where the other is served: 0.4 of the time"


def test_the_balance_of_very_many_agents_is_a_number() -> None:
    idle = congestion(3000, 15.0, 3000, lambda _: 5.0)  # weights up to e ** 860 of the first
    assert idle.at_work == pytest.approx(750.0)
    assert idle.waiting == 0.0


def test_causes_add_up_to_the_step() -> None:
    for asked in sample(100):
        account = memory_of(asked)
        assert sum(step_by_cause(account, 5).values()) == pytest.approx(pace_of(account).step_seconds(5))


def test_fit_tells_the_speed_for_the_developers_that_are_named() -> None:
    words = (
        "fit",
        "Qwen/Qwen3.6-27B-FP8",
        "--gpu",
        "H100",
        "--context",
        "64K",
        "--max-num-seqs",
        "16",
        "--json",
    )
    few, many = (
        json.loads(CliRunner().invoke(main, [*words, *more]).stdout)["speed"]
        for more in ((), ("--developers", "40"))
    )
    assert many["developers"] == 40
    assert many["tokensPerSecondPerDeveloper"] < few["tokensPerSecondPerDeveloper"]
    assert set(many) == {
        *(
            "developers",
            "tokensPerSecondPerDeveloper",
            "firstTokenSecondsCold30k",
            "firstTokenSecondsWarm30k",
        ),
        *("sessionWaitSeconds", "loadSeconds", "atWork", "boundedBy"),
    }


def test_no_first_token_is_promised_sooner_than_any_was_seen() -> None:
    words = ("fit", "Qwen/Qwen3-0.6B", "--gpu", "H200", "--context", "32K", "--max-num-seqs", "16", "--json")

    speed = json.loads(CliRunner().invoke(main, words).stdout)["speed"]

    assert speed["firstTokenSecondsWarm30k"] == 0.04  # 41 ms: the soonest of a measured series, losses.py
