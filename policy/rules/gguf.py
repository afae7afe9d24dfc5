"""checkpoints-can-be-loaded, checkpoints-are-not-gguf: files of llama.cpp, which vLLM took for a while."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onprem_agents.vllm import load_release, releases_around, version_key

from ..graph import Graph, Violation
from ..launch import is_plainly_vllm
from ..serving import Server, servers

_GGUF = "gguf"
_FILE = re.compile(r"\.gguf$", re.IGNORECASE)
_PART = re.compile(r"-\d+-of-\d+\.gguf$", re.IGNORECASE)
_QUANTISED_REPOSITORY = re.compile(r"^[^/:]+/[^/:]*gguf[^/:]*:[^/:]+$", re.IGNORECASE)
_REPOSITORY = re.compile(r"^[^/:]+/[^/:]*gguf$", re.IGNORECASE)
# vLLM 0.33.0, models/flint/gguf_nvfp4.py: the one model that reads such a file by itself.
_READS_IT = "flint"
# vLLM 0.20.0, model_loader/gguf_loader.py: from here on the other parts are looked for beside the first.
_JOINS_PARTS = (0, 20)
_INSTEAD = (
    "Serve a checkpoint of safetensors: FP8, NVFP4 (on Blackwell) or W4A16 (GPTQ, AWQ) save as much memory."
)


def checkpoints_can_be_loaded(graph: Graph) -> list[Violation]:
    """No vLLM server is given a GGUF file by a release that loads none.

    Mandatory where that is certain: the image is one of vLLM's makers, its release is told and has no GGUF among its
    quantisations (gone since 0.24), and no plugin is installed. A model that is only known at run time may be any.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} gives vLLM {server.judged} {what}: it loads no GGUF and stops at start.",
            change=_INSTEAD,
        )
        for server in servers(graph)
        for what in _given(server)
        if _surely_refused(server)
    ]


def checkpoints_are_not_gguf(graph: Graph) -> list[Violation]:
    """No vLLM server serves a GGUF file. Advisory where its release loads it, or may."""
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} gives vLLM {server.judged} {what}: {_why(server)}.",
            change=_INSTEAD,
        )
        for server in servers(graph)
        for what in (*_given(server), *_named(server))
        if not (_surely_refused(server) and any(_given(server)))
    ]


def _given(server: Server) -> Iterator[str]:
    """Yield, once, what tells for certain that a server loads GGUF."""
    flags = server.parsed.flags
    model = flags.model or ""
    if _READS_IT in model.casefold():
        return
    if _FILE.search(model) or _QUANTISED_REPOSITORY.match(model):
        yield f"the model {model}"
    elif flags.quantization == _GGUF:
        yield "--quantization gguf"
    elif flags.load_format == _GGUF:
        yield "--load-format gguf"


def _named(server: Server) -> Iterator[str]:
    model = server.parsed.flags.model or ""
    if _REPOSITORY.match(model) and not _FILE.search(model) and not any(_given(server)):
        yield f"the repository {model}"


def _surely_refused(server: Server) -> bool:
    around = releases_around(server.release or "")
    lacking = bool(around) and all(_GGUF not in load_release(each).quantization_methods for each in around)
    return lacking and is_plainly_vllm(server)


def _why(server: Server) -> str:
    release = load_release(server.parsed.judged_by)
    if _GGUF not in release.quantization_methods:
        return "since 0.24 it loads no GGUF without a plugin of others, which knows few families"
    if _PART.search(server.parsed.flags.model or "") and version_key(release.release)[:2] < _JOINS_PARTS:
        return "it reads the first of several files alone, and most of the weights are missing"
    return "it loads GGUF slowly, for few families, and no release since 0.24 does"
