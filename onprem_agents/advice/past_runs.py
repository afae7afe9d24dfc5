"""Predictions for runs of vLLM listed in a CSV file: one row a run, blanks mean vLLM's default.

`COLUMNS` are read, and `available_kv_gib`, a pool from which concurrency and context are computed on top; any other
is ignored. `text_only` is `--language-model-only`, `enable_prefix_caching` blank the default of the release, and
`speculative_tokens` counts what the model's own MTP layers draft, read from the text of `model` where it is blank.
`start` is "cold" where vLLM compiled, "warm" where it found its cache; `other_memory_gib` is what others held of each
GPU before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from onprem_agents.advice.run_cells import Cells, UnreadableRow
from onprem_agents.catalog import Accelerator, Catalog, Model
from onprem_agents.errors import UnknownFact
from onprem_agents.sizing.checkpoint import Checkpoint, UnknownPrecision, checkpoint_named
from onprem_agents.sizing.gpu_names import accelerator_named
from onprem_agents.sizing.kv_layers import ELEMENT_BYTES
from onprem_agents.sizing.memory import Memory, Outlook, memory_of
from onprem_agents.sizing.precision import PRECISIONS
from onprem_agents.sizing.printed import prediction
from onprem_agents.sizing.refusals import Refusal, refused_by_settings, refused_by_sharding
from onprem_agents.sizing.release import release_rules
from onprem_agents.sizing.request import FitRequest, default_batch_tokens, default_sequences

COLUMNS = (
    "id", "hf_id", "precision", "model", "dtype_or_quant", "gpu", "gpu_count", "tp", "pp", "kv_cache_dtype",
    "vllm_version", "engine", "max_model_len", "gpu_memory_utilization", "max_num_seqs", "max_num_batched_tokens",
    "enforce_eager", "total_gpu_mem_gib", "text_only", "speculative_tokens", "expert_parallel",
    "enable_prefix_caching", "block_size", "start", "other_memory_gib",
)  # fmt: skip
"""What a row may tell of a run."""

GIVEN_POOL = "available_kv_gib"
"""The pool that a run printed, where concurrency and context are asked for beside the prediction."""

# "MTP k=2" in the text that names the model; a bare "MTP" drafts one token.
_DRAFTED = re.compile(r"\bMTP\b(?:\s*[nk]?\s*=?\s*(\d+))?", re.IGNORECASE)
# How logs and tables spell values of vLLM's flag.
_SPELLED = {"bf16": "bfloat16", "fp16": "float16"}
# The shortest context that anyone serves, and the highest share that is commonly given.
_SHORT_CONTEXT = 4096
_HIGH_UTILIZATION = 0.95
# Weights beyond this multiple of the memory were never loaded.
_IMPOSSIBLE = 1.5


def predict(row: Mapping[str, str | None], catalog: Catalog) -> dict[str, Any]:
    """Return the prediction of one row as JSON values, GiB per GPU.

    Without one, `verdict` is null, `reason` says why and `problems` name the columns.
    """
    ident = Cells(row).text("id")
    try:
        request, note, pool = _read(row, catalog)
        memory = memory_of(request)
        if "dtype_or_quant" in row or not Cells(row).text("precision"):
            _refuse_impossible(memory, Cells(row))
    except UnreadableRow as error:
        return unanswered(ident, error)
    verdict, answer = _verdict(memory, Cells(row)), prediction(memory, pool)
    refusals = _refused_by_what_is_told(memory, Cells(row))
    if refusals:
        verdict = "does_not_fit"
        answer["reason"] = "; ".join([*(refusal.text for refusal in refusals), answer["reason"]])
    if note:
        answer["reason"] = f"{note}; {answer['reason']}"
    return {"id": ident, "verdict": verdict, **answer}


def unanswered(ident: str, error: UnreadableRow) -> dict[str, Any]:
    """Return the answer of a row that has none."""
    problems = [asdict(problem) for problem in error.problems]
    return {"id": ident, "verdict": None, "reason": str(error), "problems": problems}


def request_of(row: Mapping[str, str | None], catalog: Catalog) -> FitRequest:
    """Return the sizing request that a row means. Raises `UnreadableRow`, with all that is wrong in it."""
    return _read(row, catalog)[0]


def _read(row: Mapping[str, str | None], catalog: Catalog) -> tuple[FitRequest, str, float | None]:
    """Return the request of a row, what to say about its checkpoint, and the pool that it gives."""
    cells = Cells(row)
    pool, settings = cells.number(GIVEN_POOL), _settings(cells)
    checkpoint = _checkpoint(cells, catalog)
    gpu = _accelerator(cells, catalog, pipeline=settings["pipeline_parallel"] > 1)
    if checkpoint is not None:
        settings["speculative_tokens"] = _drafted_tokens(cells, checkpoint.model)
    cells.raise_if_any()
    if checkpoint is None or gpu is None:
        raise ValueError("a row without a model or a GPU has a problem")
    return _request(checkpoint, gpu, settings), checkpoint.note, pool


def _settings(cells: Cells) -> dict[str, Any]:
    """Return what a row tells of the server's settings, by the names of the request; None where it tells nothing."""
    utilization = cells.number("gpu_memory_utilization")
    if utilization is not None and not 0 < utilization <= 1:
        cells.refuse("gpu_memory_utilization", "it is no share of memory", "a number above 0, up to 1")
    dtype = cells.word("kv_cache_dtype", (*ELEMENT_BYTES, *_SPELLED), cause="unknown-name") or "auto"
    tensor, pipeline, data = _parallel(cells)
    return {
        "tensor_parallel": tensor,
        "pipeline_parallel": pipeline,
        "data_parallel": data,
        "context_tokens": cells.whole("max_model_len"),
        "max_num_seqs": cells.whole("max_num_seqs"),
        "max_num_batched_tokens": cells.whole("max_num_batched_tokens"),
        "kv_cache_dtype": _SPELLED.get(dtype, dtype),
        "gpu_memory_utilization": utilization,
        "language_model_only": cells.flag("text_only") or False,
        "expert_parallel": cells.flag("expert_parallel") or False,
        "prefix_caching": cells.flag("enable_prefix_caching"),
        "enforce_eager": cells.flag("enforce_eager") or False,
        "block_size": cells.whole("block_size"),
        "start": cells.word("start", ("cold", "warm")),
        "other_memory_gib": cells.number("other_memory_gib", least=0) or 0.0,
        "vllm": cells.text("vllm_version") or None,
        "engine_v0": cells.word("engine", ("v0", "v1")) == "v0",
    }


def _request(checkpoint: Checkpoint, gpu: Accelerator, told: dict[str, Any]) -> FitRequest:
    """Return the request with vLLM's defaults for what is not told."""
    rules = release_rules(told["vllm"], v0=told["engine_v0"])
    context = told["context_tokens"] or checkpoint.model.architecture.max_context_tokens
    has_encoder = checkpoint.model.multimodal and not told["language_model_only"]
    own_batch = default_batch_tokens(checkpoint.model, gpu, rules, has_encoder=has_encoder)
    own_batch = max(2048, context) if rules.is_v0 else own_batch
    defaults: dict[str, Any] = {
        "context_tokens": context,
        "max_num_seqs": default_sequences(gpu, told["max_num_batched_tokens"] or own_batch),
        "max_num_batched_tokens": own_batch,
        "gpu_memory_utilization": rules.default_gpu_memory_utilization,
    }
    filled: dict[str, Any] = {
        name: defaults.get(name) if value is None else value for name, value in told.items()
    }
    return FitRequest(
        model=checkpoint.model,
        variant=checkpoint.variant,
        accelerator=gpu,
        weights_uncertainty=checkpoint.uncertainty,
        max_num_seqs_told=told["max_num_seqs"] is not None,
        **filled,
    )


def _drafted_tokens(cells: Cells, model: Model) -> int:
    """Return how many tokens the model's own MTP layers draft, as the row says or the text that names its model."""
    told, layers = cells.whole("speculative_tokens", least=0), model.architecture.mtp_layers
    if told and not layers:
        why = f"{model.name} has no layers of its own to draft with, and a second model is not counted"
        cells.refuse("speculative_tokens", why, "0 or nothing for this model", cause="no-speculation")
    if told is not None:
        return told
    drafted = _DRAFTED.search(cells.text("model"))
    return int(drafted[1] or 1) if drafted and layers else 0


def _refuse_impossible(memory: Memory, cells: Cells) -> None:
    """Raise `UnreadableRow` where the precision that a row does not tell cannot have been the one assumed."""
    request = memory.request
    if cells.text("dtype_or_quant") or memory.weights.gib <= _IMPOSSIBLE * request.accelerator.total_gib:
        return
    cells.refuse(
        "precision",
        f"the run did not print it, and weights in {request.variant.precision} take {memory.weights.gib:.0f} GiB of "
        f"each {request.accelerator.total_gib:.0f} GiB GPU: it was another one",
        ", ".join(PRECISIONS),
        cause="contradiction",
    )
    cells.raise_if_any()


def _verdict(memory: Memory, cells: Cells) -> Outlook:
    """Return the verdict; too close where it hangs on a share of memory that the row does not tell.

    A refusal for the context names its length, so a row without one is not about it: whoever ran into the model's own
    lowered it, as `FitRequest` says of the number of sequences.
    """
    request = memory.request
    changes: dict[str, Any] = {}
    if not cells.text("max_model_len"):
        changes["context_tokens"] = min(_SHORT_CONTEXT, request.context_tokens)
    told = replace(memory, request=replace(request, **changes))
    if cells.text("gpu_memory_utilization"):
        return told.verdict
    strict = told.verdict_within
    high = max(_HIGH_UTILIZATION, request.gpu_memory_utilization)
    lenient = replace(told, request=replace(told.request, gpu_memory_utilization=high)).verdict_within
    return strict if strict == lenient else "too_close"


def _refused_by_what_is_told(memory: Memory, cells: Cells) -> list[Refusal]:
    """Return what vLLM refuses whatever the memory, where the row itself tells the settings at fault.

    A context beyond the model's own is none of it: a row does not tell how it was stretched.
    """
    request = memory.request
    refusals = refused_by_sharding(request) if cells.text("tp") or cells.text("gpu_count") else []
    if cells.text("max_num_seqs") and cells.text("max_num_batched_tokens"):
        settings = refused_by_settings(request, memory.layout)
        refusals += [refusal for refusal in settings if refusal.cause == "batch-below-sequences"]
    return refusals


def _checkpoint(cells: Cells, catalog: Catalog) -> Checkpoint | None:
    hf_id = cells.text("hf_id")
    if not hf_id:
        cells.refuse("hf_id", "nothing tells which model this is", "a Hugging Face id", cause="missing-key")
        return None
    repository = cells.text("model").split(" ")[0]
    try:
        return checkpoint_named(hf_id, cells.text("precision"), catalog, repository=repository)
    except UnknownFact as error:
        cells.problems.append(error.problem("hf_id"))
    except UnknownPrecision:
        cells.refuse("precision", "nobody knows its bytes", ", ".join(PRECISIONS), cause="unknown-name")
    return None


def _accelerator(cells: Cells, catalog: Catalog, *, pipeline: bool) -> Accelerator | None:
    total_gib = cells.number("total_gpu_mem_gib", least=1)
    gpu = accelerator_named(cells.text("gpu"), catalog.accelerators, total_gib=total_gib, pipeline=pipeline)
    if gpu is None:
        why = "the catalogue has no such GPU, and its memory is not told"
        cells.refuse(
            "gpu",
            why,
            "one of 'onprem-agents catalog', or any with total_gpu_mem_gib filled",
            cause="unknown-name",
        )
    return gpu


def _parallel(cells: Cells) -> tuple[int, int, int]:
    count, tensor, pipeline = cells.whole("gpu_count"), cells.whole("tp"), cells.whole("pp") or 1
    tensor = tensor or max(1, (count or 1) // pipeline)
    return tensor, pipeline, max(1, (count or 1) // (tensor * pipeline))
