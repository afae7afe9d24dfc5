"""What a platform cannot do, in sentences for who pays for it: each follows from a value of the report."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.cli.load_view import RESTARTS
from onprem_agents.cli.report_values import StackValues
from onprem_agents.sizing.floors import Floors
from onprem_agents.units import rough_time


def limits(values: StackValues) -> tuple[str, ...]:
    """Return the limits, those first that developers meet first."""
    return tuple(_limits(values))


def _limits(values: StackValues) -> Iterator[str]:
    main = values.main
    if main.sessions < values.developers:
        yield (
            f"{main.role} holds {main.sessions} sessions of {main.context_tokens:,} tokens at once: with more long "
            f"ones than that, some of the {values.developers} developers wait."
        )
    for server in values.servers:
        if missed := Floors().missed(server.together):
            told = "; ".join(miss.found for miss in missed)
            yield f"{server.role} is too slow while all {values.developers:,} developers work: {told}."
    yield (
        f"A session of {main.role} holds {main.context_tokens:,} tokens; an agent sums up what was before when it "
        "comes near that."
    )
    yield from _agents(values)
    yield from _images(values)
    yield f"One turn may take {rough_time(values.longest_turn_seconds)}; a longer one is cut off."
    for server in values.servers:
        if server.downtime:
            loading = server.loading
            yield (
                f"{server.role} is away while a new version of it loads, about {rough_time(loading.restart_seconds)} "
                f"({RESTARTS[loading.restart_kind]})."
            )
    single = [server.role for server in values.servers if server.replicas == 1]
    if single:
        each = "has one server" if len(single) == 1 else "have one server each"
        yield f"{_and(single)} {each}: when its node fails, the model is away until it has loaded elsewhere."
    yield (
        "Speeds are expected from the data sheets of the GPUs, not measured: "
        f"onprem-agents bench --stack {values.stack} measures."
    )


def _agents(values: StackValues) -> Iterator[str]:
    by_role = zip(*(server.agents for server in values.servers), strict=True)
    for one in by_role:
        obstacles = [agent.obstacle for agent in one if agent.obstacle is not None]
        if len(obstacles) == len(values.servers):
            yield f"{one[0].title} works with none of the roles: {obstacles[0]}."


def _images(values: StackValues) -> Iterator[str]:
    seeing = [server.role for server in values.servers if server.images]
    if not seeing:
        yield "No model takes images: screenshots and drawings cannot be shown to it."
    elif len(seeing) < len(values.servers):
        yield f"Images can be shown to {_and(seeing)} alone."


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
