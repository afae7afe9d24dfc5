"""What vLLM's own planner said of every model of the catalogue, and how far our arithmetic is from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from onprem_agents.catalog import Model, load_catalog
from onprem_agents.sizing import CacheLayout, FitRequest
from onprem_agents.sizing.divisibility import tensor_parallel_problems
from onprem_agents.sizing.memory import layout_of
from tools.model_config import NOT_SERVED, config_of

FILE = Path(__file__).with_name("golden.json")
TENSOR_PARALLEL = (1, 2, 4, 8)
LIMIT = 0.01
"""How far a figure of ours may be from vLLM's."""
KV_CACHE_DTYPES = ("auto", "fp8")
_GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure as vLLM and as we say it; `what` is bytes, tokens or longest."""

    model: str
    plan: str
    what: str
    context_tokens: int
    vllm: int
    ours: int

    @property
    def difference(self) -> float:
        """Return the relative difference."""
        return abs(self.ours - self.vllm) / max(self.vllm, 1)


@cache
def committed() -> dict[str, Any]:
    """Return the committed golden values."""
    read: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return read


def contexts(model: Model) -> list[int]:
    """Return the three lengths a model is planned for: odd ones, so that rounding to blocks shows."""
    longest = model.architecture.max_context_tokens
    return [longest // 8 + 1, longest // 2 + 7, longest]


def question() -> dict[str, Any]:
    """Return what `plan.py` is asked."""
    return {
        "settings": {
            "tensor_parallel": TENSOR_PARALLEL,
            "kv_cache_dtype": KV_CACHE_DTYPES,
            "max_num_batched_tokens": 2048,
            "pool_gib": 40,
        },
        "models": [
            {"name": model.name, "config": config_of(model), "context_tokens": contexts(model)}
            for model in load_catalog().models
            if model.architecture.model_type not in NOT_SERVED
        ],
    }


def document(vllm: str, made: str, answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the golden file holds."""
    asked = question()
    classes = {each["name"]: each["config"]["architectures"][0] for each in asked["models"]}
    return {
        "vllm": vllm,
        "made": made,
        "gpu": "H100, pretended; see pretend.py",
        "settings": asked["settings"],
        "not_served": {
            model.name: NOT_SERVED[model.architecture.model_type]
            for model in load_catalog().models
            if model.architecture.model_type in NOT_SERVED
        },
        "models": [{"name": each["name"], "class": classes[each["name"]]} | each for each in answers],
    }


def write(golden: dict[str, Any]) -> None:
    """Write the golden file, a line for each model."""
    head = {name: value for name, value in golden.items() if name != "models"}
    models = ",\n".join(json.dumps(model, separators=(",", ":")) for model in golden["models"])
    text = json.dumps(head, indent=1).removesuffix("\n}") + ',\n "models": [\n' + models + "\n]\n}\n"
    FILE.write_text(text, encoding="utf-8")


def figures(golden: dict[str, Any]) -> Iterator[Figure]:
    """Return every figure of the golden values beside ours."""
    pool_gib = golden["settings"]["pool_gib"]
    for entry in golden["models"]:
        model = load_catalog().model(entry["name"])
        for name, plan in entry["plans"].items():
            if "refused" in plan:
                continue
            layout = _layout(golden, model, name, entry["batched_tokens"])
            for context, vllm_bytes, tokens in zip(
                contexts(model), plan["bytes"], plan["tokens"], strict=True
            ):
                ours = layout.blocks_per_request(context) * layout.bytes_per_block
                yield _figure(model, name, "bytes", context, vllm_bytes, ours)
                if tokens is not None:
                    printed = layout.printed_tokens(pool_gib, context, tokens_are_concurrency=True)
                    yield _figure(model, name, "tokens", context, tokens, printed)
            longest = layout.largest_context_tokens(pool_gib, contexts(model)[-1])
            yield _figure(model, name, "longest", contexts(model)[-1], plan["longest"], longest)


def refusals(golden: dict[str, Any]) -> Iterator[tuple[str, bool, bool]]:
    """Return for every plan its name, whether vLLM refused and whether we do."""
    for entry in golden["models"]:
        model = load_catalog().model(entry["name"])
        # The planned model is not quantised, so it has no blocks that a slice could cut.
        variant = model.variants[0].model_copy(update={"weight_block": None})
        for name, plan in entry["plans"].items():
            problems = tensor_parallel_problems(model, variant, int(name.split()[0]))
            yield f"{model.name} {name}", "refused" in plan, bool(problems)


def _layout(golden: dict[str, Any], model: Model, name: str, batched_tokens: int) -> CacheLayout:
    return layout_of(planned_request(model, name, vllm=golden["vllm"], batched_tokens=batched_tokens))


def planned_request(model: Model, plan: str, *, vllm: str, batched_tokens: int, **told: Any) -> FitRequest:
    """Return what we are asked of a plan such as "2 fp8": the pretended GPU, a checkpoint that names no KV dtype."""
    tensor_parallel, dtype = plan.split()
    return FitRequest(
        model=model,
        variant=model.variants[0].model_copy(update={"kv_cache_dtype": None}),
        accelerator=load_catalog().accelerator("H100"),
        tensor_parallel=int(tensor_parallel),
        context_tokens=contexts(model)[-1],
        max_num_seqs=16,
        kv_cache_dtype=dtype,
        max_num_batched_tokens=batched_tokens,
        gpu_memory_utilization=0.92,
        vllm=vllm,
        **told,
    )


def _figure(model: Model, plan: str, what: str, context: int, vllm: int, ours: int) -> Figure:
    return Figure(model=model.name, plan=plan, what=what, context_tokens=context, vllm=vllm, ours=ours)
