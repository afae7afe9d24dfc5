"""A server as a sizing request: what it says, what vLLM adds by default, what keeps it from being sized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from onprem_agents.catalog import SHARED_MEMORY, Accelerator, load_catalog
from onprem_agents.sizing import FitRequest, release_rules
from onprem_agents.sizing.request import default_batch_tokens, default_sequences
from onprem_agents.stack.labels import ACCELERATOR_ANNOTATION, MODEL_ANNOTATION
from onprem_agents.vllm import (
    UNREADABLE,
    Release,
    load_release,
    option_of,
    takes_no_items,
)

from .checkpoints import KnownModel
from .graph import UNKNOWN
from .known import accelerator_of, model_of, only_known_at_run_time
from .serving import Server
from .sources import PRODUCT_LABELS
from .speculation import refused_speculation

# Fields that a sizing request is made of; one that can't be read leaves nothing to compute.
SIZED_BY = (
    "gpu_memory_utilization",
    "max_model_len",
    "max_num_seqs",
    "max_num_batched_tokens",
    "kv_cache_dtype",
    "tensor_parallel_size",
    "pipeline_parallel_size",
    "data_parallel_size",
    "speculative_config",
    "language_model_only",
    "enforce_eager",
    "quantization",
)
_KV_CACHE_DTYPES = {
    **{name: name for name in ("auto", "bfloat16", "float16")},
    **dict.fromkeys(("fp8", "fp8_e4m3", "fp8_e5m2"), "fp8"),
}


@dataclass(frozen=True, kw_only=True)
class Sized:
    """`request` is what to ask the sizing engine; None when it can't be asked.

    `unreadable` names what is only known at run time, `unchecked` what the catalogue or the engine lacks; beside a
    request, what comes on top of the memory that it counts.
    """

    request: FitRequest | None
    unreadable: tuple[str, ...]
    unchecked: tuple[str, ...]


def sized(server: Server) -> Sized:
    """Return the sizing request of a server, or the reasons why there is none."""
    unreadable = tuple(_unreadable(server))
    # What may stand out of sight is said by serving-can-be-checked, once for the whole server.
    if unreadable or any(server.left_open(field) for field in SIZED_BY):
        return Sized(request=None, unreadable=unreadable, unchecked=())
    known, gpu = model_of(server), accelerator_of(server)
    unchecked = tuple(_unchecked(server, known, gpu))
    if unchecked or known is None or gpu is None:
        return Sized(request=None, unreadable=(), unchecked=unchecked)
    return Sized(
        request=_request(server, known, gpu), unreadable=(), unchecked=tuple(_unsized(server, "more"))
    )


def gpus_needed(server: Server) -> int:
    """Return the GPUs that vLLM takes: tensor × pipeline × data parallel."""
    needed = 1
    for field in ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size"):
        given = server.parsed.read(field)
        needed *= given if isinstance(given, int) else 1
    return needed


def _unreadable(server: Server) -> Iterator[str]:
    if only_known_at_run_time(server):
        yield "the model"
    if UNKNOWN in server.accelerators:
        yield "the kind of GPU"
    if server.gpus is UNKNOWN:
        yield "the number of GPUs"
    if server.shared_gib is UNKNOWN:
        yield f"its share of a GPU's memory ({SHARED_MEMORY})"
    yield from (option_of(field) for field in SIZED_BY if _hidden(server, field))


def _hidden(server: Server, field: str) -> bool:
    return server.parsed.read(field) == UNREADABLE and not server.left_open(field)


def _unchecked(server: Server, known: KnownModel | None, gpu: Accelerator | None) -> Iterator[str]:
    flags = server.parsed.flags
    if known is None:
        names = [str(name) for name in server.model_names]
        told = f"its model {names[0]!r} is not in the catalogue" if names else "nothing tells its model"
        yield f"{told} (name it by its Hugging Face id or the annotation {MODEL_ANNOTATION})"
    elif known.variant is None:
        yield f"nothing tells which checkpoint of {known.model.name} it loads (annotation {MODEL_ANNOTATION})"
    elif flags.quantization not in (None, known.variant.quantization) and not _unknown_method(server):
        yield f"it quantises {known.variant.hf_id} at load time (--quantization {flags.quantization})"
    if gpu is None:
        told = ", ".join(str(label) for label in server.accelerators)
        what = f"the GPU {told} is not in the catalogue" if told else "nothing tells its kind of GPU"
        yield f"{what} (nodeSelector {', '.join(PRODUCT_LABELS)} or the annotation {ACCELERATOR_ANNOTATION})"
    if server.gpus is None:
        yield "it asks for no GPU"
    if server.multi_node or (flags.pipeline_parallel_size or 1) > 1:
        yield "it spreads one model over pods or pipeline stages, which the sizing engine does not model"
    if (flags.kv_cache_dtype or "auto") not in _KV_CACHE_DTYPES:
        yield f"its --kv-cache-dtype {flags.kv_cache_dtype} is not modelled"
    yield from _unsized(server, "unknown")
    yield from _unchecked_speculation(server)


def _unsized(server: Server, kind: Literal["more", "unknown"]) -> Iterator[str]:
    """Yield the options of a server that the sizing takes no account of."""
    facts = load_release(server.parsed.judged_by)
    given = {option_of(name): str(value) for name, value in server.parsed.flags.given().items()}
    given |= {option: " ".join(texts) for option, texts in server.parsed.other.items()}
    for option, value in given.items():
        entry = load_catalog().server_option(option)
        unchanged = ("False", str(facts.default(option)), *(() if entry is None else entry.harmless))
        if entry is None or entry.unsized != kind or value in unchanged or _refused(facts, option, value):
            continue
        yield f"it has {option} {value}: {entry.why}"


def _refused(facts: Release, option: str, value: str) -> bool:
    """Whether a release has no such value: then arguments-are-taken says so, and nothing is left to be sized."""
    return option in facts.choices and value not in facts.choices[option]


def _unknown_method(server: Server) -> bool:
    methods = load_release(server.parsed.judged_by).quantization_methods
    return server.parsed.flags.quantization not in methods


def _unchecked_speculation(server: Server) -> Iterator[str]:
    speculative = server.parsed.flags.speculative_config
    if refused_speculation(speculative) is not None:
        return  # speculation-can-start says so
    if any(option in server.parsed.other for option in ("--spec-method", "--spec-model", "--spec-tokens")):
        yield "it speculates by --spec-… options (write them as one --speculative-config)"
    elif speculative is not None:
        method = str(speculative.get("method"))
        if not method.endswith("mtp") and not method.startswith("ngram"):
            yield f"it speculates with {method}, whose draft model is not sized"
        elif not isinstance(speculative.get("num_speculative_tokens"), int):
            yield "its --speculative-config does not say num_speculative_tokens as a number"


def _request(server: Server, known: KnownModel, gpu: Accelerator) -> FitRequest | None:
    if known.variant is None:
        return None
    flags = server.parsed.flags
    # Without the flag vLLM takes the model's own limit; with "auto" it shrinks until one request fits.
    contexts = {None: known.model.architecture.max_context_tokens, "auto": 1}
    context = flags.max_model_len
    # The arithmetic knows older releases than the options do.
    release = server.release or server.parsed.judged_by
    text_only = bool(flags.language_model_only) or takes_no_items(flags.limit_mm_per_prompt)
    batch_tokens = _given(
        flags.max_num_batched_tokens,
        default_batch_tokens(
            known.model,
            gpu,
            release_rules(release),
            has_encoder=known.model.multimodal and not text_only,
        ),
    )
    request = FitRequest(
        model=known.model,
        variant=known.variant,
        accelerator=gpu,
        tensor_parallel=_given(flags.tensor_parallel_size, 1),
        data_parallel=max(1, _given(flags.data_parallel_size, 1)),
        expert_parallel=bool(flags.enable_expert_parallel),
        context_tokens=context if isinstance(context, int) else contexts[context],
        max_num_seqs=_given(flags.max_num_seqs, default_sequences(gpu, batch_tokens)),
        kv_cache_dtype=_KV_CACHE_DTYPES[flags.kv_cache_dtype or "auto"],
        max_num_batched_tokens=batch_tokens,
        gpu_memory_utilization=float(server.default("gpu_memory_utilization")),
        language_model_only=text_only,
        vllm=release,
        speculative_tokens=_drafted(flags.speculative_config or {}),
        enforce_eager=bool(flags.enforce_eager),
        prefix_caching=flags.enable_prefix_caching,
        start=server.start,
    )
    # A batch that cannot hold one item is the matter of options-start-together: here it is sized as if it could.
    batched = max(request.max_num_batched_tokens, request.least_batch_tokens)
    return replace(request, max_num_batched_tokens=batched)


def _given(value: int | None, default: int) -> int:
    return default if value is None else value


def _drafted(speculative: Mapping[str, Any]) -> int:
    """Return the tokens that the model's own MTP layers draft; n-grams take no memory."""
    if str(speculative.get("method")).startswith("ngram"):
        return 0
    return max(0, int(speculative.get("num_speculative_tokens", 0)))
