"""What the options of `onprem-agents fit` mean to the sizing engine, and that it then says what vLLM's planner says."""

from __future__ import annotations

from dataclasses import fields

import pytest

from onprem_agents.catalog import load_catalog
from onprem_agents.cli.fit import fit_command
from onprem_agents.sizing import FitRequest
from onprem_agents.sizing.memory import layout_of
from tests.planner import golden
from tests.unit.fit_words import request_of

pytestmark = pytest.mark.unit

_PLAIN = ("Qwen3-8B", "--gpu", "H100")
_SETTINGS = {field.name for field in fields(FitRequest)}


_CHANGES: list[tuple[str, dict[str, object]]] = [
    ("--count 2", {"tensor_parallel": 2}),
    ("--count 4 --tensor-parallel-size 2", {"tensor_parallel": 2}),
    ("--count 4 --pipeline-parallel-size 2", {"tensor_parallel": 2, "pipeline_parallel": 2}),
    ("--count 16", {"tensor_parallel": 8, "pipeline_parallel": 2}),  # two nodes of eight
    ("--count 4 --data-parallel-size 4", {"data_parallel": 4}),
    ("--enable-expert-parallel", {"expert_parallel": True}),
    ("--max-model-len 32K", {"context_tokens": 32_768}),
    ("--context 32768", {"context_tokens": 32_768}),
    ("--max-num-seqs 7", {"max_num_seqs": 7, "max_num_seqs_told": True}),
    ("--max-num-batched-tokens 4096", {"max_num_batched_tokens": 4096}),
    ("--gpu-memory-utilization 0.81", {"gpu_memory_utilization": 0.81}),
    ("--kv-cache-dtype fp8", {"kv_cache_dtype": "fp8"}),
    ("--speculative-tokens 3", {"speculative_tokens": 3}),
    ("--enforce-eager", {"enforce_eager": True}),
    ("--enable-prefix-caching", {"prefix_caching": True}),
    ("--no-enable-prefix-caching", {"prefix_caching": False}),
    ("--images", {"language_model_only": False}),
    ("--start cold", {"start": "cold"}),
    ("--vllm 0.20.2", {"vllm": "0.20.2"}),
    ("--vllm any", {"vllm": None}),
]
# What chooses model and GPU, asks for something else than a size, or is about the answer.
_NO_SETTING = {"model", "gpu", "precision", "config_json", "developers", "cases", "as_json"}


def test_a_command_asks_for_what_vllms_planner_was_asked_and_gets_its_figures() -> None:
    committed = golden.committed()
    batch = str(committed["settings"]["max_num_batched_tokens"])
    off = []
    for entry in committed["models"]:
        model = load_catalog().model(entry["name"])
        context = golden.contexts(model)[-1]
        for name, plan in entry["plans"].items():
            if "refused" in plan:
                continue
            gpus, dtype = name.split()
            # The planner was given no checkpoint; one that names its own dtype is told BF16 in so many words.
            own = dtype == "auto" and model.variants[0].kv_cache_dtype is not None
            request = request_of(
                *(model.name, "--gpu", "H100", "--count", gpus, "--vllm", committed["vllm"]),
                *("--kv-cache-dtype", "bfloat16" if own else dtype, "--max-num-batched-tokens", batch),
                *("--max-num-seqs", "16", "--max-model-len", str(context)),
            )
            layout = layout_of(request)
            ours = layout.blocks_per_request(request.context_tokens) * layout.bytes_per_block
            if abs(ours / plan["bytes"][-1] - 1) > golden.LIMIT:
                off.append((model.name, name, plan["bytes"][-1], ours))
    assert off == []


@pytest.mark.parametrize(("words", "changes"), _CHANGES)
def test_an_option_changes_its_field_alone(words: str, changes: dict[str, object]) -> None:
    plain, told = request_of(*_PLAIN), request_of(*_PLAIN, *words.split())
    changed = {name: getattr(told, name) for name in _SETTINGS if getattr(told, name) != getattr(plain, name)}
    assert changed == changes


def test_every_option_of_the_command_is_tried_above() -> None:
    tried = {word for words, _ in _CHANGES for word in words.split()}
    missed = [
        option.name
        for option in fit_command.params
        if not tried & {*option.opts, *option.secondary_opts} and option.name not in _NO_SETTING
    ]
    assert missed == []


def test_vllms_own_number_of_sequences_is_never_more_than_the_batch_has_tokens() -> None:
    # vLLM 0.33.0, engine/arg_utils.py: 1024 for an H100, lowered to max_num_batched_tokens
    assert request_of(*_PLAIN, "--max-num-batched-tokens", "512").max_num_seqs == 512
    assert request_of(*_PLAIN, "--max-num-batched-tokens", "4096").max_num_seqs == 1024


def test_a_named_checkpoint_is_the_one_of_several_in_its_precision() -> None:
    model = next(
        model
        for model in load_catalog().models
        if [one.precision for one in model.variants].count("int4") > 1
    )
    later = [one for one in model.variants if one.precision == "int4"][1]
    assert request_of(later.hf_id, "--gpu", "H100", "--precision", "int4").variant == later
