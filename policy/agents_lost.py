"""Which agents a server loses by its model, its window or its release, and which of them are news to anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onprem_agents.vllm import UNREADABLE, serves

from .agent_needs import AGENT_NEEDS, LEAST_CONTEXT_TOKENS, AgentNeeds
from .architectures import missing_in
from .contracts import Role, role_of
from .graph import Graph, Resource, Value, dig, items, once
from .images import product_of, read_image
from .known import model_of
from .serving import Server

_MESSAGES = "/v1/messages"
# What stands before servers and makes chat completions of Anthropic's API (LiteLLM 1.109, claude-code-router 2.0, Envoy
# AI Gateway 1.1; read 2026-11). All three hand /v1/responses on as it is.
_TRANSLATORS = ("litellm", "claude-code-router")
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What the program says of a server: the agents it is promised to, and whether an agent's loss is news."""

    role: Role | None

    def is_made_to(self, agent: AgentNeeds) -> bool:
        """Whether a contract of the program says that the server serves that agent."""
        return self.role is not None and agent.name in self.role.promised and self._is_used(agent)

    def leaves_open(self, agent: AgentNeeds) -> bool:
        """Whether nothing tells that the agent is served, that it is not, or that nobody uses it."""
        role = self.role
        return role is None or (agent.name not in (*role.promised, *role.told) and self._is_used(agent))

    def _is_used(self, agent: AgentNeeds) -> bool:
        return self.role is None or self.role.used is None or agent.name in self.role.used


def promise_of(graph: Graph, server: Server) -> Promise:
    """Return what the program says of a server."""
    return Promise(role=role_of(graph, server))


def context_of(server: Server) -> int | None:
    """Return the tokens that a request may take with its answer, None where that is only known at run time.

    Without the option vLLM takes the model's own limit; with `auto` what the GPU holds, which the sizing tells.
    """
    given = server.parsed.read("max_model_len")
    if isinstance(given, int):
        return given
    known = model_of(server)
    if given is not None or known is None or server.parsed.read("hf_overrides") not in (None, UNREADABLE):
        return None
    return known.model.architecture.max_context_tokens


def lost_by_context(server: Server) -> tuple[AgentNeeds, ...]:
    """Return the agents that cannot work in a server's window; none where no agent can, which is said otherwise."""
    context = context_of(server)
    if context is None or context < LEAST_CONTEXT_TOKENS:
        return ()
    return tuple(needs for needs in AGENT_NEEDS if context < needs.least_context_tokens)


def lost_by_model(server: Server) -> Mapping[str, str]:
    """Return the agents that are known to fail with a server's model, with the reason."""
    known = model_of(server)
    if known is None:
        return {}
    model = known.model
    if model.tool_call_parser is None:
        if server.parsed.flags.tool_parser_plugin:
            return {}
        return {needs.name: "vLLM has no parser for its tool calls" for needs in AGENT_NEEDS}
    reasons = {needs.name: model.obstacle(needs.name) for needs in AGENT_NEEDS}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def lost_by_release(graph: Graph, server: Server) -> tuple[AgentNeeds, ...]:
    """Return the agents that ask for a path which the release in a server's image does not have.

    None where that release does not even load the model, which is said otherwise.
    """
    if server.release is None or missing_in(server) is not None:
        return ()
    translated = _MESSAGES if _translates(graph) else ""
    return tuple(
        needs for needs in AGENT_NEEDS if needs.path != translated and not serves(server.release, needs.path)
    )


@once
def _translates(graph: Graph) -> bool:
    if any(graph.of_kind("aigateway.envoyproxy.io", "AIGatewayRoute")):
        return True
    images = (read_image(image) for image in _images(graph))
    return any(image is not None and product_of(image) in _TRANSLATORS for image in images)


def _images(graph: Graph) -> Iterator[Value]:
    found: Iterator[Resource] = graph.of_kind("apps", *_WORKLOADS)
    for workload in found:
        for container in items(dig(workload.props, "spec", "template", "spec", "containers")):
            yield dig(container, "image")
