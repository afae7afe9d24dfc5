"""A file of runs: every row is answered, with a prediction or with the reason why there is none."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from onprem_agents.advice.past_runs import COLUMNS, predict, request_of
from onprem_agents.catalog import load_catalog
from onprem_agents.cli import main
from onprem_agents.cli.fit import fit_command
from onprem_agents.cli.fit_cases import _BESIDE, _COLUMNS
from onprem_agents.sizing import accelerator_named

pytestmark = pytest.mark.unit

CATALOG = load_catalog()

# Settings and printed figures of public logs.
GPT_OSS = {  # a benchmark's log on 4 x A100 80 GB, vLLM 0.10.1.1
    "id": "a",
    "hf_id": "openai/gpt-oss-120b",
    "precision": "mxfp4",
    "gpu": "NVIDIA A100 80GB",
    "gpu_count": "4",
    "tp": "4",
    "vllm_version": "0.10.1.1",
    "max_model_len": "16384",
    "gpu_memory_utilization": "0.8",
    "max_num_batched_tokens": "2048",
}
QWEN_27B = {  # mitchross/talos-argocd-proxmox#1995
    "id": "b",
    "hf_id": "Qwen/Qwen3.6-27B",
    "precision": "fp8",
    "gpu": "NVIDIA RTX 3090",
    "gpu_count": "2",
    "kv_cache_dtype": "fp8_e4m3",
    "max_model_len": "131072",
    "gpu_memory_utilization": "0.92",
    "max_num_seqs": "2",
    "max_num_batched_tokens": "8192",
}


def answered(row: dict[str, str], **changes: str) -> dict[str, Any]:
    return predict({**row, **changes}, CATALOG)


def test_a_printed_pool_gives_the_printed_concurrency() -> None:
    assert answered(GPT_OSS, available_kv_gib="45.32")["max_concurrency_given_kv"] == pytest.approx(
        284.25, rel=1e-4
    )
    assert answered(QWEN_27B, available_kv_gib="4.99")["max_concurrency_given_kv"] == pytest.approx(
        2.31, abs=0.005
    )


def test_a_prediction_holds_every_figure_that_vllm_prints() -> None:
    answer = answered(GPT_OSS)
    assert answer["verdict"] == "fits"
    assert answer["model_load_gib"] == pytest.approx(17.22, rel=0.01)
    assert answer["available_kv_gib"] == pytest.approx(45.32, abs=1.0)
    assert answer["available_kv_gib_low"] < 45.32 < answer["available_kv_gib_high"]
    assert set(answer) == {
        "id", "verdict", "reason", "model_load_gib", "available_kv_gib", "available_kv_gib_low",
        "available_kv_gib_high", "kv_gib_per_request", "kv_cache_tokens", "max_concurrency", "est_max_len",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hf_id": ""}, "hf_id is empty"),
        ({"hf_id": "openai/gpt-oss-121b"}, "openai/gpt-oss-120b"),
        ({"precision": "int3"}, "precision is 'int3'"),
        ({"gpu": "some card"}, "with total_gpu_mem_gib filled"),
        ({"max_model_len": "many"}, "max_model_len is 'many'"),
        ({"max_num_seqs": "-3"}, "max_num_seqs is '-3'"),
        ({"max_num_seqs": "2.5"}, "max_num_seqs is '2.5': it is no whole number"),
        ({"gpu_memory_utilization": "92"}, "gpu_memory_utilization is '92'"),
        ({"kv_cache_dtype": "int4_per_token_head"}, "nothing is known of it (taken: auto, "),
        ({"gpu_count": "nan"}, "gpu_count is 'nan'"),
        ({"text_only": "perhaps"}, "text_only is 'perhaps': it is neither yes nor no"),
        ({"expert_parallel": "8"}, "expert_parallel is '8'"),
        ({"enable_prefix_caching": "on"}, "(taken: true, yes, 1, false, no, 0 or nothing)"),
        ({"start": "luke"}, "start is 'luke': nothing is known of it (taken: cold, warm or nothing)"),
        ({"other_memory_gib": "-1"}, "other_memory_gib is '-1': it is too small"),
        ({"block_size": "0"}, "block_size is '0': it is too small"),
        ({"max_model_len": "1e300"}, "max_model_len is '1e300': it is too large"),
        ({"total_gpu_mem_gib": "1e20"}, "it is too large (taken: a number of at least 1, at most 100000)"),
        ({"max_model_len": "128K"}, "max_model_len is '128K': it is no number"),
        ({"max_model_len": "1,024"}, "max_model_len is '1,024': it is no number"),
        ({"speculative_tokens": "-1"}, "speculative_tokens is '-1'"),
        ({"speculative_tokens": "3"}, "gpt-oss-120b has no layers of its own to draft with"),
    ],
)
def test_a_row_that_cannot_be_answered_says_why(changes: dict[str, str], words: str) -> None:
    answer = answered(GPT_OSS, **changes)
    assert answer["verdict"] is None
    assert words in answer["reason"]


def test_all_that_is_wrong_in_a_row_is_told_at_once() -> None:
    answer = answered(GPT_OSS, gpu="some card", tp="four", text_only="?")
    told = [(problem["where"], problem["found"]) for problem in answer["problems"]]
    assert told == [("tp", "'four'"), ("text_only", "'?'"), ("gpu", "'some card'")]
    assert answer["problems"][0]["fix"] == "taken: a whole number of at least 1, at most 100000000"


def test_the_settings_of_a_row_reach_the_sizing() -> None:
    told = {
        "text_only": "True", "speculative_tokens": "2", "expert_parallel": "yes", "enable_prefix_caching": "false",
        "block_size": "32", "start": "Cold", "other_memory_gib": "4.9",
    }  # fmt: skip
    request = request_of({**QWEN_27B, **told}, CATALOG)
    assert request.language_model_only
    assert request.speculative_tokens == 2
    assert request.expert_parallel
    assert request.prefix_caching is False
    assert (request.block_size, request.start, request.other_memory_gib) == (32, "cold", 4.9)
    blank = request_of({**QWEN_27B, **dict.fromkeys(told, "")}, CATALOG)
    assert (blank.language_model_only, blank.speculative_tokens, blank.expert_parallel) == (False, 0, False)
    assert blank.prefix_caching is None, "the default of the release"
    assert (blank.block_size, blank.start, blank.other_memory_gib) == (None, None, 0.0)


def test_a_column_of_drafted_tokens_counts_more_than_the_text_that_names_the_model() -> None:
    named = {"model": "Qwen3.6-27B-FP8 (MTP k=3)"}
    assert request_of({**QWEN_27B, **named}, CATALOG).speculative_tokens == 3
    assert request_of({**QWEN_27B, **named, "speculative_tokens": "0"}, CATALOG).speculative_tokens == 0


def test_one_bad_row_leaves_the_others_answered_and_is_named(tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    rows = [GPT_OSS, {**GPT_OSS, "id": "bad", "tp": "four", "driver": "580"}, QWEN_27B]
    names = sorted({name for row in rows for name in row})
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, names)
        writer.writeheader()
        writer.writerows(rows)
        lines.write("too,few\n" + ",".join(["many"] * (len(names) + 2)) + "\n")
    done = CliRunner().invoke(main, ["fit", "--cases", str(file), "--json"])
    assert done.exit_code == 1, "rows that cannot be read are told by the exit code"
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["verdict"] is None for answer in answers] == [False, True, False, True, True]
    assert answers[1]["line"] == 3
    assert answers[4]["reason"].startswith("2 cells stand beyond the last column")
    told = done.stderr.splitlines()
    assert told[0].endswith("these columns are not read: driver")
    assert told[1].endswith("3 of 5 rows cannot be answered:")
    assert told[2].startswith("  line 3 (bad): tp is 'four'")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"id,hf_id,gpu\n", "there is no run to answer"),
        (b"id,hf_id,gpu\n,,\n\n", "there is no run to answer"),
        (b"a,b\n1,2\n", "there is no column gpu or total_gpu_mem_gib"),
        (b"id;hf_id;gpu\na;Qwen/Qwen3-8B;L4\n", "cells are parted by commas, and here by semicolons"),
        (b"id\thf_id\tgpu\na\tQwen/Qwen3-8B\tL4\n", "cells are parted by commas, and here by tabs"),
        (b"id,hf_id,gpu,id\na,Qwen/Qwen3-8B,L4,b\n", "2 columns 'id'"),
    ],
)
def test_a_file_that_is_no_list_of_runs_is_refused_as_a_whole(
    tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "runs.csv"
    file.write_bytes(content)
    done = CliRunner().invoke(main, ["fit", "--cases", str(file)])
    assert done.exit_code == 1
    assert words in done.stderr


@pytest.mark.parametrize(
    ("text", "name", "total_gib"),
    [
        ("NVIDIA GeForce RTX 4090 (47.37 GiB)", "RTX-4090-48GB", 47.4),
        ("NVIDIA L40S", "L40S", 44.4),
        ("NVIDIA L4 24GB", "L4", 22.0),
        ("NVIDIA A10G 24GB", "A10G", 22.1),
        ("NVIDIA A100 40GB", "A100-40", 39.4),
        ("NVIDIA A100-SXM4-80GB", "A100-80", 79.2),
        ("RTX 5070 Ti 16GB + RTX 5090 D 32GB", "RTX-5070-Ti", 15.6),
    ],
)
def test_the_text_of_a_log_names_its_gpu(text: str, name: str, total_gib: float) -> None:
    # totals as logs of those GPUs print them
    gpu = accelerator_named(text, CATALOG.accelerators)
    assert gpu is not None
    assert gpu.total_gib == pytest.approx(total_gib, rel=0.02)
    assert gpu.name == name


@pytest.mark.parametrize(
    ("text", "name", "total_gib"),
    [
        # NVIDIA's MIG user guide: 4,864 MiB of 1g.5gb, 40,192 of 3g.40gb of an A100 with 80 GB
        ("A100 40GB MIG 1g.5gb", "A100-40-MIG-1g.5gb", 4.74),
        ("NVIDIA A100 80GB PCIe MIG 3g.40gb", "A100-80-MIG-3g.40gb", 39.24),
        ("B200 MIG 1g.23gb", "B200 MIG 1g.23gb", 21.9),  # in no list: 0.95 of what its name says
    ],
)
def test_a_slice_of_a_gpu_is_never_taken_for_the_card(text: str, name: str, total_gib: float) -> None:
    gpu = accelerator_named(text, CATALOG.accelerators)
    assert gpu is not None
    assert gpu.name == name
    assert gpu.total_gib == pytest.approx(total_gib, abs=0.06)
    assert gpu.mig is not None, "slices cannot share a model"


def test_the_memory_of_a_host_is_not_taken_for_that_of_its_gpu() -> None:
    gpu = accelerator_named("NVIDIA GH200 480GB", CATALOG.accelerators)
    assert gpu is not None
    assert gpu.total_gib == pytest.approx(94.5), "480 GB are those of the Grace processor"


def test_a_pipeline_over_unequal_gpus_is_cut_by_their_memory() -> None:
    text = "RTX 5070 Ti 16GB + RTX 5090 32GB"
    split, piped = (
        accelerator_named(text, CATALOG.accelerators, pipeline=pipeline) for pipeline in (False, True)
    )
    assert split is not None
    assert piped is not None
    assert split.total_gib == pytest.approx(15.47)
    assert piped.total_gib == pytest.approx(23.42), "half of 15.47 and 31.37"


def test_a_gpu_nobody_listed_is_sized_by_its_memory() -> None:
    gpu = accelerator_named("NVIDIA CMP 999X 64GB", CATALOG.accelerators)
    assert gpu is not None
    assert 62 < gpu.total_gib < 64


def cases(tmp_path: Path, content: str) -> tuple[int, list[dict[str, Any]], str]:
    """Return exit code, answers and standard error of a file with that content."""
    file = tmp_path / "runs.csv"
    file.write_bytes(content.encode())
    done = CliRunner().invoke(main, ["fit", "--cases", str(file)])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffid,hf_id,gpu\na,Qwen/Qwen3-8B,L4\n",  # as Excel saves "CSV UTF-8"
        "id,hf_id,gpu\r\na,Qwen/Qwen3-8B,L4\r\n",
        "id, hf_id ,gpu\na, Qwen/Qwen3-8B ,L4",
        '"id","hf_id","gpu"\n"a","Qwen/Qwen3-8B","L4"\n',
        "id,hf_id,gpu,,\na,Qwen/Qwen3-8B,L4,,\n,,,,\n\n",  # what spreadsheets leave at the edges
    ],
)
def test_what_editors_do_to_a_table_changes_no_answer(tmp_path: Path, content: str) -> None:
    code, answers, told = cases(tmp_path, content)
    assert (code, told) == (0, "")
    expected = {**predict({"id": "a", "hf_id": "Qwen/Qwen3-8B", "gpu": "L4"}, CATALOG), "line": 2}
    assert answers == [expected]


def test_a_row_about_what_nobody_knows_was_read_all_the_same(tmp_path: Path) -> None:
    code, answers, told = cases(tmp_path, "id,hf_id,gpu\na,,L4\nb,no/model,L4\nc,Qwen/Qwen3-8B,some card\n")
    assert code == 0
    assert [answer["problems"][0]["cause"] for answer in answers] == [
        "missing-key", "unknown-name", "unknown-name",
    ]  # fmt: skip
    assert "3 of 3 rows cannot be answered" in told


def test_rows_of_one_id_are_answered_and_told_apart_by_their_lines(tmp_path: Path) -> None:
    row = "a,Qwen/Qwen3-8B,L4\n"
    code, answers, told = cases(tmp_path, f"id,hf_id,gpu\n{row}\n{row}")
    assert (code, [answer["line"] for answer in answers]) == (0, [2, 4])
    assert "the id 'a' stands on the lines 2, 4" in told


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('a,Qwen/Qwen3-8B,"L4" 24GB', "a quote opens or closes within a cell"),
        ("a,Qwen/Qwen3-8B,L4,1,2", "2 cells stand beyond the last column"),
        ('a,Qwen/Qwen3-8B,"L4', "one that opens here is never closed"),
    ],
)
def test_a_row_whose_cells_cannot_be_told_apart_is_named_and_the_rest_is_answered(
    tmp_path: Path, row: str, words: str
) -> None:
    code, answers, told = cases(tmp_path, f"id,hf_id,gpu\nz,Qwen/Qwen3-8B,L4\n{row}\n")
    assert code == 1
    assert [(answer["line"], answer["verdict"] is None) for answer in answers] == [(2, False), (3, True)]
    assert words in answers[1]["reason"]
    assert "line 3" in told


def test_a_column_written_another_way_is_told_with_the_one_that_is_read(tmp_path: Path) -> None:
    _, _, told = cases(tmp_path, "id,hf_id,gpu,GPU_count,colour\na,Qwen/Qwen3-8B,L4,2,red\n")
    assert told.endswith("these columns are not read: GPU_count (did you mean gpu_count?), colour\n")


def test_settings_beside_a_file_of_runs_are_refused_with_their_columns() -> None:
    words = "fit Qwen3-8B --gpu L4 --count 2 --no-images --developers 3 --cases runs.csv"
    done = CliRunner().invoke(main, words.split())
    assert done.exit_code == 2
    told = done.stderr.rsplit("from the command: ", 1)[1].strip().split("; ")
    assert told == [
        "MODEL (column hf_id)", "--gpu (column gpu)", "--count (column gpu_count)", "--images (column text_only)",
        "--developers (leave it out)",
    ]  # fmt: skip


def test_every_setting_of_the_command_is_told_its_column_or_to_be_left_out() -> None:
    # What no row can tell: a config.json of one's own, and how fast it would be.
    left_out = {"config_json", "developers", *_BESIDE}
    named = {_COLUMNS.get(str(option.name), option.name) for option in fit_command.params}
    assert named - left_out <= set(COLUMNS)
    assert set(_COLUMNS) <= {option.name for option in fit_command.params}


@pytest.mark.parametrize("value", ["0", "1", "0.5", "99999", "100000000", "-100000"])
def test_no_number_that_is_taken_ends_the_answers(value: str) -> None:
    columns = (
        "gpu_count", "tp", "pp", "max_model_len", "gpu_memory_utilization", "max_num_seqs", "max_num_batched_tokens",
        "total_gpu_mem_gib", "speculative_tokens", "block_size", "other_memory_gib", "available_kv_gib",
    )  # fmt: skip
    for column in columns:
        assert json.loads(json.dumps(answered(QWEN_27B, **{column: value}), allow_nan=False))["id"] == "b"
