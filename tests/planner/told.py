"""What vLLM's planner and classes say where a setting is told, and of models with eyes; and what we say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from onprem_agents.catalog import load_catalog
from onprem_agents.sizing.memory import layout_of
from tests.planner.golden import Figure, contexts, planned_request
from tests.planner.towers import SEEING, seeing_config_of
from tools.model_config import config_of

FILE = Path(__file__).with_name("told.json")
MODELS = (
    "Qwen3-8B",  # full attention
    "gemma-3-4b",  # full and sliding
    "gpt-oss-20b",  # the same with few layers of each
    "Llama-4-Scout",  # chunks
    "GLM-4.7-Flash",  # latent
    "Qwen3.5-27B",  # gated delta nets
    "Nemotron-Nano-9B-v2",  # Mamba 2
)
"""One model of each kind whose cache depends on batch, block or prefix caching in a way of its own."""
SETTINGS: dict[str, dict[str, Any]] = {
    "batches of 8192": {"max_num_batched_tokens": 8192},
    "batches of 16384": {"max_num_batched_tokens": 16384},
    "blocks of 32": {"block_size": 32},
    "blocks of 128": {"block_size": 128},
    "no prefix caching": {"enable_prefix_caching": False},
}
"""What is told, by a name of its own."""
SEEING_ELSEWHERE = ("0.20.2", "0.22.1", "0.33.0")
"""Other releases that are asked of Gemma: 0.22 was the first to raise a batch."""
_GEMMA = ("gemma-3-4b", "gemma-4-31B")
EXPLICIT_BATCHES = (2048, 8192)
SEEING_CONTEXT_TOKENS = 32_768
_POOL_GIB = 40
_SIZES = (1, 2)


@cache
def committed() -> dict[str, Any]:
    """Return the committed answers."""
    read: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return read


def questions() -> dict[str, dict[str, Any]]:
    """Return what `plan.py` is asked, by what is told."""
    return {name: _question(dict(told)) for name, told in SETTINGS.items()}


def _question(told: dict[str, Any]) -> dict[str, Any]:
    batched = told.pop("max_num_batched_tokens", 2048)
    return {
        "settings": {
            "tensor_parallel": _SIZES,
            "kv_cache_dtype": ("auto", "fp8"),
            "max_num_batched_tokens": batched,
            "pool_gib": _POOL_GIB,
            "more": told,
        },
        "models": [
            {"name": model.name, "config": config_of(model), "context_tokens": contexts(model)}
            for model in map(load_catalog().model, MODELS)
        ],
    }


def seeing_question(python_files: Path | None = None) -> dict[str, Any]:
    """Return what `see.py` is asked: of all families, or of Gemma where another release's files are told."""
    other = {} if python_files is None else {"python_files": str(python_files)}
    return {
        **other,
        "tensor_parallel": _SIZES,
        "explicit": EXPLICIT_BATCHES,
        "models": [
            {
                "name": name,
                "config": seeing_config_of(load_catalog().model(name)),
                "context_tokens": SEEING_CONTEXT_TOKENS,
            }
            for name in (SEEING if python_files is None else _GEMMA)
        ],
    }


def write(
    vllm: str,
    made: str,
    told: dict[str, Any],
    seeing: list[dict[str, Any]],
    seeing_elsewhere: dict[str, Any],
) -> None:
    """Write the file, a line for each model."""
    head = json.dumps({"vllm": vllm, "made": made}, indent=1).removesuffix("\n}")
    text = (
        head
        + f',\n "told": {{\n{_parts(told)}\n }}'
        + f',\n "seeing": [\n{_lines(seeing)}\n ]'
        + f',\n "seeing_elsewhere": {{\n{_parts(seeing_elsewhere)}\n }}\n}}\n'
    )
    FILE.write_text(text, encoding="utf-8")


def _parts(named: dict[str, Any]) -> str:
    return ",\n".join(f'  "{name}": [\n{_lines(answers)}\n  ]' for name, answers in named.items())


def _lines(answers: list[dict[str, Any]]) -> str:
    return ",\n".join(json.dumps(answer, separators=(",", ":")) for answer in answers)


def figures(answers: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    """Return what was told and each figure beside ours."""
    for told, entries in answers["told"].items():
        for entry in entries:
            model = load_catalog().model(entry["name"])
            for name, plan in entry["plans"].items():
                if "bytes" in plan:
                    request = planned_request(
                        model,
                        name,
                        vllm=answers["vllm"],
                        batched_tokens=entry["batched_tokens"],
                        block_size=SETTINGS[told].get("block_size"),
                        prefix_caching=SETTINGS[told].get("enable_prefix_caching"),
                    )
                    layout = layout_of(request)
                    for context, theirs in zip(contexts(model), plan["bytes"], strict=True):
                        ours = layout.blocks_per_request(context) * layout.bytes_per_block
                        yield (
                            told,
                            Figure(
                                model=model.name,
                                plan=name,
                                what="bytes",
                                context_tokens=context,
                                vllm=theirs,
                                ours=ours,
                            ),
                        )
