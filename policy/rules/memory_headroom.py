"""memory-headroom-is-left, memory-is-not-tight: what does not fit its GPUs never starts, or dies under load."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.sizing import Fit, FitRequest, changes_that_fit, fit, needs_expert_parallel
from onprem_agents.sizing.changes import ROLE_FIELDS
from onprem_agents.vllm import UNREADABLE

from ..graph import UNKNOWN, Graph, Violation
from ..memory import gpus_needed, sized
from ..serving import Server, servers

# What is there and why it fails, without the server's name; and what to change.
_Told = tuple[str, str]
# vLLM 0.33.0 sets aside 0.92 and counts CUDA graphs in it; what is left is the CUDA context, NCCL and the
# sampler's warm-up, which vLLM does not count (2 to 5 % of a GPU in public logs, read 2026-11-24).
MOST_UTILIZATION = 0.95


def memory_headroom_is_left(graph: Graph) -> list[Violation]:
    """Weights, overhead and the KV cache of one full-context request fit the GPUs that the pod asks for.

    And `--gpu-memory-utilization` is at most 0.95, and the pod asks for as many GPUs as vLLM takes. Needs
    literals: a model, GPU or figure that is only known at run time is a violation. What the catalogue or the
    sizing engine does not know is left to the advisory serving-can-be-checked, what may still fit where every
    estimate errs in its favour to memory-is-not-tight.
    """
    # The parts of one object may have the same fault: it is said once.
    found: dict[str, Violation] = {}
    for server in servers(graph):
        for told, change in _messages(server):
            message = f"{server.resource} {told}"
            violation = Violation(resource=server.resource, message=message, change=change)
            found.setdefault(violation.told, violation)
    return list(found.values())


def memory_is_not_tight(graph: Graph) -> list[Violation]:
    """A server fits its GPUs even where every estimate errs against it. Advisory: where it may fit, it may start."""
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} may not start: it {message}",
            change=change,
        )
        for server in servers(graph)
        for message, change in _tight(server)
    ]


def _tight(server: Server) -> Iterator[_Told]:
    request = sized(server).request
    if request is not None and not any(_certain(server)):
        found = fit(request)
        if found.verdict == "too_close":
            yield from _refused(server, request, found)


def _messages(server: Server) -> Iterator[_Told]:
    certain = list(_certain(server))
    yield from certain
    if not certain:
        yield from _fit(server)


def _certain(server: Server) -> Iterator[_Told]:
    """Yield what keeps a server from starting whatever its model takes."""
    utilization = server.default("gpu_memory_utilization")
    too_high = utilization not in (None, UNREADABLE) and float(utilization) > MOST_UTILIZATION
    needed = gpus_needed(server)
    if too_high:
        yield (
            (
                f"gives vLLM {utilization:g} of each GPU: the CUDA context and the sampler's warm-up come on top"
                " and end in 'CUDA out of memory'."
            ),
            f"Set {server.change('gpu_memory_utilization', 'gpuMemoryUtilization')} to 0.85 to 0.92.",
        )
    if server.gpus not in (None, UNKNOWN) and not server.multi_node and needed > int(server.gpus):
        yield (
            f"shards the model over {needed} GPUs but its pod asks for {server.gpus}: vLLM stops at start.",
            f"Ask for {needed} GPUs or lower {server.change('tensor_parallel_size', 'tensorParallel')}.",
        )


def _fit(server: Server) -> Iterator[_Told]:
    question = sized(server)
    if question.unreadable:
        yield (
            (
                f"leaves {', '.join(question.unreadable)} to be known at run time, so nothing proves that the"
                " model fits."
            ),
            f"Write plain values: {server.key('model')} and the keys beside it.",
        )
    request = question.request
    if request is None:
        return
    found = fit(request)
    if found.verdict == "does_not_fit":
        yield from _refused(server, request, found)
    whole = needs_expert_parallel(request.model, request.variant, request.tensor_parallel)
    if whole and not server.parsed.flags.enable_expert_parallel:
        yield (
            (
                f"serves {_where(server, request)} without --enable-expert-parallel: a slice of an expert would cut the"
                " quantisation blocks of the checkpoint and vLLM stops at start."
            ),
            f"Add the switch, or lower {server.key('tensorParallel')}.",
        )


def _refused(server: Server, request: FitRequest, found: Fit) -> Iterator[_Told]:
    change = _change(server, request) if found.problems else ""
    for problem in found.problems:
        yield f"serves {_where(server, request)}: {problem}.", change


def _change(server: Server, request: FitRequest) -> str:
    keys = (
        f"{server.key('context')} and gpuMemoryUtilization, kvCacheDtype, maxNumSeqs, precision, tensorParallel"
        " beside it"
    )
    way_out = _way_out(server, request)
    return f"Set {way_out}: with that it fits; the keys are {keys}." if way_out else f"Change one of {keys}."


def _where(server: Server, request: FitRequest) -> str:
    where = f"{request.variant.hf_id} on {request.gpus} × {request.accelerator.name}"
    return where if server.release is not None else f"{where} with vLLM {server.judged}"


def _way_out(server: Server, request: FitRequest) -> str:
    """Return the cheapest settings with which it was sized to fit on the same GPUs; "" without any."""
    for change in changes_that_fit(request, gpus_per_node=request.tensor_parallel, buying=False):
        if not {*ROLE_FIELDS, "variant"}.issuperset(change.settings):
            continue
        settings = [
            f"{server.key('model')} to {change.request.variant.hf_id}"
            if name == "variant"
            else f"{server.key(_camel(ROLE_FIELDS[name]))} to {getattr(change.request, name)}"
            for name in change.settings
        ]
        return " and ".join(settings)
    return ""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
