"""What the planners of older vLLM releases said of one model of each kind, and how far our arithmetic is from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from onprem_agents.catalog import Model, load_catalog
from onprem_agents.sizing import release_rules
from onprem_agents.sizing.memory import layout_of
from onprem_agents.vllm import version_key
from tests.planner.golden import Figure, contexts, planned_request
from tests.planner.towers import seeing_config_of
from tools.model_config import NOT_SERVED, Config, config_of

FILE = Path(__file__).with_name("releases.json")
RELEASES = ("0.20.2", "0.22.1", "0.25.1", "0.28.0", "0.33.0")
"""Those between which the planner changed; `golden.json` has 0.32.0. All run with the PyTorch of that release."""
POOL_GIB = 40
SETTINGS: dict[str, Any] = {
    "tensor_parallel": (1, 2),
    "kv_cache_dtype": ("auto", "fp8"),
    "max_num_batched_tokens": 2048,
    "pool_gib": POOL_GIB,
}
# What a release reads of every checkpoint of this kind: 0.20 of DeepSeek V4, 0.33 of Step 3.7.
_OWN: dict[str, Config] = {
    "step3p7": {
        "use_moe_router_bias": True,
        "need_fp32_gate": True,
        "norm_expert_weight": True,
        "moe_router_scaling_factor": 3.0,
        "swiglu_limits": None,
        "swiglu_limits_shared": None,
    },
    "deepseek_v4": {
        "quantization_config": {
            "quant_method": "fp8",
            "activation_scheme": "dynamic",
            "weight_block_size": [128, 128],
            "fmt": "e4m3",
            "scale_fmt": "ue8m0",
        }
    },
}
# Kinds that a release before this one reads with their tower alone.
_SEEING_ALONE = {"qwen3_5": "0.28.0", "qwen3_5_moe": "0.28.0"}


@cache
def committed() -> dict[str, Any]:
    """Return the committed answers."""
    read: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return read


def kind_of(model: Model) -> str:
    """Return what tells how a planner treats a model: its one kind of layers, else its architecture."""
    groups = model.architecture.attention
    alike = {group.kind for group in groups if not getattr(group, "index_head_dim", 0)}
    plain = len(groups) == len(alike) == 1 and alike <= {"full", "latent"}
    return alike.pop() if plain else model.architecture.model_type


def models_of(release: str) -> list[Model]:
    """Return the first model of each kind that the catalogue says the release can serve."""
    kinds: dict[str, Model] = {}
    for model in load_catalog().models:
        served = version_key(model.min_vllm) <= version_key(release)
        if served and model.architecture.model_type not in NOT_SERVED:
            kinds.setdefault(kind_of(model), model)
    return list(kinds.values())


def question(release: str, python_files: Path) -> dict[str, Any]:
    """Return what `plan.py` is asked of a release."""
    return {
        "python_files": str(python_files),
        "settings": SETTINGS,
        "models": [
            {"name": model.name, "config": _config_of(model, release), "context_tokens": contexts(model)}
            for model in models_of(release)
        ],
    }


def _config_of(model: Model, release: str) -> Config:
    kind = model.architecture.model_type
    seeing = kind in _SEEING_ALONE and version_key(release) < version_key(_SEEING_ALONE[kind])
    return (seeing_config_of(model) if seeing else config_of(model)) | _OWN.get(kind, {})


def write(made: str, answers: dict[str, list[dict[str, Any]]]) -> None:
    """Write the file, a line for each model."""
    parts = []
    for release, models in answers.items():
        lines = ",\n".join(json.dumps(model, separators=(",", ":")) for model in models)
        parts.append(f' "{release}": [\n{lines}\n]')
    head = json.dumps({"made": made, "settings": SETTINGS}, indent=1).removesuffix("\n}")
    text = head + ',\n "releases": {\n' + ",\n".join(parts) + "\n}\n}\n"
    FILE.write_text(text, encoding="utf-8")


def figures(release: str, answers: list[dict[str, Any]]) -> Iterator[Figure]:
    """Return every figure of a release beside ours."""
    rules = release_rules(release)
    for entry in answers:
        model = load_catalog().model(entry["name"])
        for name, plan in entry["plans"].items():
            if "bytes" not in plan:
                continue
            request = planned_request(model, name, vllm=release, batched_tokens=entry["batched_tokens"])
            layout = layout_of(request)
            asked = contexts(model)
            for context, theirs, tokens in zip(asked, plan["bytes"], plan["tokens"], strict=True):
                ours = layout.blocks_per_request(context) * layout.bytes_per_block
                yield Figure(
                    model=model.name, plan=name, what="bytes", context_tokens=context, vllm=theirs, ours=ours
                )
                if tokens is not None:
                    printed = layout.printed_tokens(POOL_GIB, context, rules.tokens_are_concurrency)
                    yield Figure(
                        model=model.name,
                        plan=name,
                        what="tokens",
                        context_tokens=context,
                        vllm=tokens,
                        ours=printed,
                    )
            longest = layout.largest_context_tokens(POOL_GIB, asked[-1])
            yield Figure(
                model=model.name,
                plan=name,
                what="longest",
                context_tokens=asked[-1],
                vllm=plan["longest"],
                ours=longest,
            )
