"""Runs in vLLM's Python: what its own classes load for a model with eyes and without, and the batch that it takes.

Input: one JSON object with `models`, a list of {name, config, context_tokens}, `tensor_parallel`, `explicit` batches
and perhaps `python_files` (see plan.py). Output: a line of JSON for each model: `tower_bytes` by TP, what a rank loads
beyond the text part; `request_bytes` with and without the tower; `batch`, the batched tokens that vLLM takes where
none are told on a GPU of 48 GB; `explicit`, for each batch told what it takes, or vLLM's sentence against it.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import ways  # type: ignore[import-not-found]  # a script finds its neighbours in its own folder
from pretend import meta_device, pretend_a_gpu, pretend_ranks  # type: ignore[import-not-found]

_SMALL_GPU_BYTES = 48 * 10**9


def main() -> None:
    asked = json.load(sys.stdin)
    if "python_files" in asked:
        sys.path.insert(0, asked["python_files"])
    answers = sys.stdout
    with contextlib.redirect_stdout(io.StringIO()):
        pretend_a_gpu(total_bytes=_SMALL_GPU_BYTES)
        for model in asked["models"]:
            print(json.dumps(_seen(model, asked)), file=answers, flush=True)


def _seen(model: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(model["config"]), encoding="utf-8")
        tower, request = {}, {}
        for size in asked["tensor_parallel"]:
            whole, request[f"{size} eyes"] = _loaded(folder, model, size, text_only=False)
            text, request[f"{size} text"] = _loaded(folder, model, size, text_only=True)
            tower[str(size)] = whole - text
        return {
            "name": model["name"],
            "tower_bytes": tower,
            "request_bytes": request,
            "batch": _batch(folder, model, None),
            "batch_text_only": _batch(folder, model, None, text_only=True),
            "explicit": {str(batch): _batch(folder, model, batch) for batch in asked["explicit"]},
        }


def _config(
    folder: str, model: dict[str, Any], *, size: int = 1, batch: int | None = 2048, text_only: bool = False
) -> Any:
    from vllm.engine.arg_utils import EngineArgs
    from vllm.usage.usage_lib import UsageContext

    ways.forget()
    pretend_ranks(size)
    return EngineArgs(
        model=folder,
        skip_tokenizer_init=True,
        load_format="dummy",
        dtype="bfloat16",
        tensor_parallel_size=size,
        distributed_executor_backend="mp",
        max_num_batched_tokens=batch,
        max_num_seqs=16,
        max_model_len=model["context_tokens"],
        enforce_eager=True,
        language_model_only=text_only,
    ).create_engine_config(UsageContext.OPENAI_API_SERVER)


def _loaded(folder: str, model: dict[str, Any], size: int, *, text_only: bool) -> tuple[int, int]:
    """Return the bytes of a rank's parameters, and those of one request's cache."""
    from vllm.config import set_current_vllm_config
    from vllm.model_executor.model_loader.utils import initialize_model
    from vllm.platforms import current_platform
    from vllm.utils.torch_utils import set_default_torch_dtype
    from vllm.v1.worker.gpu.attn_utils import get_kv_cache_spec

    config = _config(folder, model, size=size, text_only=text_only)
    with set_current_vllm_config(config), set_default_torch_dtype(config.model_config.dtype), meta_device():
        built = initialize_model(vllm_config=config, model_config=config.model_config)
        current_platform.update_block_size_for_backend(config)
        specs = get_kv_cache_spec(config)
        ways.prepare(config, specs)
        loaded = sum(tensor.numel() * tensor.element_size() for tensor in built.parameters())
        return loaded, ways.request_bytes(config, ways.groups_of(config, specs))


def _batch(
    folder: str, model: dict[str, Any], batch: int | None, *, text_only: bool = False
) -> int | str | None:
    """Return the batched tokens that vLLM takes, or its sentence where the largest item finds no room in them."""
    from vllm.multimodal import MULTIMODAL_REGISTRY
    from vllm.v1.core.encoder_cache_manager import compute_mm_encoder_budget

    try:
        config = _config(folder, model, batch=batch, text_only=text_only)
        scheduler = config.scheduler_config
        # Where an item must not be cut, vLLM asks this when it starts; the class tells it without a processor.
        if scheduler.disable_chunked_mm_input and not text_only:
            info = MULTIMODAL_REGISTRY.get_processing_info(config.model_config)
            items = info.get_mm_max_tokens_per_item(model["context_tokens"], {})
            if items:
                compute_mm_encoder_budget(scheduler, items)
    except ValueError as error:
        return str(error).splitlines()[0]
    return int(scheduler.max_num_batched_tokens)


if __name__ == "__main__":
    main()
