"""A stack's report in a few lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.cli.cost_view import cost_lines
from onprem_agents.cli.report_checks import Checks
from onprem_agents.cli.report_limits import limits
from onprem_agents.cli.report_values import Server, StackValues
from onprem_agents.sizing import Speed
from onprem_agents.sizing.shown import rate


def headline(values: StackValues) -> str:
    """Return who works on what, in one sentence."""
    nodes = "; ".join(
        f"{count(one.nodes, 'node')} with {one.gpus_per_node} × {one.accelerator}, {one.gpus - one.free_gpus} of "
        f"{count(one.gpus, 'GPU')} used"
        for one in values.hardware
    )
    return f"{count(values.developers, 'developer')} on {nodes}"


def lines(values: StackValues, checks: Checks) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"Stack {values.stack}: {headline(values)}"
    for server in values.servers:
        yield f"  {server.role}: {server.model} ({server.precision}), {servers_of(server)}"
        yield (
            f"    {count(server.sessions, 'session')} of {server.context_tokens:,} tokens at once; "
            f"{speed(server.together)} an answer with {count(values.developers, 'developer')} at work, "
            f"{speed(server.alone)} for one alone"
        )
        if server.quality is not None:
            yield f"    {server.quality}"
    if values.main.agents:
        yield f"Agents: {agents(values)}"
    if values.cost is not None:
        whole, *pools = cost_lines(values.cost.to_wire())
        yield f"Cost: {whole}"
        yield from (f"  {pool}" for pool in pools)
    yield f"Policies: {policies(checks)}"
    yield "What it cannot do:"
    for limit in limits(values):
        yield f"  - {limit}"


def servers_of(server: Server) -> str:
    """Return how many servers on how many GPUs a role has."""
    return f"{count(server.replicas, 'server')} on {count(server.gpus_per_replica, 'GPU')}" + (
        " each" if server.replicas > 1 else ""
    )


def speed(found: Speed) -> str:
    """Return a developer's tokens a second."""
    return f"about {rate(found.tokens_per_second_per_developer)} tokens/s"


def agents(values: StackValues) -> str:
    """Return the agents that the main role serves."""
    served = [agent.title for agent in values.main.agents if agent.obstacle is None]
    return ", ".join(served) or f"none works with {values.main.role}"


def policies(checks: Checks) -> str:
    """Return the verdict of the policy pack in a few words."""
    if checks.verdicts is None:
        return "not asked: the policy pack is not installed (pip install 'onprem-coding-agents[platform]')"
    failed = [verdict.policy for verdict in checks.verdicts if verdict.findings]
    told = f"{len(checks.verdicts) - len(failed)} of {len(checks.verdicts)} passed on {checks.count} objects"
    return f"{told}; not {', '.join(failed)}" if failed else told


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
