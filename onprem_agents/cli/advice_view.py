"""Choices of hardware and models as `onprem-agents advise` shows them: tables, lines and JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from onprem_agents.advice.advise import Advice, Asked, Ranking, quality_in_words
from onprem_agents.advice.prices import per_month
from onprem_agents.advice.quality import RANKING, SHORT, quality_of
from onprem_agents.agents import AGENTS
from onprem_agents.sizing import bounds_of
from onprem_agents.sizing.shown import rate
from onprem_agents.stack.cost import PriceList
from onprem_agents.units import format_tokens

_SHOWN = 8
_OTHERS = ", ".join(f"{short} ({name})" for name, short in SHORT.items())
LEGEND = (
    f"  quality: % of {RANKING} solved; {_OTHERS}: not measured there, the figure is of that benchmark and comes after "
    "all that are; without any last; seen: how many of the agents that are tried were seen working with it, none: try "
    "it before you rely on it"
)


def hardware_values(ranking: Ranking, prices: PriceList | None) -> dict[str, Any]:
    """Return a ranking of one accelerator as JSON values: its first choice."""
    return {
        "gpu": ranking.accelerator.name,
        "gpus": ranking.gpus,
        "gpuMemoryGib": round(ranking.gpus * ranking.accelerator.total_gib, 1),
        **choice_values(ranking.choices[0]),
        **cost_values(prices, ranking.choices[0], ranking.gpus),
    }


def choice_values(advice: Advice) -> dict[str, Any]:
    """Return a choice as JSON values."""
    request = advice.request
    bounds = bounds_of(advice.memory, advice.sessions // advice.replicas)
    return {
        "model": request.variant.hf_id,
        "precision": request.variant.precision,
        "license": advice.model.license,
        "quality": _quality_values(advice),
        "agents": {agent.name: advice.model.works_with(agent.name) for agent in AGENTS},
        "tensorParallel": request.tensor_parallel,
        "replicas": advice.replicas,
        "contextTokens": request.context_tokens,
        "largestContextTokens": advice.largest_context_tokens,
        "kvCacheDtype": request.cache_dtype,
        "sessions": advice.sessions,
        "speed": advice.speed.to_wire(),
        "decodeTokensPerSecondBound": round(bounds.decode_tokens_per_second_one, 1),
        "reasons": list(advice.reasons),
    }


def cost_values(prices: PriceList | None, advice: Advice, gpus: int) -> dict[str, Any]:
    """Return what a choice costs as JSON values, nothing without prices."""
    if prices is None:
        return {}
    month = per_month(prices, advice, gpus)
    told = (
        None
        if month is None
        else {
            "perMonth": round(month, 2),
            "perDeveloperAndMonth": round(month / advice.developers, 2),
            "currency": prices.currency,
            "source": prices.source,
            "date": prices.day.isoformat(),
        }
    )
    return {"cost": told}


def cost_line(prices: PriceList, advice: Advice, gpus: int) -> str:
    """Return what a choice costs as one line."""
    month = per_month(prices, advice, gpus)
    if month is None:
        return f"cost: the file of prices says nothing of {advice.accelerator.name}"
    return (
        f"cost: {month:,.0f} {prices.currency} a month for {gpus} × {advice.accelerator.name}, "
        f"{month / advice.developers:,.0f} a developer ({prices.source}, {prices.day})"
    )


def _quality_values(advice: Advice) -> dict[str, Any]:
    standing = advice.standing
    figure = standing.figure if standing is not None else quality_of(advice.model)
    if standing is None:
        placed: dict[str, Any] = {}
    elif standing.over is None:
        placed = {"rankedAt": standing.score, "notBehind": None}
    else:  # inferred: no figure of the benchmark that ranks
        placed = {"rankedAt": None, "notBehind": {"model": standing.over, "score": standing.score}}
    told = figure.model_dump(mode="json") if figure is not None else {"unrated": advice.model.unrated}
    return {**told, **placed}


def print_choices(ranked: tuple[Advice, ...], slow: tuple[Advice, ...], console: Console) -> None:
    """Print the table of choices, why the first is first, and what was left out."""
    table = Table(
        *("", _model_column(), Column("GPUs", no_wrap=True), _sessions_column(), _speed_column()),
        *(_quality_column(), _seen_column()),
        show_edge=False,
    )
    for place, advice in enumerate(ranked[:_SHOWN], start=1):
        model, *rest = _cells(advice)
        table.add_row(f"{place}", model, f"{advice.replicas} × {advice.request.tensor_parallel}", *rest)
    console.print(table)
    for reason in ranked[0].reasons:
        console.print(f"  1: {reason}", soft_wrap=True, markup=False)
    if len(ranked) > _SHOWN:
        console.print(f"  … and {len(ranked) - _SHOWN} more (--json lists all)")
        _print_first_inferred(ranked, console)
    for why, left in groupby(sorted(slow, key=_missed), key=_missed):
        those = list(left)
        console.print(
            f"  {len(those)} left out: {why} (the best known: {_best_known(those)})",
            soft_wrap=True,
            markup=False,
        )

    console.print(LEGEND, soft_wrap=True)


def _print_first_inferred(ranked: tuple[Advice, ...], console: Console) -> None:
    """Name the best model whose quality is inferred where it is beyond the table: it may be better than those in it."""
    for place, advice in enumerate(ranked, start=1):
        if advice.standing is not None and advice.standing.over is not None:
            if place > _SHOWN:
                told = f"  {place}: {advice.request.variant.hf_id}: {quality_in_words(advice.standing)}"
                console.print(told, soft_wrap=True, markup=False)
            return


def _missed(advice: Advice) -> str:
    return advice.floors.misses(advice.speed) or "slower than others of their kind"


def _best_known(slow: list[Advice]) -> str:
    best = max(slow, key=lambda advice: advice.place)
    speed = best.speed
    return (
        f"{best.request.variant.hf_id}, about {rate(speed.tokens_per_second_per_developer)} tokens/s, bounded by "
        f"{speed.bounded_by}"
    )


def _speed_column() -> Column:
    return Column("tok/s, by", no_wrap=True)


def _model_column() -> Column:
    """Return the column that people copy from: a name that is too long goes on in the next line."""
    return Column("model", overflow="fold", ratio=1)


def _sessions_column() -> Column:
    return Column("sessions", no_wrap=True)


def _quality_column() -> Column:
    return Column("quality", no_wrap=True)


def _seen_column() -> Column:
    return Column("seen", no_wrap=True)


def _cells(advice: Advice) -> tuple[str, str, str, str, str]:
    """Return model, sessions with their context, speed, quality and how many agents were seen working with it."""
    request = advice.request
    return (
        f"{request.variant.hf_id} ({request.variant.precision})",
        f"{advice.sessions} × {format_tokens(request.context_tokens)}",
        f"{rate(advice.speed.tokens_per_second_per_developer)} {advice.speed.bounded_by.split()[0]}",
        f"{advice.standing or ''}",
        f"{len(advice.agents) or ''}",
    )


def floors_line(asked: Asked) -> str:
    """Return in words what is left out."""
    floors = asked.floors
    return (
        f"below {floors.tokens_per_second:g} tokens/s for each developer (--min-speed), or over "
        f"{floors.first_token_seconds:g} s to the first token of 30k (--max-first-token)"
    )


def hardware_table(each: Sequence[Ranking], prices: PriceList | None) -> Table:
    """Return the table of the first choice of each accelerator, with its cost a month where prices are given."""
    table = Table(
        Column("GPUs", no_wrap=True),
        _model_column(),
        _sessions_column(),
        _speed_column(),
        _quality_column(),
        _seen_column(),
        *([Column(f"{prices.currency}/month", no_wrap=True)] if prices is not None else []),
        show_edge=False,
    )
    for ranking in each:
        advice = ranking.choices[0]
        row = [f"{ranking.gpus} × {ranking.accelerator.name}", *_cells(advice)]
        if prices is not None:
            month = per_month(prices, advice, ranking.gpus)
            row.append("" if month is None else f"{month:,.0f}")
        table.add_row(*row)
    return table
