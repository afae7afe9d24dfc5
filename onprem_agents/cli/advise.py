"""`onprem-agents advise --developers 20 --gpu L40S --count 4`: the models these GPUs serve to a team, or which GPUs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import yaml
from rich.console import Console
from rich.table import Column, Table

from onprem_agents.advice.advise import Advice, Ranking, advise
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
    "--write", "target", type=click.Path(path_type=Path), help="Write the first choice as a stack file."
)
@json_option
def advise_command(
    gpu: str | None, count: int | None, developers: int, context: str, target: Path | None, as_json: bool
) -> None:
    """Rank the models of the catalogue that these GPUs can serve to a team, with the reasons.

    Without --gpu, or with --gpu all: the best choice on one server of each accelerator that can be bought, the best
    model on the least memory first.
    """
    try:
        tokens = parse_tokens(context)
    except BadUnit as error:
        raise click.UsageError(str(error)) from None
    if gpu is None or gpu.casefold() == "all":
        if target is not None:
            raise click.UsageError("--write writes a stack for GPUs that you have: name them with --gpu")
        _advise_hardware(count, developers, tokens, as_json)
    else:
        _advise_models(gpu, count or 1, developers, tokens, target, as_json)


def _advise_models(
    gpu: str, count: int, developers: int, tokens: int, target: Path | None, as_json: bool
) -> None:
    catalog = load_catalog()
    accelerator = catalog.accelerator(gpu)
    ranked = advise(catalog, accelerator, count, developers=developers, context_tokens=tokens)
    if not ranked:
        raise _nothing_fits(
            f"{count} × {accelerator.name}", f"{count * accelerator.total_gib:.0f} GiB of GPU memory"
        )
    if target is not None:
        _write(target, ranked[0], count, developers)
    if as_json:
        click.echo(json.dumps([_values(advice) for advice in ranked], indent=2))
        return
    _print(ranked, Console(highlight=False))
    if target is not None:
        click.echo(f"written: {target}")


def _advise_hardware(count: int | None, developers: int, tokens: int, as_json: bool) -> None:
    each = best_of_each(load_catalog(), developers=developers, context_tokens=tokens, gpus=count)
    if not each:
        raise _nothing_fits("every accelerator of the catalogue", f"a context of {tokens} tokens")
    if as_json:
        click.echo(json.dumps([_hardware_values(ranking) for ranking in each], indent=2))
        return
    table = Table(
        *(Column("GPUs", no_wrap=True), _model_column(), _sessions_column(), _quality_column(), "agents"),
        show_edge=False,
    )
    for ranking in each:
        model, sessions, quality, _, agents = _cells(ranking.choices[0])
        table.add_row(f"{ranking.gpus} × {ranking.accelerator.name}", model, sessions, quality, agents)
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"  sessions for {developers} developers; "
        "onprem-agents advise --gpu NAME --count N ranks the models of one row",
        soft_wrap=True,
    )
    console.print(_LEGEND, soft_wrap=True)


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
        "decodeTokensPerSecondBound": round(bounds.decode_tokens_per_second_one, 1),
        "reasons": list(advice.reasons),
    }


def _quality_values(advice: Advice) -> dict[str, Any]:
    standing = advice.standing
    figure = standing.figure if standing is not None else quality_of(advice.model)
    placed = {"rankedAt": standing.score, "over": standing.over} if standing is not None else {}
    told = figure.model_dump(mode="json") if figure is not None else {"unrated": advice.model.unrated}
    return {**told, **placed}


def _print(ranked: tuple[Advice, ...], console: Console) -> None:
    table = Table(
        *(
            "",
            _model_column(),
            Column("GPUs", no_wrap=True),
            _sessions_column(),
            _quality_column(),
            "license",
            "agents",
        ),
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
    console.print(_LEGEND, soft_wrap=True)


def _model_column() -> Column:
    """Return the column that people copy from: a name that is too long goes on in the next line."""
    return Column("model", overflow="fold", ratio=1)


def _sessions_column() -> Column:
    return Column("sessions", no_wrap=True)


def _quality_column() -> Column:
    return Column("quality", no_wrap=True)


def _cells(advice: Advice) -> tuple[str, str, str, str, str]:
    """Return model, sessions with their context, quality, licence and agents as a table shows them."""
    request = advice.request
    return (
        f"{request.variant.hf_id} ({request.variant.precision})",
        f"{advice.sessions} × {format_tokens(request.context_tokens)}",
        f"{advice.standing or ''}",
        advice.model.license,
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
