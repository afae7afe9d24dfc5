"""Runs in vLLM's Python: reads models on standard input and prints what vLLM's own planner says of each.

Input: one JSON object with `settings` and `models`, a list of {name, config, context_tokens}. Output: a line of
JSON for each model, {name, batched_tokens, plans}, where `plans` holds for "TP KV-DTYPE" either `refused` with vLLM's
sentence or `bytes` of one request for each context, `tokens` that a pool of `pool_gib` is said to hold (null where
vLLM would not start) and `longest`, the longest context that starts with it. `more` settings
are handed on to vLLM's EngineArgs. With `python_files`, a folder in which the package of another release lies, that one
is asked; what it makes of libraries that it was not made for is `failed`.
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

import ways  # type: ignore[import-not-found]  # a script finds its neighbours in its own folder
from pretend import (  # type: ignore[import-not-found]
    meta_device,
    pretend_a_gpu,
    pretend_ranks,
)

_GIB = 2**30
Plan = dict[str, Any]


def main() -> None:
    asked = json.load(sys.stdin)
    if "python_files" in asked:  # of another release than the one that is installed
        sys.path.insert(0, asked["python_files"])
    answers = sys.stdout
    with contextlib.redirect_stdout(io.StringIO()):
        pretend_a_gpu()
        if "python_files" in asked:
            assert sys.modules["vllm"].__path__ == [f"{asked['python_files']}/vllm"]
        for model in asked["models"]:
            plans = _plans(model, asked["settings"], older="python_files" in asked)
            print(json.dumps(plans), file=answers, flush=True)


def _plans(model: dict[str, Any], settings: dict[str, Any], *, older: bool) -> dict[str, Any]:
    plans: dict[str, Plan] = {}
    batched = 0
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(model["config"]), encoding="utf-8")
        for tensor_parallel in settings["tensor_parallel"]:
            for dtype in settings["kv_cache_dtype"]:
                try:
                    plan, batched = _plan(folder, tensor_parallel, dtype, model["context_tokens"], settings)
                except (ValueError, AssertionError, NotImplementedError) as error:
                    plan = {"refused": _sentence(error)}
                except Exception as error:
                    if not older:
                        raise
                    plan = {"failed": f"{type(error).__name__}: {_sentence(error)}"}
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

    ways.forget()
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
        **settings.get("more", {}),
    ).create_engine_config()
    with set_current_vllm_config(config), set_default_torch_dtype(config.model_config.dtype), meta_device():
        initialize_model(vllm_config=config, model_config=config.model_config)
        current_platform.update_block_size_for_backend(config)
        specs = get_kv_cache_spec(config)
        return _count(config, specs, contexts, settings["pool_gib"] * _GIB), int(
            config.scheduler_config.max_num_batched_tokens
        )


def _count(config: Any, specs: dict[str, Any], contexts: list[int], pool_bytes: int) -> Plan:
    ways.prepare(config, specs)
    counted: list[int] = []
    tokens: list[int | None] = []
    for context in contexts:
        config.model_config.max_model_len = context
        groups = ways.groups_of(config, specs)
        counted.append(ways.request_bytes(config, groups))
        tokens.append(ways.printed_tokens(config, specs, pool_bytes))
    return {"bytes": counted, "tokens": tokens, "longest": ways.longest(config, groups, pool_bytes)}


if __name__ == "__main__":
    main()
