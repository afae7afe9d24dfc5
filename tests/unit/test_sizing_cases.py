"""A file of runs: every row is answered, with a prediction or with the reason why there is none."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from onprem_agents.advice.past_runs import predict
from onprem_agents.catalog import load_catalog
from onprem_agents.cli import main
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
        ({"precision": "int3"}, "precision 'int3'"),
        ({"gpu": "some card"}, "fill total_gpu_mem_gib"),
        ({"max_model_len": "many"}, "max_model_len is 'many'"),
        ({"max_num_seqs": "-3"}, "max_num_seqs is -3"),
        ({"gpu_memory_utilization": "92"}, "gpu_memory_utilization 92"),
        ({"kv_cache_dtype": "int4_per_token_head"}, "not modelled"),
        ({"gpu_count": "nan"}, "gpu_count is 'nan'"),
    ],
)
def test_a_row_that_cannot_be_answered_says_why(changes: dict[str, str], words: str) -> None:
    answer = answered(GPT_OSS, **changes)
    assert answer["verdict"] is None
    assert words in answer["reason"]


def test_one_bad_row_leaves_the_others_answered(tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    rows = [GPT_OSS, {**GPT_OSS, "id": "bad", "tp": "four"}, QWEN_27B]
    names = sorted({name for row in rows for name in row})
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, names)
        writer.writeheader()
        writer.writerows(rows)
        lines.write("too,few\n")
    done = CliRunner().invoke(main, ["fit", "--cases", str(file), "--json"])
    assert done.exit_code == 0, done.output
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["verdict"] is None for answer in answers] == [False, True, False, True]


@pytest.mark.parametrize(
    ("content", "words"), [(b"\xff\xfe", "cannot be read as CSV"), (b"a,b\n1,2\n", "no column 'id'")]
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
