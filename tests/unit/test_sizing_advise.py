"""The ranking, the stack it writes, and the options of fit and explain as a person types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from onprem_agents.advice.advise import Asked, advise
from onprem_agents.catalog import load_catalog
from onprem_agents.cli import main
from onprem_agents.plan import plan_stack_file

pytestmark = pytest.mark.unit

CATALOG = load_catalog()
STACKS = str(Path(__file__).parents[2] / "stacks")


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def values(*words: str) -> Any:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_ranking_puts_enough_sessions_before_size() -> None:
    ranked = advise(CATALOG, CATALOG.accelerator("L40S"), 4, Asked(developers=20))
    covers = [2 if one.sessions >= 20 else 1 if one.sessions >= 10 else 0 for one in ranked]
    assert covers == sorted(covers, reverse=True)
    assert ranked[0].sessions >= 20
    assert all(one.memory.verdict == "fits" for one in ranked)
    assert all(one.replicas * one.request.tensor_parallel == 4 for one in ranked)


def test_a_table_keeps_whole_names_however_narrow_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    rows = run("advise", "--gpu", "L40S", "--count", "4", "--developers", "20").output.split("1:")[0]
    assert max(map(len, rows.splitlines())) <= 80
    cells = "".join(line.split("│")[1].strip() for line in rows.splitlines() if "│" in line)
    for advice in advise(CATALOG, CATALOG.accelerator("L40S"), 4, Asked(developers=20))[:8]:
        assert advice.request.variant.hf_id in cells


def test_more_gpus_than_a_node_has_are_a_pipeline_of_nodes() -> None:
    words = ("fit", "zai-org/GLM-5.2-FP8", "--gpu", "H100", "--max-model-len", "128K", "--max-num-seqs", "16")
    # 696 GiB of weights on GPUs with 72.8 GiB for vLLM: 8 do not hold them, 16 do.
    one, two = values(*words, "--count", "8"), values(*words, "--count", "16")
    assert (one["tensorParallel"], one["pipelineParallel"], one["verdict"]) == (8, 1, "does_not_fit")
    assert (two["tensorParallel"], two["pipelineParallel"], two["verdict"]) == (8, 2, "fits")
    told = values(*words, "--count", "16", "-tp", "16")
    assert (told["tensorParallel"], told["pipelineParallel"]) == (16, 1)
    assert "16 × H100 (2 stages of tensor parallel 8)" in run(*words, "--count", "16").output


def test_a_written_stack_plans_as_it_was_advised(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.written.yaml"
    best = values("advise", "--gpu", "L40S", "--count", "4", "--developers", "20", "--write", str(file))[0]
    plan = plan_stack_file(tmp_path, "written")
    assert plan.main.variant.hf_id == best["model"]
    assert plan.main.context_tokens == best["contextTokens"]
    assert plan.main.sessions == best["sessions"]
    assert len(plan.developers) == 20


@pytest.mark.parametrize(
    ("gpu", "count"),
    [
        ("H100", "8"),  # 214 GiB of weights: the default of 45 minutes does not hold their load
        ("H200", "8"),  # a checkpoint that names the type of its KV cache
        ("B200", "2"),  # the maker's own mixture of precisions, beside copies in FP8
    ],
)
def test_a_written_stack_plans_without_a_fault(gpu: str, count: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.written.yaml"
    best = values("advise", "--gpu", gpu, "--count", count, "--developers", "4", "--write", str(file))[0]

    plan = plan_stack_file(tmp_path, "written")

    assert plan.notes == ()
    assert (plan.main.variant.hf_id, plan.main.sessions) == (best["model"], best["sessions"])


def test_a_stack_file_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.team.yaml"
    file.write_text("mine", encoding="utf-8")
    done = run("advise", "--gpu", "L40S", "--write", str(file))
    assert done.exit_code == 1
    assert "never overwritten" in done.stderr
    assert file.read_text(encoding="utf-8") == "mine"


def test_no_model_without_a_tool_call_parser_is_offered() -> None:
    ranked = advise(CATALOG, CATALOG.accelerator("H200"), 8, Asked(developers=4))
    assert all(one.model.tool_call_parser is not None for one in ranked)
    assert CATALOG.model("Phi-4").tool_call_parser is None, "the rule would be about nothing"


def test_slices_of_a_gpu_share_no_model() -> None:
    ranked = advise(CATALOG, CATALOG.accelerator("H100-MIG-3g.40gb"), 4, Asked(developers=4))
    assert {one.request.tensor_parallel for one in ranked} == {1}
    asked = values("fit", "Qwen3-8B", "--gpu", "H100-MIG-3g.40gb", "--count", "2", "--context", "32K")
    assert asked["verdict"] == "does_not_fit"
    assert "slices cannot share a model" in asked["problems"][0]


def test_nothing_below_the_floors_is_named_and_what_is_left_out_is_told() -> None:
    words = ("advise", "--gpu", "L40S", "--count", "4", "--developers", "20")
    for one in values(*words):
        assert one["speed"]["tokensPerSecondPerDeveloper"] >= 15
        assert one["speed"]["firstTokenSecondsCold30k"] <= 20
    shown = run(*words).output
    assert "left out: below 15 tokens/s for each developer" in shown
    faster = values(*words, "--min-speed", "30")
    assert 0 < len(faster) < len(values(*words))
    assert min(one["speed"]["tokensPerSecondPerDeveloper"] for one in faster) >= 30
    every = values(*words, "--min-speed", "0", "--max-first-token", "100000")
    assert len(every) > len(values(*words))


def test_for_a_team_no_desk_machine_of_a_few_tokens_a_second_comes_first() -> None:
    first = values("advise", "--developers", "20")[0]
    assert first["speed"]["tokensPerSecondPerDeveloper"] >= 15
    assert first["gpu"] not in ("GB10", "Jetson-AGX-Thor"), (
        "273 GB/s serve twenty developers 2 or 3 tokens/s each"
    )


def test_where_all_is_too_slow_the_fastest_is_named() -> None:
    done = run("advise", "--gpu", "GB10", "--developers", "100", "--min-speed", "400")
    assert done.exit_code == 1
    assert "models fit; the fastest, " in done.stderr
    assert "tokens/s to each of 100 developers" in done.stderr


def test_replicas_are_preferred_where_links_would_be_slower() -> None:
    replicas = {
        gpu: {
            one.model.name: one.replicas
            for one in advise(CATALOG, CATALOG.accelerator(gpu), 8, Asked(developers=20))
        }
        for gpu in ("H100", "H100-PCIe")
    }
    # 3 billion parameters at work: messages between more GPUs over PCI Express cost more than they save
    assert replicas["H100-PCIe"]["Qwen3-Coder-30B-A3B"] > replicas["H100"]["Qwen3-Coder-30B-A3B"]


def test_hardware_to_buy_is_proposed_hardware_in_servers_that_there_are() -> None:
    offered = values("advise", "--developers", "20")
    names = [one["gpu"] for one in offered]
    assert len(set(names)) == len(names)
    assert set(names) <= {gpu.name for gpu in CATALOG.accelerators if gpu.proposed}
    assert all(one["gpus"] <= CATALOG.accelerator(one["gpu"]).host.gpus_per_node for one in offered)
    first = offered[0]
    assert first["sessions"] >= 20, "the first row is the best model that holds the team"
    alone = values("advise", "--gpu", first["gpu"], "--count", str(first["gpus"]), "--developers", "20")[0]
    assert alone["model"] == first["model"]
    assert alone["sessions"] == first["sessions"]


def test_a_refusal_proposes_neither_slices_nor_more_gpus_than_a_server_has() -> None:
    answer = values(
        "fit", "zai-org/GLM-5.2-FP8", "--gpu", "L40S", "--max-num-seqs", "16", "--context", "128K"
    )
    bought = answer["changes"][-1]
    assert bought["setting"] == "hardware"
    # 694 GiB of weights: six desktop GB10 would have the memory, but a server with several of them does not exist
    assert bought["text"] == "--gpu B300 --tensor-parallel-size 4"


def test_the_table_of_hardware_says_what_it_counts() -> None:
    done = run("advise", "--gpu", "all", "--count", "1", "--developers", "2")
    assert done.exit_code == 0, done.output
    assert "1 × RTX-4090" in done.output
    assert "MIG" not in done.output
    assert "sessions and tokens/s of each for 2 developers" in done.output


def test_no_model_for_a_tiny_gpu_is_said_plainly() -> None:
    done = run("advise", "--gpu", "A100-40-MIG-1g.5gb")
    assert done.exit_code == 1
    assert "no model of the catalogue fits" in done.stderr


def test_fit_prints_the_verdict_the_band_and_the_bounds() -> None:
    done = run("fit", "Qwen/Qwen3.6-27B-FP8", "--gpu", "L40S", "--context", "64K", "--max-num-seqs", "16")
    assert done.exit_code == 0, done.output
    for told in ("fits", "at most, tokens/s", "bandwidth", "CUDA graphs", "28.74"):
        assert told in done.output
    answer = values(
        "fit", "Qwen/Qwen3.6-27B-FP8", "--gpu", "L40S", "--context", "64K", "--max-num-seqs", "16"
    )
    assert answer["verdict"] == "fits"
    assert answer["start"] is None
    assert answer["availableKvGibByStart"]["cold"] < answer["availableKvGibByStart"]["warm"]
    assert "after a cold start" in done.output
    # 864 GB/s over 26 GiB of weights that are read and 2.4 of cache is under 29 tokens a second
    assert 20 < answer["bounds"]["decodeTokensPerSecondOne"] < 29


def test_fit_sizes_the_start_that_it_is_told() -> None:
    asked = ("fit", "Qwen/Qwen3.6-27B-FP8", "--gpu", "L40S", "--context", "64K", "--max-num-seqs", "16")
    cold, warm = (values(*asked, "--start", kind) for kind in ("cold", "warm"))
    assert cold["prediction"]["available_kv_gib"] < warm["prediction"]["available_kv_gib"]
    assert "after a cold start" not in run(*asked, "--start", "cold").output, "one start is told, one is said"


def test_a_refusal_offers_what_would_fit() -> None:
    answer = values("fit", "gpt-oss-120b", "--gpu", "H100", "--vllm", "0.16.0")
    assert answer["verdict"] == "does_not_fit"
    # 65.97 GiB of weights and 7.3 for sampling 1024 sequences: fewer sequences alone leave 3 of the 5.07 needed, which
    # is room for the 2.5 of an FP8 cache
    first = answer["changes"][0]
    assert first["setting"] == "kv-cache-dtype"
    assert first["text"] == "--max-num-seqs 16 --kv-cache-dtype fp8"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("fit", "Qwen3.6-27BB", "--gpu", "L40S"), "did you mean"),
        (("fit", "Qwen3.6-27B", "--gpu", "L4OS"), "did you mean"),
        (("fit", "Qwen3.6-27B"), "Name the accelerator"),
        (("fit", "--gpu", "L40S"), "Name a MODEL"),
        (("fit", "Qwen3.6-27B", "--gpu", "L40S", "--context", "many"), "is not a token count"),
        (("fit", "Qwen3.6-27B", "--gpu", "L40S", "--count", "3", "-pp", "2"), "cannot be shared out"),
        (("advise", "--gpu", "L40S", "--context", "many"), "is not a token count"),
        (("advise", "--write", "stack.yaml"), "name them with --gpu"),
    ],
)
def test_bad_options_are_told_without_a_traceback(words: tuple[str, ...], told: str) -> None:
    done = run(*words)
    assert done.exit_code in (1, 2)
    assert told in done.stderr
    assert isinstance(done.exception, SystemExit)


def test_a_count_that_cannot_shard_and_a_context_beyond_the_model_are_refused() -> None:
    three = values("fit", "Qwen3.6-27B", "--gpu", "L40S", "--count", "3")
    assert three["verdict"] == "does_not_fit"
    assert any("4 KV heads" in problem for problem in three["problems"])
    long = values("fit", "Qwen3.6-27B", "--precision", "fp8", "--gpu", "H200", "--context", "1M")
    assert any("beyond the 262144" in problem for problem in long["problems"])


def test_a_change_names_nothing_that_it_does_without() -> None:
    answer = values(
        "fit", "Qwen/Qwen3.6-27B-FP8", "--gpu", "L40S", "--context", "224K", "--max-num-seqs", "32"
    )
    # 14.3 GiB of cache for one session, 8.2 are left: half of it fits, and fewer sequences would not have mattered
    assert answer["changes"][0]["text"] == "--kv-cache-dtype fp8"
    told = [change["text"] for change in answer["changes"]]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "Seed-OSS-36B", "--gpu", "H100", "--speculative-tokens", "3", "--context", "64K"),
        ("fit", "Qwen3.6-27B", "--gpu", "L4"),
        ("fit", "Qwen3.6-27B", "--gpu", "H100", "--count", "3"),
        ("fit", "Qwen3.6-27B", "--precision", "fp8", "--gpu", "L40S", "--max-num-batched-tokens", "512"),
        ("fit", "Qwen3-8B", "--gpu", "H100-MIG-3g.40gb", "--count", "2", "--context", "32K"),
        ("fit", "gemma-4-12B", "--gpu", "L4", "--images", "--context", "1M"),
        ("fit", "Qwen3-32B", "--gpu", "H100", "--gpu-memory-utilization", "0.995", "--max-num-seqs", "1024"),
    ],
    ids=" ".join,
)
def test_each_change_that_is_offered_makes_the_command_say_that_it_fits(words: tuple[str, ...]) -> None:
    changes = values(*words)["changes"]

    assert changes
    for change in changes:
        assert values(*words, *change["text"].split())["verdict"] == "fits", change["text"]


def test_explain_shows_terms_limit_and_what_would_help(tmp_path: Path) -> None:
    told = values("explain", "local", "--stacks", STACKS)["models"][0]
    assert told["fit"]["verdict"] == "fits"
    assert told["limit"].startswith("KV cache: ")
    text = Path(STACKS, "Pulumi.48gb.yaml").read_text(encoding="utf-8")
    assert "context: 65536" in text
    longer = text.replace("context: 65536", "context: 229376\n        kvCacheDtype: auto")
    (tmp_path / "Pulumi.long.yaml").write_text(longer, encoding="utf-8")
    long = values("explain", "long", "--stacks", str(tmp_path))["models"][0]
    assert long["fit"]["verdict"] == "does_not_fit"
    assert long["changes"][0]["setting"] == "kv-cache-dtype"
    done = run("explain", "long", "--stacks", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert "it would fit" in done.output


# The figures of Qwen3-32B's config.json.
CONFIG = {
    "model_type": "qwen3",
    "hidden_size": 5120,
    "num_hidden_layers": 64,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "intermediate_size": 25_600,
    "vocab_size": 151_936,
    "max_position_embeddings": 40_960,
    "tie_word_embeddings": False,
}


def test_a_config_json_is_sized_as_the_catalogue_sizes_the_same_model(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(CONFIG), encoding="utf-8")
    options = ("--gpu", "H100", "--context", "32K", "--max-num-seqs", "16")
    own = values("fit", "--config-json", str(file), *options)["prediction"]
    listed = values("fit", "Qwen3-32B", "--precision", "bf16", *options)["prediction"]
    assert own["kv_gib_per_request"] == listed["kv_gib_per_request"] == 8.0
    # 32.76 billion parameters of two bytes
    assert own["model_load_gib"] == pytest.approx(61.0, rel=0.01)
    assert own["available_kv_gib"] == pytest.approx(listed["available_kv_gib"], abs=0.3)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "it is not JSON"),
        ("[]", "is one object"),
        ('{"hidden_size": "big"}', "no whole number for hidden_size"),
        (json.dumps({**CONFIG, "num_experts": 8}), "num_experts_per_tok"),
        (json.dumps({**CONFIG, "vocab_size": -1}), "vocab_size"),
        (json.dumps({**CONFIG, "quantization_config": {"quant_method": "odd"}}), "precision 'odd'"),
    ],
)
def test_a_broken_config_json_is_told_with_its_place(tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(content, encoding="utf-8")
    done = run("fit", "--config-json", str(file), "--gpu", "H100")
    assert done.exit_code == 1
    assert told in done.stderr
    assert "Traceback" not in done.output
