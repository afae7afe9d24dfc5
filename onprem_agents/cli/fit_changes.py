"""Changes that were sized, as options of `onprem-agents fit`."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.sizing import Change
from onprem_agents.sizing.refusals import Setting

_OPTIONS: dict[Setting, str] = {
    "tensor_parallel": "--tensor-parallel-size",
    "context_tokens": "--max-model-len",
    "max_num_seqs": "--max-num-seqs",
    "max_num_batched_tokens": "--max-num-batched-tokens",
    "kv_cache_dtype": "--kv-cache-dtype",
    "gpu_memory_utilization": "--gpu-memory-utilization",
    "speculative_tokens": "--speculative-tokens",
}


_HEADLINES: dict[Setting, str] = {"accelerator": "hardware", "variant": "precision"}


def headline(setting: Setting) -> str:
    """Return the setting that a change is known by, spelled as vLLM's flag where there is one."""
    return _HEADLINES.get(setting) or _OPTIONS.get(setting, setting.replace("_", "-")).removeprefix("--")


def as_options(change: Change) -> str:
    """Return the options to add to the command, or to give in place of what it says."""
    return " ".join(_told(change))


def _told(change: Change) -> Iterator[str]:
    request = change.request
    for setting in change.settings:
        if setting == "accelerator":
            yield f"--gpu {request.accelerator.name}"
        elif setting == "variant":
            yield f"--precision {request.variant.hf_id}"
        elif setting == "language_model_only":
            yield "--no-images"
        elif setting in _OPTIONS:
            yield f"{_OPTIONS[setting]} {getattr(request, setting)}"
