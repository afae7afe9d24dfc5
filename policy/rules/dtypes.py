"""dtype-is-accepted, weights-keep-their-type: what --dtype makes of a checkpoint that was trained in BF16."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.catalog import Variant

from ..graph import Graph, Violation
from ..known import accelerator_of, model_of
from ..serving import Server, servers
from ..words import argument_of

_HALF = ("half", "float16")
# vLLM 0.10.2 to 0.33, config/model.py (_FLOAT16_NOT_SUPPORTED_MODELS), read 2026-11-29: model types of config.json.
_NO_HALF = frozenset({"gemma2", "gemma3", "gemma3_text", "glm4"})
# The same releases, layers/quantization/mxfp4.py (get_supported_act_dtypes): it computes in BF16 alone.
_NO_HALF_QUANTISED = "mxfp4"
# Checkpoints of these say BF16 in their config.json; those of AWQ and GPTQ often say FP16 themselves.
_BF16 = frozenset({"bf16", "fp8", "nvfp4", "mxfp4", "native"})
# NVIDIA CUDA programming guide, compute capabilities: BF16 from Ampere on.
_FIRST_WITH_BF16 = 8.0


def dtype_is_accepted(graph: Graph) -> list[Violation]:
    """No vLLM server is told a --dtype that vLLM refuses for its model.

    Only what is written out fails: a model or a type that is only known at run time meets no refusal that could be
    named, and a model that the catalogue does not know is left to serving-can-be-checked.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} has --dtype {server.parsed.flags.dtype} with {what}: vLLM stops at start,"
            f" as {why}.",
            change=f"Remove {argument_of(server, '--dtype')}: the checkpoint tells its type.",
        )
        for server in servers(graph)
        for what, why in _refused(server)
    ]


def weights_keep_their_type(graph: Graph) -> list[Violation]:
    """No checkpoint of BF16 is served in FP16. Advisory, and silent where vLLM refuses it or the GPU has no BF16."""
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} has --dtype {server.parsed.flags.dtype} with {name}, which was trained in"
            " BF16: FP16 ends at 65,504, so that large values overflow and answers decay without an error.",
            change=f"Remove {argument_of(server, '--dtype')}: the checkpoint tells its type. Only GPUs before Ampere"
            " need it.",
        )
        for server in servers(graph)
        if not any(_refused(server))
        for name in _overflows(server)
    ]


def _refused(server: Server) -> Iterator[tuple[str, str]]:
    known = model_of(server)
    if known is None or server.parsed.flags.dtype not in _HALF:
        return
    if known.model.architecture.model_type in _NO_HALF:
        yield known.model.hf_id, f"{known.model.architecture.model_type} is numerically unstable in FP16"
    elif known.variant is not None and known.variant.precision == _NO_HALF_QUANTISED:
        yield known.variant.hf_id, f"its kernels of {_NO_HALF_QUANTISED} compute in BF16 alone"


def _overflows(server: Server) -> Iterator[str]:
    known, gpu = model_of(server), accelerator_of(server)
    old = gpu is not None and gpu.vendor == "nvidia" and gpu.compute_capability < _FIRST_WITH_BF16
    if known is None or old or server.parsed.flags.dtype not in _HALF:
        return
    if known.variant is not None and _says_bf16(known.variant):
        yield known.variant.hf_id


def _says_bf16(variant: Variant) -> bool:
    return variant.precision in _BF16
