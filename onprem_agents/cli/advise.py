"""`onprem-agents advise --developers 20 --gpu L40S --count 4`: the models these GPUs serve to a team, or which GPUs."""

from __future__ import annotations

import json
from pathlib import Path

import click
import yaml
from rich.console import Console

from onprem_agents.advice.advise import FLOORS, Advice, Asked, advise, left_out
from onprem_agents.advice.hardware import best_of_each
from onprem_agents.advice.prices import read_prices
from onprem_agents.catalog import load_catalog
from onprem_agents.cli import ranges
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
from onprem_agents.cli.advised_stack import stack_of
from onprem_agents.cli.options import json_option
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.sizing.changes import SHORTEST_CONTEXT
from onprem_agents.sizing.floors import Floors
from onprem_agents.sizing.shown import rate, wait
from onprem_agents.stack.cost import PriceList


@click.command(name="advise")
@click.option("--gpu", help="Accelerator of the catalogue, e.g. L40S. Without it: the best choice of each.")
@click.option(
    "--count", type=click.IntRange(1, 16), help="GPUs of the node. Default: 1; without --gpu what is best."
)
@click.option("--developers", type=ranges.DEVELOPERS, default=1, show_default=True)
@click.option(
    "--context",
    "tokens",
    type=ranges.Tokens(SHORTEST_CONTEXT, "below that no coding agent works"),
    default="128K",
    show_default=True,
    help="Tokens of one session, '64K' or 65536.",
)
@click.option(
    "--min-speed",
    "tokens_per_second",
    type=ranges.Finite(min=0),
    default=FLOORS.tokens_per_second,
    show_default=True,
    help="Leave out what gives each developer less, in tokens/s, with all at work; 0: nothing.",
)
@click.option(
    "--max-first-token",
    "first_token_seconds",
    type=ranges.Finite(min=0, min_open=True),
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
    tokens: int,
    price_file: Path | None,
    target: Path | None,
    as_json: bool,
    **floors: float,
) -> None:
    """Rank the models of the catalogue that these GPUs can serve to a team, with the reasons.

    Without --gpu, or with --gpu all: the best choice on one server of each accelerator that can be bought, the best
    model on the least memory first. Speeds are expected ones, for all developers at work at once.
    """
    longest = max(load_catalog().models, key=lambda model: model.architecture.max_context_tokens)
    if tokens > longest.architecture.max_context_tokens:
        raise click.UsageError(
            f"--context {tokens}: no model of the catalogue has as long a one, {longest.name} the longest with "
            f"{longest.architecture.max_context_tokens}; give no more than that."
        )
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
    console = Console(highlight=False)
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
    console = Console(highlight=False)
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
            f"{rate(speed.tokens_per_second_per_developer)} tokens/s to each of {asked.developers} developers, bounded "
            f"by {speed.bounded_by}, and {wait(speed.first_token_seconds_cold_30k)} to the first token of 30k"
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
