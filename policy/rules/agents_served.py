"""context-holds-an-agent, context-fits-the-agents, model-suits-the-agents, release-speaks-to-the-agents and
promised-agents-are-served: a server that starts, and yet is of no use to those who are to work with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..agent_needs import AGENT_NEEDS, LEAST_CONTEXT_TOKENS, AgentNeeds, titles
from ..agents_lost import (
    Promise,
    context_of,
    lost_by_context,
    lost_by_model,
    lost_by_release,
    promise_of,
)
from ..graph import Graph, Violation
from ..known import model_of
from ..serving import Server, servers_for_agents


def context_holds_an_agent(graph: Graph, *, minimum_context_tokens: int = 0) -> list[Violation]:
    """The window of a server for agents holds what the least demanding of them needs, or more where that is asked for.

    A window that is only known at run time is left to memory-headroom-is-left, which refuses it. A role of which a
    contract of the program says that no agent works with it (one for titles) may be as small as it likes.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} serves a context of {context} tokens, {_why(minimum_context_tokens)}.",
            change=f"Set {server.change('max_model_len', 'context')} to at least"
            f" {max(minimum_context_tokens, LEAST_CONTEXT_TOKENS)}, better 65536.",
        )
        for server in servers_for_agents(graph)
        if (context := context_of(server)) is not None
        and context < max(minimum_context_tokens, LEAST_CONTEXT_TOKENS)
        and not _told_for_none(promise_of(graph, server))
    ]


def context_fits_the_agents(graph: Graph) -> list[Violation]:
    """Each agent has room to work in a server's window. Advisory, as not every team uses every agent.

    An agent whose users are told so by a contract of the program, or whom that says nobody uses, is no news. A window
    that is only known at run time proves nothing.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} serves a context of {context_of(server)} tokens, too small for"
            f" {_with_needs(lost)}: what they start with leaves no room to work.",
            change=f"Set {server.change('max_model_len', 'context')} to at least"
            f" {max(needs.least_context_tokens for needs in lost)} where these agents are used.",
        )
        for server in servers_for_agents(graph)
        if (lost := _news(promise_of(graph, server), lost_by_context(server)))
    ]


def model_suits_the_agents(graph: Graph) -> list[Violation]:
    """A model is not one that agents are known to fail with. Advisory, as other agents may work with it.

    A model that is not known, or only at run time, proves nothing.
    """
    found = []
    for server in servers_for_agents(graph):
        reasons = lost_by_model(server)
        failing = _news(promise_of(graph, server), _named(reasons))
        if failing:
            found.append(
                Violation(
                    resource=server.resource,
                    message=f"{server.resource} serves {_model(server)}, which does not work with"
                    f" {_whom(failing)}: {_reasons(failing, reasons)}.",
                    change=f"Serve another model ({server.key('model')} or the model argument), or leave these"
                    " agents to another server.",
                )
            )
    return found


def release_speaks_to_the_agents(graph: Graph) -> list[Violation]:
    """The release of vLLM answers to the path that each agent asks. Advisory, as not every team uses every agent.

    A proxy of the program that translates Anthropic's API stands in for that path. An image that tells no release
    proves nothing.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} runs vLLM {server.release}, which has no"
            f" {' and no '.join(sorted({needs.path for needs in lost}))}: 404 for {titles(lost)}.",
            change="Set platform.serving.vllm (the image of anybody else) to a release that has it; for /v1/messages a"
            " translation proxy before the server does too.",
        )
        for server in servers_for_agents(graph)
        if (lost := _news(promise_of(graph, server), lost_by_release(graph, server)))
    ]


def promised_agents_are_served(graph: Graph) -> list[Violation]:
    """An agent that a contract of the program promises to serve can work with the server behind that role.

    By its model, its window and the paths of its release; what is only known at run time is refused by the rules about
    these. A contract that is only known at run time promises nothing yet.
    """
    found = []
    for server in servers_for_agents(graph):
        promise = promise_of(graph, server)
        broken = list(_broken(graph, server, promise))
        if promise.role is not None and broken:
            found.append(
                Violation(
                    resource=server.resource,
                    message=f"{server.resource} cannot serve agents that {promise.role.contract} promises for the role"
                    f" {promise.role.role}: {'; '.join(broken)}.",
                    change=f"Change the server ({server.key('model')}, {server.change('max_model_len', 'context')} or"
                    " its image), or leave these agents out of supportedAgents.",
                )
            )
    return found


def _broken(graph: Graph, server: Server, promise: Promise) -> Iterator[str]:
    reasons = lost_by_model(server)
    failing = [needs for needs in _named(reasons) if promise.is_made_to(needs)]
    if failing:
        yield f"{_model(server)} does not work with {_whom(failing)} ({_reasons(failing, reasons)})"
    cramped = [
        needs for needs in lost_by_context(server) if promise.is_made_to(needs) and needs not in failing
    ]
    if cramped:
        yield f"its context of {context_of(server)} tokens is too small for {_with_needs(cramped)}"
    unheard = [needs for needs in lost_by_release(graph, server) if promise.is_made_to(needs)]
    if unheard:
        paths = " and ".join(sorted({needs.path for needs in unheard}))
        yield f"vLLM {server.release} has no {paths} for {titles(unheard)}"


def _news(promise: Promise, lost: Iterable[AgentNeeds]) -> tuple[AgentNeeds, ...]:
    return tuple(needs for needs in lost if promise.leaves_open(needs))


def _named(names: Iterable[str]) -> tuple[AgentNeeds, ...]:
    wanted = set(names)
    return tuple(needs for needs in AGENT_NEEDS if needs.name in wanted)


def _told_for_none(promise: Promise) -> bool:
    return promise.role is not None and not promise.role.promised


def _why(minimum_context_tokens: int) -> str:
    if minimum_context_tokens > LEAST_CONTEXT_TOKENS:
        return f"below the {minimum_context_tokens} that this policy is configured to ask for"
    least = min(AGENT_NEEDS, key=lambda needs: needs.least_context_tokens)
    return (
        f"in which no coding agent can work: even {least.title} needs {least.least_context_tokens} for its first"
        " request and a few turns"
    )


def _with_needs(agents: Iterable[AgentNeeds]) -> str:
    return ", ".join(f"{needs.title} (needs {needs.least_context_tokens})" for needs in agents)


def _whom(agents: tuple[AgentNeeds, ...] | list[AgentNeeds]) -> str:
    return "any coding agent" if len(agents) == len(AGENT_NEEDS) else titles(agents)


def _reasons(agents: Iterable[AgentNeeds], reasons: Mapping[str, str]) -> str:
    return "; ".join(dict.fromkeys(reasons[needs.name] for needs in agents))


def _model(server: Server) -> str:
    known = model_of(server)
    return "its model" if known is None else known.model.name
