"""`onprem-agents advise --developers 20 --gpu L40S --count 4`: the models these GPUs serve to a team, or which GPUs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import yaml

from onprem_agents.advice.advise import FLOORS, Advice, Asked, advise, left_out
from onprem_agents.advice.floors import Floors
from onprem_agents.advice.hardware import best_of_each
from onprem_agents.advice.prices import read_prices
from onprem_agents.catalog import load_catalog
from onprem_agents.cli.advice_view import (
    LEGEND,
    choice_values,
    cost_line,
    cost_values,
    floors_line,
    hardware_table,
    hardware_values,
    print_choices,
)
from onprem_agents.cli.options import json_option
from onprem_agents.cli.output import Output
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan.ways_out import checkpoint_fields
from onprem_agents.stack.cost import PriceList
from onprem_agents.stack.settings import PROJECT
from onprem_agents.units import BadUnit, parse_tokens


@click.command(name="advise")
@click.option("--gpu", help="Accelerator of the catalogue, e.g. L40S. Without it: the best choice of each.")
@click.option(
    "--count", type=click.IntRange(1, 16), help="GPUs of the node. Default: 1; without --gpu what is best."
)
@click.option("--developers", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--context", default="128K", show_default=True, help="Tokens of one session, '64K' or 65536.")
@click.option(
    "--min-speed",
    "tokens_per_second",
    type=click.FloatRange(min=0),
    default=FLOORS.tokens_per_second,
    show_default=True,
    help="Leave out what gives each developer less, in tokens/s, with all at work; 0: nothing.",
)
@click.option(
    "--max-first-token",
    "first_token_seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=FLOORS.first_token_seconds,
    show_default=True,
    help="Leave out what takes longer to the first token of a new prompt of 30,000, in seconds.",
)
@click.option(
    "--prices",
    "price_file",
    type=click.Path(path_type=Path),
    help="YAML or JSON file with what accelerators cost: shows each choice's cost a month.",
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
    price_file: Path | None,
    target: Path | None,
    as_json: bool,
    **floors: float,
) -> None:
    """Rank the models of the catalogue that these GPUs can serve to a team, with the reasons.

    Without --gpu, or with --gpu all: the best choice on one server of each accelerator that can be bought, the best
    model on the least memory first. Speeds are expected ones, for all developers at work at once.
    """
    try:
        tokens = parse_tokens(context)
    except BadUnit as error:
        raise click.UsageError(str(error)) from None
    asked = Asked(developers=developers, context_tokens=tokens, floors=Floors(**floors))
    prices = None if price_file is None else read_prices(price_file, load_catalog())
    if gpu is None or gpu.casefold() == "all":
        if target is not None:
            raise click.UsageError("--write writes a stack for GPUs that you have: name them with --gpu")
        _advise_hardware(count, asked, prices, as_json)
    else:
        _advise_models(gpu, count or 1, asked, prices, target, as_json)


def _advise_models(
    gpu: str, count: int, asked: Asked, prices: PriceList | None, target: Path | None, as_json: bool
) -> None:
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
        found = [{**choice_values(advice), **cost_values(prices, advice, count)} for advice in ranked]
        click.echo(json.dumps(found, indent=2))
        return
    console = Output()
    print_choices(ranked, slow, console)
    if prices is not None:
        console.print(f"  {cost_line(prices, ranked[0], count)}", soft_wrap=True, markup=False)
    if target is not None:
        click.echo(f"written: {target}")


def _advise_hardware(count: int | None, asked: Asked, prices: PriceList | None, as_json: bool) -> None:
    each = best_of_each(load_catalog(), asked, gpus=count)
    if not each:
        raise _nothing_fits(
            "every accelerator of the catalogue", f"a context of {asked.context_tokens} tokens"
        )
    if as_json:
        click.echo(json.dumps([hardware_values(ranking, prices) for ranking in each], indent=2))
        return
    table = hardware_table(each, prices)
    console = Output()
    console.print(table)
    console.print(
        f"  sessions and tokens/s of each for {asked.developers} developers at work; "
        "onprem-agents advise --gpu NAME --count N ranks the models of one row",
        soft_wrap=True,
    )
    console.print(LEGEND, soft_wrap=True)
    console.print(f"  left out: {floors_line(asked)}", soft_wrap=True)


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
        why=f"all are {floors_line(asked)}",
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
    named = checkpoint_fields(request.model, request.variant)["precision"]
    if request.variant.hf_id == request.model.hf_id and named is not None:
        role["precision"] = named  # the bare name would leave every checkpoint open
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
