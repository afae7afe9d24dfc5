"""cuda-nodes-are-required: a server on a node whose driver is too old never starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..graph import Graph, Value, Violation, dig, items
from ..operation import Told, about_each
from ..serving import Server, servers

# Labels of NVIDIA's GPU feature discovery for CUDA and the driver, the former names among them (v0.17, read 2026-11).
_PREFIXES = ("nvidia.com/cuda.runtime", "nvidia.com/cuda.driver")
_GREATER = frozenset({"Gt", "NotIn", "Exists"})


def cuda_nodes_are_required(graph: Graph) -> list[Violation]:
    """A server that asks for nodes by their CUDA release requires it, and takes the newer ones too. Advisory."""
    return about_each(servers(graph), _unbound)


def _unbound(server: Server) -> Iterator[Told]:
    affinity = dig(server.pod, "affinity", "nodeAffinity")
    preferred = [
        each
        for term in items(dig(affinity, "preferredDuringSchedulingIgnoredDuringExecution"))
        for each in _about_cuda(dig(term, "preference"))
    ]
    terms = dig(affinity, "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
    required = [each for term in items(terms) for each in _about_cuda(term)]
    change = (
        "Require it by requiredDuringSchedulingIgnoredDuringExecution with two terms: major Gt the one before for newer"
        " ones, or major In this one and minor Gt the one before."
    )
    if preferred and not required:
        yield Told(
            f"only prefers nodes by {dig(preferred[0], 'key')}: where those are full it lands on one whose driver is"
            " too old, and stops at start",
            change,
        )
    majors = [each for each in required if str(dig(each, "key")).endswith("major")]
    fixed = [
        each for each in majors if dig(each, "operator") == "In" and len(items(dig(each, "values"))) == 1
    ]
    selected = [key for key in _keys(dig(server.pod, "nodeSelector")) if key.endswith("major")]
    if selected or (fixed and not any(dig(each, "operator") in _GREATER for each in majors)):
        key = selected[0] if selected else dig(fixed[0], "key")
        yield Told(
            f"takes nodes of one {key} alone, though newer drivers run older CUDA releases too", change
        )


def _about_cuda(term: Value) -> Iterator[Value]:
    for expression in items(dig(term, "matchExpressions")):
        if str(dig(expression, "key")).startswith(_PREFIXES):
            yield expression


def _keys(selector: Value) -> list[str]:
    return (
        [str(key) for key in selector if str(key).startswith(_PREFIXES)]
        if isinstance(selector, Mapping)
        else []
    )
