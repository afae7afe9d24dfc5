"""deployment-modes-exist, deployment-modes-are-current: the word that tells KServe how to run a service."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.errors import nearest_hint

from ..graph import UNKNOWN, Graph, Violation
from ..operation import MODE, Told, about_each, is_of_openshift, is_ours, modes
from ..serving import Server, servers


def deployment_modes_exist(graph: Graph) -> list[Violation]:
    """The deployment mode of a service is one that some KServe knows. Needs a literal.

    For any other word KServe takes the cluster's default and writes that into the status; from then on its webhook
    refuses each change, as the annotation differs from it (v0.16.0 to main of 2026-08-21, GetDeploymentMode and
    validateDeploymentMode; kserve#4798).
    """
    return about_each(servers(graph), _unknown)


def deployment_modes_are_current(graph: Graph) -> list[Violation]:
    """The deployment mode is called as KServe calls it since 0.16. Advisory.

    OpenShift AI's KServe and those before 0.16 know the former words only; our own services have the word of the
    release that their stack names.
    """
    return about_each(servers(graph), _former)


def _unknown(server: Server) -> Iterator[Told]:
    said = server.resource.annotation(MODE)
    if server.resource.kind != "InferenceService":
        return
    if said is UNKNOWN:
        yield Told(f"has a {MODE} that is only known at run time", "Write Standard.")
    elif said is not None and str(said) not in modes():
        hint = nearest_hint(str(said), (*modes(), *set(modes().values())))
        yield Told(
            f"has {MODE}: {said}, which no KServe knows ({hint}): it takes the cluster's default instead, and refuses"
            f' each later change ("deploymentMode cannot be changed")',
            f"Write {_nearest(str(said))}.",
        )


def _former(server: Server) -> Iterator[Told]:
    said = str(server.resource.annotation(MODE))
    now = modes().get(said, said)
    kserves = server.resource.kind == "InferenceService"
    if kserves and now != said and not is_ours(server.resource) and not is_of_openshift(server.resource):
        yield Told(
            f"has {MODE}: {said}: KServe writes {now} over it from 0.16 on, so that each preview finds a change",
            f"Write {now}, unless KServe is older than 0.16.",
        )


def _nearest(said: str) -> str:
    """Return today's word for what was meant, Standard where nothing tells."""
    folded = {word.casefold(): mode for word, mode in modes().items()}
    starts = [mode for word, mode in folded.items() if word[:3] == said.casefold()[:3]]
    return folded.get(said.casefold(), next(iter(starts), "Standard"))
