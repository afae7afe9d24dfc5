"""Runs in vLLM's Python: reads models on standard input and prints what vLLM's own planner says of each.

Input: one JSON object with `settings` and `models`, a list of {name, config, context_tokens}. Output: a line of
JSON for each model, {name, batched_tokens, plans}, where `plans` holds for "TP KV-DTYPE" either `refused` with vLLM's
sentence or `bytes` of one request for each context, `tokens` that a pool of `pool_gib` is said to hold (null where
vLLM would not start) and `longest`, the longest context that starts with it.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

# A script finds its neighbours in its own folder.
from pretend import (  # type: ignore[import-not-found]
    meta_device,
    pretend_a_gpu,
    pretend_ranks,
)

_GIB = 2**30
Plan = dict[str, Any]


def main() -> None:
    asked = json.load(sys.stdin)
    answers = sys.stdout
    with contextlib.redirect_stdout(io.StringIO()):
        pretend_a_gpu()
        for model in asked["models"]:
            print(json.dumps(_plans(model, asked["settings"])), file=answers, flush=True)


def _plans(model: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    plans: dict[str, Plan] = {}
    batched = 0
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(model["config"]), encoding="utf-8")
        for tensor_parallel in settings["tensor_parallel"]:
            for dtype in settings["kv_cache_dtype"]:
                try:
                    plan, batched = _plan(folder, tensor_parallel, dtype, model["context_tokens"], settings)
                except (ValueError, AssertionError) as error:
                    plan = {"refused": _sentence(error)}
                plans[f"{tensor_parallel} {dtype}"] = plan
    return {"name": model["name"], "batched_tokens": batched, "plans": plans}


def _sentence(error: Exception) -> str:
    """Return what vLLM said, or the assertion that failed; pydantic wraps words in lines of its own."""
    if not str(error):
        return str(traceback.extract_tb(error.__traceback__)[-1].line)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith("Value error, ")), lines[0] if lines else "")
    return said.removeprefix("Value error, ").partition(" [type=")[0]


def _plan(
    folder: str, tensor_parallel: int, dtype: str, contexts: list[int], settings: dict[str, Any]
) -> tuple[Plan, int]:
    from vllm.config import set_current_vllm_config
    from vllm.engine.arg_utils import EngineArgs
    from vllm.model_executor.model_loader.utils import initialize_model
    from vllm.platforms import current_platform
    from vllm.utils.torch_utils import set_default_torch_dtype
    from vllm.v1.worker.gpu.attn_utils import get_kv_cache_spec

    pretend_ranks(tensor_parallel)
    config = EngineArgs(
        model=folder,
        skip_tokenizer_init=True,
        load_format="dummy",
        dtype="bfloat16",
        tensor_parallel_size=tensor_parallel,
        distributed_executor_backend="mp",
        kv_cache_dtype=dtype,
        max_num_batched_tokens=settings["max_num_batched_tokens"],
        max_num_seqs=16,
        max_model_len=contexts[-1],
        enforce_eager=True,
    ).create_engine_config()
    with set_current_vllm_config(config), set_default_torch_dtype(config.model_config.dtype), meta_device():
        initialize_model(vllm_config=config, model_config=config.model_config)
        current_platform.update_block_size_for_backend(config)
        specs = get_kv_cache_spec(config)
        return _count(config, specs, contexts, settings["pool_gib"] * _GIB), int(
            config.scheduler_config.max_num_batched_tokens
        )


def _count(config: Any, specs: dict[str, Any], contexts: list[int], pool_bytes: int) -> Plan:
    from vllm.distributed.kv_transfer.kv_connector.utils import get_current_attn_backends
    from vllm.v1.attention.backends.utils import get_supported_kv_cache_layouts, resolve_kv_cache_layout
    from vllm.v1.core import kv_cache_utils as planner
    from vllm.v1.core.single_type_kv_cache_manager import register_all_kvcache_specs

    register_all_kvcache_specs(config)
    layouts = [layout.name for layout in get_supported_kv_cache_layouts(get_current_attn_backends(config))]
    resolve_kv_cache_layout(config, [layouts], list(specs.values()))
    counted: list[int] = []
    tokens: list[int | None] = []
    for context in contexts:
        config.model_config.max_model_len = context
        groups = planner.get_kv_cache_groups(config, dict(specs))
        counted.append(planner._max_memory_usage_bytes_from_groups(config, groups))
        try:
            cache = planner.get_kv_cache_configs(config, [dict(specs)], [pool_bytes])[0]
            tokens.append(planner.get_kv_cache_capacity(config, cache)[0])
        except ValueError:
            tokens.append(None)
    usable = pool_bytes - planner._pool_bytes_per_block(config, groups)
    longest = planner._estimate_max_model_len_from_groups(config, groups, usable)
    return {"bytes": counted, "tokens": tokens, "longest": longest}


if __name__ == "__main__":
    main()
