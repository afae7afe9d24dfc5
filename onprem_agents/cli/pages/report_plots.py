"""The plots of a stack's page: sessions and speed against context and against developers, a line for each role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from onprem_agents.cli.pages.chart import Axis, Point, Series, chart, doubling, linear, plain
from onprem_agents.cli.pages.frame import figure
from onprem_agents.cli.report_values import Server, StackValues
from onprem_agents.units import format_tokens

_SPEED = "tokens/s for each developer"


@dataclass(frozen=True, kw_only=True)
class _Line:
    """The points of a role, and the one that is planned."""

    role: str
    points: list[Point]
    planned: Point


def plots(values: StackValues) -> Iterator[str]:
    """Yield the figures."""
    contexts = [point.context_tokens for server in values.servers for point in server.by_context]
    tokens = doubling("tokens of a session", contexts, lambda value: format_tokens(int(value)))
    people = linear("developers at work", [each.developers for each in values.main.by_developers], plain)
    at_work = f"with {values.developers} at work"
    yield _plot(
        "Sessions at once by their length",
        tokens,
        "sessions at once",
        _lines(values, _sessions_by_context),
        values.developers,
    )
    yield _plot(
        f"Speed by the length of sessions, {at_work}", tokens, _SPEED, _lines(values, _speed_by_context)
    )
    yield _plot("Speed by developers at work", people, _SPEED, _lines(values, _speed_by_developers))
    yield _plot(
        "Wait at the beginning of a task by developers at work",
        people,
        "seconds to first token",
        _lines(values, _wait_by_developers),
    )


def _lines(values: StackValues, line: Callable[[Server], _Line]) -> list[_Line]:
    return [line(server) for server in values.servers]


def _sessions_by_context(server: Server) -> _Line:
    points = [(float(each.context_tokens), float(each.sessions)) for each in server.by_context]
    return _Line(
        role=server.role, points=points, planned=(float(server.context_tokens), float(server.sessions))
    )


def _speed_by_context(server: Server) -> _Line:
    points = [
        (float(each.context_tokens), each.speed.tokens_per_second_per_developer) for each in server.by_context
    ]
    planned = (float(server.context_tokens), server.together.tokens_per_second_per_developer)
    return _Line(role=server.role, points=points, planned=planned)


def _speed_by_developers(server: Server) -> _Line:
    points = [(float(each.developers), each.tokens_per_second_per_developer) for each in server.by_developers]
    planned = (float(server.together.developers), server.together.tokens_per_second_per_developer)
    return _Line(role=server.role, points=points, planned=planned)


def _wait_by_developers(server: Server) -> _Line:
    points = [(float(each.developers), each.first_token_seconds_cold_30k) for each in server.by_developers]
    planned = (float(server.together.developers), server.together.first_token_seconds_cold_30k)
    return _Line(role=server.role, points=points, planned=planned)


def _plot(caption: str, across: Axis, title: str, lines: list[_Line], level: int | None = None) -> str:
    """Draw a line for each role with a mark where it is planned, and a dashed one at a level that matters."""
    most = [value for line in lines for _, value in line.points]
    up = linear(title, [*most, float(level or 0)], plain)
    series = [
        one
        for number, line in enumerate(lines)
        for one in (
            Series(name=line.role, points=line.points, colour=number),
            Series(name=line.role, points=[line.planned], kind="marks", colour=number),
        )
    ]
    if level is not None:
        points = [(across.low, float(level)), (across.high, float(level))]
        series.append(Series(name="developers", points=points, kind="level"))
    return figure(caption, chart(caption, across, up, series, keys=False))
