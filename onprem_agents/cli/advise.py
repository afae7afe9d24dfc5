"""`onprem-agents advise --developers 20 --gpu L40S --count 4`: the models these GPUs serve to a team, or which GPUs."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import yaml
from rich.console import Console
from rich.table import Column, Table

from onprem_agents.advice.advise import FLOORS, Advice, Asked, Ranking, advise, left_out
from onprem_agents.advice.floors import Floors
from onprem_agents.advice.hardware import best_of_each
from onprem_agents.advice.quality import RANKING, quality_of
from onprem_agents.agents import AGENTS
from onprem_agents.catalog import load_catalog
from onprem_agents.cli.options import json_option
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.sizing import bounds_of
from onprem_agents.stack.settings import PROJECT
from onprem_agents.units import BadUnit, format_tokens, parse_tokens

_SHOWN = 8
_LEGEND = (
    f"  quality: % of {RANKING} solved, ≥ by a benchmark that it shares with a model that has such a figure; "
    "those without come last"
)


@click.command(name="advise")
@click.option("--gpu", help="Accelerator of the catalogue, e.g. L40S. Without it: the best choice of each.")
@click.option(
    "--count", type=click.IntRange(1, 16), help="GPUs of the node. Default: 1; without --gpu what is best."
)
@click.option("--developers", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--context", default="128K", show_default=True, help="Tokens of one session, '64K' or 65536.")
@click.option(
    "--min-speed",
    "rate",
    type=click.FloatRange(min=0),
    default=FLOORS.tokens_per_second,
    show_default=True,
    help="Leave out what gives each developer less, in tokens/s, with all at work; 0: nothing.",
)
@click.option(
    "--max-first-token",
    "wait",
    type=click.FloatRange(min=0, min_open=True),
    default=FLOORS.first_token_seconds,
    show_default=True,
    help="Leave out what takes longer to the first token of a new prompt of 30,000, in seconds.",
)
@click.option(
    "--write", "target", type=click.Path(path_type=Path), help="Write the first choice as a stack file."
)
@json_option
def advise_command(
    gpu: str | None,
    count: int | None,
    developers: int,
    context: str,
    rate: float,
    wait: float,
    target: Path | None,
    as_json: bool,
) -> None:
    """Rank the models of the catalogue that these GPUs can serve to a team, with the reasons.

    Without --gpu, or with --gpu all: the best choice on one server of each accelerator that can be bought, the best
    model on the least memory first. Speeds are expected ones, for all developers at work at once.
    """
    try:
        tokens = parse_tokens(context)
    except BadUnit as error:
        raise click.UsageError(str(error)) from None
    floors = Floors(tokens_per_second=rate, first_token_seconds=wait)
    asked = Asked(developers=developers, context_tokens=tokens, floors=floors)
    if gpu is None or gpu.casefold() == "all":
        if target is not None:
            raise click.UsageError("--write writes a stack for GPUs that you have: name them with --gpu")
        _advise_hardware(count, asked, as_json)
    else:
        _advise_models(gpu, count or 1, asked, target, as_json)


def _advise_models(gpu: str, count: int, asked: Asked, target: Path | None, as_json: bool) -> None:
    catalog = load_catalog()
    accelerator = catalog.accelerator(gpu)
    ranked, slow = advise(catalog, accelerator, count, asked), left_out(catalog, accelerator, count, asked)
    if not ranked:
        where = f"{count} × {accelerator.name}"
        if slow:
            raise _nothing_is_fast(where, slow, asked)
        raise _nothing_fits(where, f"{count * accelerator.total_gib:.0f} GiB of GPU memory")
    if target is not None:
        _write(target, ranked[0], count, asked.developers)
    if as_json:
        click.echo(json.dumps([_values(advice) for advice in ranked], indent=2))
        return
    _print(ranked, slow, Console(highlight=False))
    if target is not None:
        click.echo(f"written: {target}")


def _advise_hardware(count: int | None, asked: Asked, as_json: bool) -> None:
    each = best_of_each(load_catalog(), asked, gpus=count)
    if not each:
        raise _nothing_fits(
            "every accelerator of the catalogue", f"a context of {asked.context_tokens} tokens"
        )
    if as_json:
        click.echo(json.dumps([_hardware_values(ranking) for ranking in each], indent=2))
        return
    table = Table(
        Column("GPUs", no_wrap=True),
        _model_column(),
        _sessions_column(),
        _speed_column(),
        _quality_column(),
        "agents",
        show_edge=False,
    )
    for ranking in each:
        gpus = f"{ranking.gpus} × {ranking.accelerator.name}"
        table.add_row(gpus, *_cells(ranking.choices[0]))
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"  sessions and tokens/s of each for {asked.developers} developers at work; "
        "onprem-agents advise --gpu NAME --count N ranks the models of one row",
        soft_wrap=True,
    )
    console.print(_LEGEND, soft_wrap=True)
    console.print(f"  left out: {_floors_line(asked)}", soft_wrap=True)


def _floors_line(asked: Asked) -> str:
    floors = asked.floors
    return (
        f"below {floors.tokens_per_second:g} tokens/s for each developer (--min-speed), or over "
        f"{floors.first_token_seconds:g} s to the first token of 30k (--max-first-token)"
    )


def _nothing_is_fast(where: str, slow: tuple[Advice, ...], asked: Asked) -> InvalidInput:
    fastest = slow[0]
    speed = fastest.speed
    problem = Problem(
        where=where,
        cause="does-not-fit",
        found=(
            f"{len(slow)} models fit; the fastest, {fastest.request.variant.hf_id}, gives about "
            f"{speed.tokens_per_second_per_developer:.1f} tokens/s to each of {asked.developers} developers, bounded "
            f"by {speed.bounded_by}, and {speed.first_token_seconds_cold_30k:,.0f} s to the first token of 30k"
        ),
        why=f"all are {_floors_line(asked)}",
        fix="take more or faster GPUs ('onprem-agents advise' names some), or ask for less speed",
    )
    return InvalidInput("advise", [problem])


def _nothing_fits(where: str, found: str) -> InvalidInput:
    problem = Problem(
        where=where,
        cause="does-not-fit",
        found=found,
        why="no model of the catalogue fits with a context that agents can work with",
        fix="take more or larger GPUs; 'onprem-agents catalog' lists models and accelerators",
    )
    return InvalidInput("advise", [problem])


def _hardware_values(ranking: Ranking) -> dict[str, Any]:
    return {
        "gpu": ranking.accelerator.name,
        "gpus": ranking.gpus,
        "gpuMemoryGib": round(ranking.gpus * ranking.accelerator.total_gib, 1),
        **_values(ranking.choices[0]),
    }


def _values(advice: Advice) -> dict[str, Any]:
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


def _quality_values(advice: Advice) -> dict[str, Any]:
    standing = advice.standing
    figure = standing.figure if standing is not None else quality_of(advice.model)
    placed = {"rankedAt": standing.score, "over": standing.over} if standing is not None else {}
    told = figure.model_dump(mode="json") if figure is not None else {"unrated": advice.model.unrated}
    return {**told, **placed}


def _print(ranked: tuple[Advice, ...], slow: tuple[Advice, ...], console: Console) -> None:
    table = Table(
        *("", _model_column(), Column("GPUs", no_wrap=True), _sessions_column(), _speed_column()),
        *(_quality_column(), "agents"),
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
    for why, left in groupby(sorted(slow, key=_missed), key=_missed):
        those = list(left)
        console.print(
            f"  {len(those)} left out: {why} (the best known: {_best_known(those)})",
            soft_wrap=True,
            markup=False,
        )

    console.print(_LEGEND, soft_wrap=True)


def _missed(advice: Advice) -> str:
    return advice.floors.misses(advice.speed) or "slower than others of their kind"


def _best_known(slow: list[Advice]) -> str:
    best = max(slow, key=lambda advice: advice.place)
    speed = best.speed
    return (
        f"{best.request.variant.hf_id}, about {speed.tokens_per_second_per_developer:.1f} tokens/s, bounded by "
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


def _cells(advice: Advice) -> tuple[str, str, str, str, str]:
    """Return model, sessions with their context, speed, quality and agents as a table shows them."""
    request = advice.request
    return (
        f"{request.variant.hf_id} ({request.variant.precision})",
        f"{advice.sessions} × {format_tokens(request.context_tokens)}",
        f"{advice.speed.tokens_per_second_per_developer:,.0f} {advice.speed.bounded_by.split()[0]}",
        f"{advice.standing or ''}",
        ", ".join(advice.agents) or "unproven",
    )


def stack_of(advice: Advice, gpus: int, developers: int) -> dict[str, Any]:
    """Return the content of a stack file that serves this choice to that many developers."""
    request = advice.request
    role: dict[str, Any] = {
        "role": "coder",
        "model": request.variant.hf_id,
        "context": request.context_tokens,
        "tensorParallel": request.tensor_parallel,
        "replicas": advice.replicas,
        "kvCacheDtype": request.kv_cache_dtype,
    }
    if request.variant.hf_id == request.model.hf_id:  # the bare name would leave every checkpoint open
        role["precision"] = request.variant.precision
    platform = {
        "hardware": {"accelerator": request.accelerator.name, "gpusPerNode": gpus, "nodes": 1},
        "models": [role],
        "access": {
            "host": "agents.example.internal",
            "tls": {"secretName": "agents-tls", "secretNamespace": "certificates"},
            "developers": {f"developer-{number}": {} for number in range(1, developers + 1)},
        },
    }
    return {"config": {f"{PROJECT}:platform": platform}}


def _write(target: Path, advice: Advice, gpus: int, developers: int) -> None:
    """Write the stack file. Raises `InvalidInput` when it exists or cannot be written."""
    text = (
        "# yaml-language-server: $schema=stack.schema.json\n"
        f"# {'; '.join(advice.reasons)}.\n"
        "# Change host, tls and developers to yours.\n"
        + yaml.safe_dump(stack_of(advice, gpus, developers), sort_keys=False)
    )
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        problem = Problem(
            where=str(target),
            cause="unreadable",
            found=error.strerror or str(error),
            why="a stack file is never overwritten",
            fix="give a new path that can be written, e.g. --write stacks/Pulumi.team2.yaml",
        )
        raise InvalidInput("advise", [problem]) from None
