"""release-loads-the-model, release-suits-the-model: a model that came after the release of vLLM in the image."""

from __future__ import annotations

from onprem_agents.vllm import known_releases, version_key

from ..architectures import missing_in
from ..checkpoints import KnownModel
from ..graph import Graph, Violation
from ..known import model_of
from ..own_image import installs
from ..serving import Server, servers


def release_loads_the_model(graph: Graph) -> list[Violation]:
    """No server of a release as it was published has a model whose architecture its release does not know.

    An image whose release nothing tells is left to the other rules, as is the image of anybody else: it may have been
    given newer models. A model that is only known at run time is refused by parser-fits-the-model.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} serves {known.model.name} with vLLM {server.release}, which has no"
            f" {missing}: it stops at start, as it does not know the architecture.",
            change=_change(known, server),
        )
        for server in servers(graph)
        if (known := model_of(server)) is not None and (missing := missing_in(server)) is not None
    ]


def release_suits_the_model(graph: Graph) -> list[Violation]:
    """The release in the image is not older than the one from which on a checkpoint is known to be served.

    Advisory: an older one may serve it in part, and the image of anybody else may hold more than its release tells.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} serves {_name(known)} with vLLM {server.release}; it is known to be served from"
            f" {oldest} on ({_told_by(known)}).",
            change=_change(known, server),
        )
        for server in servers(graph)
        if (known := model_of(server)) is not None
        and server.release is not None
        and version_key(server.release) < version_key(oldest := oldest_release(known))
        and not installs(server)
        and missing_in(server) is None
    ]


def oldest_release(known: KnownModel) -> str:
    """Return the release from which on a model, or one checkpoint of it, is known to be served."""
    of_variant = known.variant.min_vllm if known.variant is not None else None
    return max(known.model.min_vllm, of_variant or "0", key=version_key)


def _told_by(known: KnownModel) -> str:
    if known.variant is not None and known.variant.min_vllm == oldest_release(known):
        return known.variant.source.where
    return known.model.serving_source.where


def _name(known: KnownModel) -> str:
    return known.model.name if known.variant is None else known.variant.hf_id


def _change(known: KnownModel, server: Server) -> str:
    oldest = oldest_release(known)
    able = [release for release in known_releases() if version_key(release) >= version_key(oldest)]
    return (
        f"Take vLLM {(able or [oldest])[0]} or newer: platform.serving.vllm (the image of anybody else), or another"
        f" model: {server.key('model')}."
    )
