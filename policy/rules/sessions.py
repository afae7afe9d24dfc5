"""promised-sessions-are-held: sessions beyond what the KV cache holds wait behind whole turns of others."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.sizing import fit
from onprem_agents.stack.labels import SESSIONS_ANNOTATION

from ..graph import Graph, Value, Violation, dig
from ..memory import sized
from ..serving import Server, servers_for_agents


def promised_sessions_are_held(graph: Graph) -> list[Violation]:
    """A server whose annotation promises a number of sessions holds them at once, as the engine carefully reckons.

    Advisory: sessions are seldom at their full context all together, and vLLM makes the others wait. A server that the
    engine cannot size, or that does not fit at all, is the matter of the rules about memory; an amount or a number of
    replicas that is only known at run time proves nothing.
    """
    found = []
    for server in servers_for_agents(graph):
        promised = _count(server.resource.annotation(SESSIONS_ANNOTATION))
        replicas = replicas_of(server)
        held = _held(server) if promised is not None and replicas is not None else None
        if promised is None or replicas is None or held is None or promised <= held.sessions * replicas:
            continue
        found.append(
            Violation(
                resource=server.resource,
                message=f"{server.resource} is promised to hold {promised} sessions of {held.context_tokens} tokens"
                f" (the annotation {SESSIONS_ANNOTATION}), but its {_replicas(replicas)}"
                f" {held.sessions * replicas}: further sessions wait behind whole turns.",
                change=f"Raise the replicas ({server.key('replicas')}), lower"
                f" {server.change('max_model_len', 'context')}, raise"
                f" {server.change('max_num_seqs', 'maxNumSeqs')} if that is less, or promise fewer.",
            )
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Held:
    """What one replica holds at once: so many sessions of so many tokens each."""

    sessions: int
    context_tokens: int


def replicas_of(server: Server) -> int | None:
    """Return how many replicas serve at least, None where that is only known at run time."""
    spec = dig(server.resource.props, "spec")
    path = ("predictor", "minReplicas") if server.resource.kind == "InferenceService" else ("replicas",)
    given = dig(spec, *path)
    return 1 if given is None else _count(given)


def _held(server: Server) -> Held | None:
    """Return what one replica holds, None where it cannot be sized or does not fit."""
    request = sized(server).request
    if request is None:
        return None
    found = fit(request)
    return Held(sessions=found.sessions, context_tokens=request.context_tokens) if found.fits else None


def _count(value: Value) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() else None


def _replicas(count: int) -> str:
    return "one replica holds" if count == 1 else f"{count} replicas hold"
