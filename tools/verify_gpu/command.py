"""The plan of one checkpoint on this machine, and its command with what a start without weights needs changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from embedded.ports import LOOPBACK
from onprem_agents.catalog import Model, Variant
from onprem_agents.errors import InvalidInput
from onprem_agents.plan import ServingPlan, plan_stack
from onprem_agents.sizing import FitRequest
from onprem_agents.vllm import ServeFlags, nearest_release, to_argv
from tools.verify_gpu.machine import Machine

Temperature = Literal["cold", "warm"]

# What needs the checkpoint's own files: its tokenizer's markers, its template. None of it takes memory of the GPU.
_OF_THE_CHECKPOINT = (
    "chat_template",
    "chat_template_content_format",
    "config_format",
    "default_chat_template_kwargs",
    "enable_auto_tool_choice",
    "middleware",
    "reasoning_config",
    "reasoning_parser",
    "tokenizer_mode",
    "tool_call_parser",
)


def planned(model: Model, variant: Variant, machine: Machine) -> ServingPlan | None:
    """Return what a stack with that checkpoint alone plans on this machine, None where it refuses."""
    # The id that a checkpoint shares with its model leaves the choice to the plan.
    precision = {"precision": variant.precision} if variant.hf_id == model.hf_id else {}
    raw: dict[str, Any] = {
        "hardware": {"accelerator": machine.accelerator.name, "gpusPerNode": machine.gpus, "nodes": 1},
        "serving": {"vllm": machine.vllm.version},
        "models": [{"role": "coder", "model": variant.hf_id, **precision}],
        "access": {
            "host": "agents.example.internal",
            "tls": {"secretName": "agents-tls"},
            "developers": {"alice": {}},
        },
    }
    try:
        return plan_stack(raw, stack="verify").serving[0]
    except InvalidInput:
        return None


def request_of(plan: ServingPlan, machine: Machine, start: Temperature) -> FitRequest:
    """Return what the engine is asked: the plan's request, on the memory that this GPU has, at that start."""
    if plan.fit.memory is None:
        raise ValueError(f"{plan.variant.hf_id}: a plan without memory")
    request = plan.fit.memory.request
    return replace(request, accelerator=machine.accelerator, vllm=machine.vllm.version, start=start)


def flags_here(plan: ServingPlan, folder: Path, port: int) -> ServeFlags:
    """Return the plan's flags with a model folder, an address and no weights."""
    without: dict[str, Any] = dict.fromkeys(_OF_THE_CHECKPOINT)
    return replace(plan.flags, model=str(folder), host=LOOPBACK, port=port, load_format="dummy", **without)


def argv_here(flags: ServeFlags, version: str) -> tuple[str, ...]:
    """Return the arguments after `vllm serve` for that release."""
    return to_argv(flags, nearest_release(version).release)


def changed_words(plan: ServingPlan, flags: ServeFlags) -> list[str]:
    """Return the fields in which the command that was run differs from the plan's."""
    before, after = plan.flags.given(), flags.given()
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
