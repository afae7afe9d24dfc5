"""Every way out is a setting of the stack that exists, and with it the problem is gone."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan import plan_stack

pytestmark = pytest.mark.unit

RAW: dict[str, Any] = {
    "hardware": {"accelerator": "H100", "gpusPerNode": 2, "nodes": 4},
    "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8"}],
    "access": {"host": "agents.example.internal", "tls": {"issuer": "ca"}, "developers": {"alice": {}}},
}
STEP = re.compile(r"set (platform\.\S+) to (\S+)|leave out (platform\.\S+)")


def stack(model: str, gpu: str = "H100", *, gpus: int = 2, vllm: str | None = None, **role: object) -> Any:
    raw = copy.deepcopy(RAW)
    raw["hardware"].update(accelerator=gpu, gpusPerNode=gpus)
    raw["models"][0].update(model=model, **role)
    if vllm is not None:
        raw["serving"] = {"vllm": vllm}
    return raw


WRONG: dict[str, Any] = {
    "speculation without draft layers": stack("Seed-OSS-36B", speculativeTokens=3),
    "speculation that nobody described": stack("GLM-4.5-Air", speculativeTokens=1, gpus=8),
    "speculation on a slice": stack("Qwen3-8B", "H100-MIG-3g.40gb", speculativeTokens=2),
    "three GPUs for four KV heads": stack("Qwen3.6-27B", tensorParallel=3, gpus=4),
    "two slices together": stack("Qwen3-8B", "H100-MIG-3g.40gb", tensorParallel=2),
    "a batch below the sequences": stack("Qwen3-32B", maxNumSeqs=1024, maxNumBatchedTokens=512),
    "a batch below a block": stack("Qwen3.6-27B", vllm="0.26.0", maxNumBatchedTokens=512),
    "nothing left outside the budget": stack("Qwen3-8B", "L4", maxNumSeqs=1024, gpuMemoryUtilization=0.98),
    "too little of the GPU": stack("Qwen/Qwen3.6-27B-FP8", "L40S", gpus=1, gpuMemoryUtilization=0.5),
    "a context beyond the model": stack("Qwen3-32B", context=1_000_000),
    "a context that finds no room": stack(
        "Qwen3.6-27B",
        "H100",
        gpus=1,
        precision="bf16",
        context=262_144,
        kvCacheDtype="auto",
        gpuMemoryUtilization=0.85,
    ),
    "weights beyond the GPU": stack("Qwen3.6-27B", "L40S", gpus=1, precision="bf16"),
    "weights beyond the node": stack("zai-org/GLM-5.2-FP8", gpus=8),
    "a precision that the GPU lacks": stack("gpt-oss-120b", "T4"),
    "a precision that there is not": stack("Qwen/Qwen3.6-27B", precision="mxfp4"),
    "another precision of Seed-OSS": stack("Seed-OSS-36B", "L40S", precision="nvfp4", speculativeTokens=3),
    "a KV cache that the model does not take": stack(
        "DeepSeek-V4-Flash", "H200", gpus=4, kvCacheDtype="auto"
    ),
    "sessions beyond the replicas": stack("Qwen/Qwen3.6-27B-FP8", sessions=400, replicas=1),
    "sessions beyond any replicas": stack("Qwen/Qwen3.6-27B-FP8", sessions=4096, replicas=1, maxNumSeqs=4),
    "sessions beyond the sequences": stack("Qwen/Qwen3.6-27B-FP8", sessions=20, replicas=1, maxNumSeqs=2),
    "a parser that there is not": stack("Qwen3-32B", toolCallParser="qwen4"),
    "a reasoning parser that there is not": stack("Qwen3-32B", reasoningParser="deepseek_r9"),
    "a release before the model": stack("google/gemma-4-12B-it-qat-w4a16-ct", vllm="0.9.2"),
    "a quantisation that is gone": stack("unsloth/phi-4-bnb-4bit", toolCallParser="hermes"),
    "a model that calls no tools": stack("Phi-4"),
    "an old model that calls no tools": stack("gemma-2-27b"),
    "a distilled model that calls no tools": stack("DeepSeek-R1-Distill-Qwen-32B", "L40S", context=65_536),
    "everything at once": stack(
        "Seed-OSS-36B",
        "L4",
        gpus=1,
        context=600_000,
        speculativeTokens=3,
        maxNumBatchedTokens=256,
        maxNumSeqs=512,
        gpuMemoryUtilization=0.97,
    ),
}


def problems(raw: object) -> dict[str, Problem]:
    try:
        plan_stack(raw, stack="test")
    except InvalidInput as error:
        return {problem.where: problem for problem in error.problems}
    return {}


def applied(raw: Any, way: str) -> Any:
    """Return the settings with one way out carried out as it is written."""
    steps = STEP.findall(way)
    assert steps, f"nothing to set: {way}"
    told = re.sub(r" \([^)]*\)", "", STEP.sub("", way)).replace(" and ", "").strip()
    assert not told, f"more words than settings: {way!r} leaves {told!r}"
    changed = copy.deepcopy(raw)
    for key, value, gone in steps:
        *path, last = re.findall(r"[A-Za-z]+|\d+", (key or gone).removeprefix("platform."))
        node = changed
        for part in path:
            node = node[int(part)] if part.isdigit() else node.setdefault(part, {})
        if gone:
            del node[last]
        else:
            node[last] = _value(value)
    return changed


def _value(text: str) -> str | int | float:
    if text.isdigit():
        return int(text)
    return float(text) if re.fullmatch(r"\d+\.\d+", text) else text


@pytest.mark.parametrize("name", WRONG)
def test_every_way_out_that_is_named_ends_the_problem(name: str) -> None:
    raw = WRONG[name]
    found = problems(raw)

    assert found, "the settings are wrong, yet they are planned"
    for where, problem in found.items():
        if where == "platform.hardware":
            continue  # the replicas of a role that was refused are no fault of their own
        for way in re.split("; or ", problem.fix):
            left = problems(applied(raw, way))
            same = left.get(where)
            assert same is None or same.why != problem.why, f"{where}: {way} leaves {same}"


@pytest.mark.parametrize("name", WRONG)
def test_no_account_of_memory_is_printed_without_terms(name: str) -> None:
    for problem in problems(WRONG[name]).values():
        assert not re.search(r": +of \d", problem.found)
        assert "_tokens" not in problem.fix, "stack keys are written in camel case"
