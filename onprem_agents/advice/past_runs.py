"""Predictions for runs of vLLM listed in a CSV file: one row a run, blanks mean vLLM's default.

Columns: id, hf_id, precision, model, gpu, gpu_count, tp, pp, kv_cache_dtype, vllm_version, engine, max_model_len,
gpu_memory_utilization, max_num_seqs, max_num_batched_tokens, enforce_eager, total_gpu_mem_gib; any other is
ignored but `available_kv_gib`, a pool from which concurrency and context are computed on top.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from onprem_agents.catalog import Accelerator, Catalog
from onprem_agents.errors import OnpremError
from onprem_agents.sizing.checkpoint import Checkpoint, checkpoint_named
from onprem_agents.sizing.gpu_names import accelerator_named
from onprem_agents.sizing.kv_layers import ELEMENT_BYTES
from onprem_agents.sizing.memory import Memory, Outlook, memory_of
from onprem_agents.sizing.printed import prediction
from onprem_agents.sizing.release import release_rules, version_number
from onprem_agents.sizing.request import FitRequest
from onprem_agents.vllm import default_max_num_batched_tokens, default_max_num_seqs

# "MTP k=2" in the text that names the model; a bare "MTP" drafts one token.
_DRAFTED = re.compile(r"\bMTP\b(?:\s*[nk]?\s*=?\s*(\d+))?", re.IGNORECASE)
# The shortest context that anyone serves, and the highest share that is commonly given.
_SHORT_CONTEXT = 4096
_HIGH_UTILIZATION = 0.95
# Weights beyond this multiple of the memory were never loaded.
_IMPOSSIBLE = 1.5
_TRUE = frozenset({"true", "1", "yes"})


class UnreadableRow(OnpremError, ValueError):
    """A row that cannot be answered, and why."""


def predict(row: Mapping[str, str | None], catalog: Catalog) -> dict[str, Any]:
    """Return the prediction of one row as JSON values, GiB per GPU; `verdict` null with a `reason` if there is none."""
    ident = (row.get("id") or "").strip()
    try:
        request = request_of(row, catalog)
        pool = _number(row, "available_kv_gib")
    except OnpremError as error:
        return {"id": ident, "verdict": None, "reason": str(error)}
    memory = memory_of(request)
    if not _text(row, "dtype_or_quant") and memory.weights.gib > _IMPOSSIBLE * request.accelerator.total_gib:
        reason = (
            f"the run did not print its precision, and weights in {request.variant.precision} take "
            f"{memory.weights.gib:.0f} GiB of each {request.accelerator.total_gib:.0f} GiB GPU: it was another one"
        )
        return {"id": ident, "verdict": None, "reason": reason}
    verdict, answer = _verdict(memory, row), prediction(memory, pool)
    note = _checkpoint(row, catalog).note
    if note:
        answer["reason"] = f"{note}; {answer['reason']}"
    return {"id": ident, "verdict": verdict, **answer}


def request_of(row: Mapping[str, str | None], catalog: Catalog) -> FitRequest:
    """Return the sizing request that a row means. Raises `UnreadableRow`, `UnknownFact` or `UnknownPrecision`."""
    checkpoint = _checkpoint(row, catalog)
    model = checkpoint.model
    gpu = _accelerator(row, catalog)
    tensor, pipeline, data = _parallel(row)
    version = _text(row, "vllm_version") or None
    v0 = _text(row, "engine").upper() == "V0"
    rules = release_rules(version, v0=v0)
    context = _whole(row, "max_model_len") or model.architecture.max_context_tokens
    batched = _whole(row, "max_num_batched_tokens")
    if batched is None:
        batched = (
            max(2048, context) if rules.is_v0 else default_max_num_batched_tokens(gpu.name, gpu.total_gib)
        )
    dtype = _text(row, "kv_cache_dtype") or "auto"
    if dtype not in ELEMENT_BYTES:
        raise UnreadableRow(f"kv_cache_dtype {dtype!r} is not modelled; known are {', '.join(ELEMENT_BYTES)}")
    drafted = _DRAFTED.search(_text(row, "model"))
    utilization = _number(row, "gpu_memory_utilization") or rules.default_gpu_memory_utilization
    if not 0 < utilization <= 1:
        raise UnreadableRow(f"gpu_memory_utilization {utilization} is no share between 0 and 1")
    return FitRequest(
        model=model,
        variant=checkpoint.variant,
        accelerator=gpu,
        tensor_parallel=tensor,
        pipeline_parallel=pipeline,
        data_parallel=data,
        context_tokens=context,
        max_num_seqs=_whole(row, "max_num_seqs") or default_max_num_seqs(gpu.name, gpu.total_gib),
        max_num_batched_tokens=batched,
        kv_cache_dtype=dtype,
        gpu_memory_utilization=utilization,
        language_model_only=False,
        speculative_tokens=int(drafted[1] or 1) if drafted and model.architecture.mtp_layers else 0,
        enforce_eager=_text(row, "enforce_eager").casefold() in _TRUE,
        vllm=version,
        engine_v0=v0,
        release_unknown=version_number(version) is None,
        weights_uncertainty=checkpoint.uncertainty,
    )


def _verdict(memory: Memory, row: Mapping[str, str | None]) -> Outlook:
    """Return the verdict; too close where it hangs on a share of memory that the row does not tell.

    A refusal for the context or for too few state blocks names the length and the number of sequences, so a row
    without them is not about those: whoever ran into such a default lowered it.
    """
    request = memory.request
    changes: dict[str, Any] = {}
    if not _text(row, "max_model_len"):
        changes["context_tokens"] = min(_SHORT_CONTEXT, request.context_tokens)
    sequences = request.max_num_seqs if _text(row, "max_num_seqs") else 1
    told = replace(memory, request=replace(request, **changes))
    strict = told.verdict_for(sequences)
    if _text(row, "gpu_memory_utilization"):
        return strict
    high = max(_HIGH_UTILIZATION, request.gpu_memory_utilization)
    lenient = replace(told, request=replace(told.request, gpu_memory_utilization=high)).verdict_for(sequences)
    return strict if strict == lenient else "too_close"


def _checkpoint(row: Mapping[str, str | None], catalog: Catalog) -> Checkpoint:
    hf_id = _text(row, "hf_id")
    if not hf_id:
        raise UnreadableRow("hf_id is empty: nothing tells which model this is")
    repository = _text(row, "model").split(" ")[0]
    return checkpoint_named(hf_id, _text(row, "precision"), catalog, repository=repository)


def _accelerator(row: Mapping[str, str | None], catalog: Catalog) -> Accelerator:
    text = _text(row, "gpu")
    total_gib, pipeline = _number(row, "total_gpu_mem_gib"), _parallel(row)[1] > 1
    gpu = accelerator_named(text, catalog.accelerators, total_gib=total_gib, pipeline=pipeline)
    if gpu is None:
        raise UnreadableRow(
            f"gpu {text!r} is not in the catalogue and its memory is not told; fill total_gpu_mem_gib"
        )
    return gpu


def _parallel(row: Mapping[str, str | None]) -> tuple[int, int, int]:
    count, tensor, pipeline = _whole(row, "gpu_count"), _whole(row, "tp"), _whole(row, "pp") or 1
    tensor = tensor or max(1, (count or 1) // pipeline)
    data = (count or tensor * pipeline) / (tensor * pipeline)
    return tensor, pipeline, max(1, math.floor(data))


def _text(row: Mapping[str, str | None], column: str) -> str:
    return (row.get(column) or "").strip()


def _number(row: Mapping[str, str | None], column: str) -> float | None:
    text = _text(row, column)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        raise UnreadableRow(f"{column} is {text!r}, which is no number") from None
    if not math.isfinite(number):
        raise UnreadableRow(f"{column} is {text!r}, which is no number")
    return number


def _whole(row: Mapping[str, str | None], column: str) -> int | None:
    number = _number(row, column)
    if number is None:
        return None
    if number < 1 or number != int(number):
        raise UnreadableRow(f"{column} is {number:g}, it must be a whole number of at least 1")
    return int(number)
