"""memory-headroom-is-left: a server that does not fit its GPUs never starts, or dies under load."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.sizing import FitRequest, changes_that_fit, fit, needs_expert_parallel
from onprem_agents.sizing.changes import ROLE_FIELDS
from onprem_agents.vllm import UNREADABLE

from ..graph import UNKNOWN, Graph, Violation
from ..memory import gpus_needed, sized
from ..serving import Server, servers

# vLLM 0.33.0 sets aside 0.92 and counts CUDA graphs in it; what is left is the CUDA context, NCCL and the
# sampler's warm-up, which vLLM does not count (2 to 5 % of a GPU in public logs, read 2026-11-24).
MOST_UTILIZATION = 0.95


def memory_headroom_is_left(graph: Graph) -> list[Violation]:
    """Weights, overhead and the KV cache of one full-context request fit the GPUs that the pod asks for.

    And `--gpu-memory-utilization` is at most 0.95, and the pod asks for as many GPUs as vLLM takes. Needs
    literals: a model, GPU or figure that is only known at run time is a violation. What the catalogue or the
    sizing engine does not know is left to the advisory serving-can-be-checked.
    """
    return [
        Violation(resource=server.resource, message=f"{server.resource} {message}")
        for server in servers(graph)
        for message in _messages(server)
    ]


def _messages(server: Server) -> Iterator[str]:
    utilization = server.default("gpu_memory_utilization")
    too_high = utilization not in (None, UNREADABLE) and float(utilization) > MOST_UTILIZATION
    needed = gpus_needed(server)
    if too_high:
        yield (
            f"gives vLLM {utilization:g} of each GPU: the CUDA context and the sampler's warm-up come on top"
            " and end in 'CUDA out of memory'. Set"
            f" {server.change('gpu_memory_utilization', 'gpuMemoryUtilization')} to 0.85 to 0.92."
        )
    if server.gpus not in (None, UNKNOWN) and not server.multi_node and needed > int(server.gpus):
        yield (
            f"shards the model over {needed} GPUs but its pod asks for {server.gpus}: vLLM stops at start."
            f" Ask for {needed} GPUs or lower"
            f" {server.change('tensor_parallel_size', 'tensorParallel')}."
        )
    elif not too_high:
        yield from _fit(server)


def _fit(server: Server) -> Iterator[str]:
    question = sized(server)
    if question.unreadable:
        yield (
            f"leaves {', '.join(question.unreadable)} to be known at run time, so nothing proves that the"
            f" model fits. Write plain values: {server.key('model')} and the keys beside it."
        )
    request = question.request
    if request is None:
        return
    where = f"{request.variant.hf_id} on {request.tensor_parallel} × {request.accelerator.name}"
    where += "" if server.release is not None else f" with vLLM {server.judged}"
    problems = fit(request).problems
    way_out = _way_out(server, request) if problems else ""
    for problem in problems:
        yield (
            f"serves {where}: {problem}.{way_out} The keys are {server.key('context')} and gpuMemoryUtilization,"
            " kvCacheDtype, maxNumSeqs, precision, tensorParallel beside it."
        )
    whole = needs_expert_parallel(request.model, request.variant, request.tensor_parallel)
    if whole and not server.parsed.flags.enable_expert_parallel:
        yield (
            f"serves {where} without --enable-expert-parallel: a slice of an expert would cut the"
            " quantisation blocks of the checkpoint and vLLM stops at start. Add the switch, or lower"
            f" {server.key('tensorParallel')}."
        )


def _way_out(server: Server, request: FitRequest) -> str:
    """Return the cheapest settings with which it was sized to fit on the same GPUs, as a sentence; "" without any."""
    for change in changes_that_fit(request, gpus_per_node=request.tensor_parallel, buying=False):
        if not {*ROLE_FIELDS, "variant"}.issuperset(change.settings):
            continue
        settings = [
            f"{server.key('model')} {change.request.variant.hf_id}"
            if name == "variant"
            else f"{server.key(_camel(ROLE_FIELDS[name]))} {getattr(change.request, name)}"
            for name in change.settings
        ]
        return f" It would fit with {' and '.join(settings)}."
    return ""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
