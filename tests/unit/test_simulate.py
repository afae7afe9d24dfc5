"""The closed formulas of speed next to the simulation of every event, and the command that shows both."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from onprem_agents.catalog import load_catalog
from onprem_agents.cli import main
from onprem_agents.cli.simulate import simulate_command
from onprem_agents.sizing import FitRequest, Memory, memory_of, speed_of
from onprem_agents.sizing.simulation import Tally, room_tokens, simulate
from onprem_agents.sizing.speed import turns_on

pytestmark = pytest.mark.unit

CATALOG = load_catalog()
SERVERS = (
    ("Qwen3.6-27B", "fp8", "L40S", 2),
    ("Qwen3.6-35B-A3B", "fp8", "H100", 1),
    ("gpt-oss-120b", "mxfp4", "H100", 2),
)


def account(model: str, precision: str, gpu: str, size: int, most: int = 64) -> Memory:
    found = CATALOG.model(model)
    return memory_of(
        FitRequest(
            model=found,
            variant=found.variant(precision),
            accelerator=CATALOG.accelerator(gpu),
            tensor_parallel=size,
            context_tokens=131_072,
            max_num_seqs=most,
            kv_cache_dtype="auto",
            max_num_batched_tokens=8192,
            gpu_memory_utilization=0.92,
            start="warm",
        )
    )


def seen(memory: Memory, agents: int, replicas: int = 3) -> Tally:
    """What so many replicas do, each with that many agents."""
    whole, most = Tally(), memory.request.max_num_seqs
    for seed in range(replicas):
        whole.add(simulate(turns_on(memory, agents, 1), 131_072, room_tokens(memory), most, seed))
    return whole


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server[0])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_both_agree_within_a_tenth_where_the_pool_keeps_all_sessions(
    server: tuple[str, str, str, int], share: float
) -> None:
    memory = account(*server)
    agents = max(1, round(share * turns_on(memory, 1, 1).kept))
    expected, found = speed_of(memory, agents), seen(memory, agents)
    assert expected.tokens_per_second_per_developer == pytest.approx(
        found.tokens_per_second_per_developer, rel=0.1
    )
    assert expected.at_work == pytest.approx(found.at_work / 3, rel=0.15)
    assert expected.first_token_seconds_cold_30k == pytest.approx(found.first_token_seconds(), rel=0.25)


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server[0])
def test_both_agree_within_a_quarter_where_the_pool_is_far_too_small(
    server: tuple[str, str, str, int],
) -> None:
    memory = account(*server)
    agents = 3 * turns_on(memory, 1, 1).kept
    expected, found = speed_of(memory, agents), seen(memory, agents)
    assert expected.bounded_by == "KV pool"
    assert expected.tokens_per_second_per_developer == pytest.approx(
        found.tokens_per_second_per_developer, rel=0.25
    )
    assert expected.first_token_seconds_warm_30k == pytest.approx(
        found.first_token_seconds(warm=True), rel=0.3
    )


@pytest.mark.parametrize("times", [1, 1.3, 2])
@pytest.mark.parametrize(
    "server",
    [
        ("Qwen3.6-27B", "fp8", "H100", 1, 64),
        ("Qwen3.6-35B-A3B", "fp8", "H100", 1, 64),
        ("Qwen3.6-27B", "bf16", "H100", 1, 2),
    ],
    ids=("pool", "mixture", "max_num_seqs"),
)
def test_both_agree_about_the_wait_where_agents_just_find_room_and_where_they_do_not(
    server: tuple[str, str, str, int, int], times: float
) -> None:
    memory = account(*server)
    agents = round(times * turns_on(memory, 1, 1).at_once)
    expected, found = speed_of(memory, agents), seen(memory, agents, 6)
    assert expected.first_token_seconds_cold_30k == pytest.approx(
        found.first_token_seconds(), rel=0.4, abs=2.0
    )
    # eight agents that just find room are a quarter busier than the mean says
    assert expected.at_work == pytest.approx(found.at_work / 6, rel=0.3)


def test_six_developers_on_two_places_wait_longer_than_the_floor() -> None:
    # simulated: 50 s; without the wait for room it would be 11 s
    assert speed_of(account("Qwen3.6-27B", "bf16", "H100", 1, 2), 6).first_token_seconds_cold_30k > 20


def test_the_same_seed_gives_the_same_run() -> None:
    memory = account(*SERVERS[0])
    runs = [simulate(turns_on(memory, 4, 1), 131_072, room_tokens(memory), 64, seed) for seed in (7, 7, 8)]
    assert runs[0] == runs[1] != runs[2]


WORDS = ("simulate", "Qwen3.6-35B-A3B", "--precision", "fp8", "--gpu", "H100", "--developers", "20")


def test_the_command_shows_what_is_expected_beside_what_happens() -> None:
    done = CliRunner().invoke(main, [*WORDS, "--replicas", "2", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    alone = {"firstTokenSecondsTurnP95", "waitsCutOff"}  # what no closed formula tells
    assert set(told["simulated"]) - alone < set(told["expected"])
    assert told["simulated"]["waitsCutOff"] is False
    expected, simulated = (told[key]["tokensPerSecondPerDeveloper"] for key in ("expected", "simulated"))
    assert expected == pytest.approx(simulated, rel=0.1)
    shown = CliRunner().invoke(main, [*WORDS, "--replicas", "2"]).output
    assert "simulated" in shown
    assert "bounded by" in shown


def test_a_server_that_does_not_start_is_not_simulated() -> None:
    done = CliRunner().invoke(main, ["simulate", "gpt-oss-120b", "--gpu", "L4", "--developers", "2"])
    assert done.exit_code == 1
    assert "serves nobody" in done.stderr


def test_a_refusal_names_the_number_of_sequences_that_fits_and_that_one_is_simulated() -> None:
    # Qwen3.6-27B has a state for each sequence: an H100 has room for some seven hundred
    words = [
        "simulate",
        "Qwen/Qwen3.6-27B-FP8",
        "--gpu",
        "H100",
        "--developers",
        "20",
        "--max-num-seqs",
        "2000",
    ]

    refused = CliRunner().invoke(main, words)

    assert refused.exit_code == 1
    way = re.search(r"simulate it with (--max-num-seqs \d+)", refused.stderr)
    assert way is not None, refused.stderr
    assert CliRunner().invoke(main, [*words, *way[1].split()]).exit_code == 0


def test_a_refusal_names_only_options_that_the_command_has() -> None:
    done = CliRunner().invoke(main, ["simulate", "gpt-oss-120b", "--gpu", "L4", "--developers", "2"])
    fix = done.stderr.partition("fix:")[2]

    named = set(re.findall(r"--[a-z-]+", fix))
    assert named
    assert named <= {option for parameter in simulate_command.params for option in parameter.opts}


def test_a_wait_longer_than_the_ten_minutes_that_are_counted_is_waited_for() -> None:
    # ten places for 200 developers: the closed formulas say 45 minutes
    memory = account("Qwen3.6-27B", "fp8", "L40S", 2, 16)
    expected, found = speed_of(memory, 200), seen(memory, 200, 1)
    cold, slow = found.first_token_seconds(), found.slow_turn_seconds
    assert not found.cut_off
    assert cold is not None
    assert slow is not None
    assert cold > 2400
    assert cold == pytest.approx(expected.first_token_seconds_cold_30k, rel=0.25)
    assert slow > cold


def test_a_wait_that_still_grows_after_hours_is_told_as_at_least() -> None:
    # 500 agents on a desk machine, whose nine turns at once compute lost prompts for many minutes
    words = [
        *("simulate", "meta-llama/Llama-3.3-70B-Instruct", "--gpu", "GB10", "--precision", "int4"),
        *("--context", "32K", "--developers", "500"),
    ]
    told = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)
    assert told["simulated"]["waitsCutOff"] is True
    assert told["simulated"]["firstTokenSecondsCold30k"] < told["expected"]["firstTokenSecondsCold30k"]
    assert "at least" in CliRunner().invoke(main, words).output


def test_a_tally_without_probes_has_no_wait() -> None:
    assert Tally().first_token_seconds() is None
    assert Tally().first_token_seconds(warm=True) is None
    assert Tally().slow_turn_seconds is None
    assert Tally().tokens_per_second_per_developer is None
