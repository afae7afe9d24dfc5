"""`onprem-agents simulate MODEL --gpu NAME --developers 2000`: developers at work, event by event."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from onprem_agents.cli import ranges
from onprem_agents.cli.fit import fit_command
from onprem_agents.cli.fit_changes import as_options
from onprem_agents.cli.fit_request import request_from
from onprem_agents.cli.options import json_option
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.sizing import Fit, FitRequest, changes_that_fit, fit, speed_of
from onprem_agents.sizing.load_profile import NEW_TOKENS, OUTPUT_TOKENS
from onprem_agents.sizing.shown import RATE_DIGITS, WAIT_DIGITS, rate, wait
from onprem_agents.sizing.simulation import Tally, room_tokens, simulate
from onprem_agents.sizing.speed import turns_on

# Figure, key of `Speed.to_wire` or of what is simulated alone, and how its value is told, in the order of the table.
_FIGURES: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    (
        "speed of an answer, each developer",
        "tokensPerSecondPerDeveloper",
        lambda one: f"{rate(one)} tokens/s",
    ),
    ("turns at work", "atWork", lambda one: f"{one:,.1f}"),
    ("first token of 30k, cold", "firstTokenSecondsCold30k", wait),
    ("first token of 30k, warm prefix", "firstTokenSecondsWarm30k", wait),
    ("first token of a turn, 95 of 100 within", "firstTokenSecondsTurnP95", wait),
)
# Fields of a request that this command has an option for.
_SETTINGS = frozenset(
    {"accelerator", "variant", "tensor_parallel", "context_tokens", "max_num_seqs", "kv_cache_dtype"}
)


@click.command(name="simulate")
@click.argument("model")
@click.option("--gpu", required=True, help="Accelerator of the catalogue, e.g. L40S.")
@click.option("--count", type=ranges.GPUS, default=1, show_default=True, help="GPUs of each replica.")
@click.option("--replicas", type=click.IntRange(1, 1000), default=1, show_default=True)
@click.option("--developers", type=ranges.DEVELOPERS, required=True, help="All of them at work.")
@click.option("--precision", help="bf16, fp8, int4, nvfp4, mxfp4, … or a checkpoint's Hugging Face id.")
@click.option(
    "--max-model-len",
    "--context",
    "context",
    type=ranges.Tokens(NEW_TOKENS + OUTPUT_TOKENS, "one turn of an agent"),
    default="128K",
    show_default=True,
    help="Tokens of one session.",
)
@click.option("--max-num-seqs", type=ranges.SEQUENCES, help="Default: vLLM's for that GPU.")
@click.option("--kv-cache-dtype", type=ranges.CACHE_DTYPE, default="auto", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same run.")
@json_option
def simulate_command(
    model: str, developers: int, replicas: int, seed: int, as_json: bool, **settings: Any
) -> None:
    """Let developers' agents work, event by event, and show what `fit` and `plan` expect beside it.

    An agent sends 1,500 new tokens, gets 425, and comes again after 15 s of tools; each stays with its replica. Once a
    minute a new prompt of 30,000 tokens and one with a warm prefix time the first token. Ten minutes are counted, once
    the queue is in balance; where it still grows after hours, a wait is told as "at least" (JSON: waitsCutOff). A
    figure is null in JSON where nothing ended in time.
    """
    asked = fit_command.make_context("fit", [], resilient_parsing=True).params  # all options as left out
    request = request_from(model, {**asked, **settings})
    result = fit(request)
    if result.memory is None or not result.fits:
        raise InvalidInput("simulate", [_does_not_fit(request, result)])
    memory = result.memory
    whole = Tally()
    for number in range(min(replicas, developers)):
        agents = (developers - number + replicas - 1) // replicas
        turns = turns_on(memory, agents, 1)
        tokens, most = room_tokens(memory), request.max_num_seqs * request.data_parallel
        whole.add(simulate(turns, request.context_tokens, tokens, most, seed + number))
        _progress(number + 1, min(replicas, developers))
    expected = speed_of(memory, developers, replicas).to_wire()
    simulated = {
        "tokensPerSecondPerDeveloper": _rounded(whole.tokens_per_second_per_developer, RATE_DIGITS),
        "atWork": round(whole.at_work, 1),
        "firstTokenSecondsCold30k": _rounded(whole.first_token_seconds(), WAIT_DIGITS),
        "firstTokenSecondsWarm30k": _rounded(whole.first_token_seconds(warm=True), WAIT_DIGITS),
        "firstTokenSecondsTurnP95": _rounded(whole.slow_turn_seconds, WAIT_DIGITS),
        "waitsCutOff": whole.cut_off,
    }
    if as_json:
        click.echo(json.dumps({"simulated": simulated, "expected": expected}, indent=2))
        return
    _print(
        f"{request.variant.hf_id}, {developers:,} developers on {replicas} × {request.gpus} {request.accelerator.name}",
        simulated,
        expected,
    )


def _rounded(seen: float | None, digits: int) -> float | None:
    return None if seen is None else round(seen, digits)


def _does_not_fit(request: FitRequest, result: Fit) -> Problem:
    changes = [change for change in changes_that_fit(request) if _SETTINGS.issuperset(change.settings)]
    ways = [as_options(change).replace("--tensor-parallel-size", "--count") for change in changes[:3]]
    return Problem(
        where=f"{request.gpus} × {request.accelerator.name}",
        cause="does-not-fit",
        found="; ".join(result.problems) or result.verdict,
        why="a server that does not start serves nobody",
        fix=f"simulate it with {'; or with '.join(ways)}"
        if ways
        else "take a smaller model ('onprem-agents catalog' lists them), or larger GPUs",
    )


def _progress(done: int, of: int) -> None:
    """Say on a terminal how many replicas have run."""
    if sys.stderr.isatty():
        click.echo(f"\rreplica {done} of {of}", nl=done == of, err=True)


def _print(title: str, simulated: dict[str, Any], expected: dict[str, Any]) -> None:
    table = Table(title, "simulated", "expected", show_edge=False)
    for name, key, told in _FIGURES:
        value, closed = simulated[key], expected.get(key)
        seen = "none ended in time" if value is None else told(value)
        at_least = "at least " if simulated["waitsCutOff"] and value is not None and told is wait else ""
        table.add_row(name, f"{at_least}{seen}", "" if closed is None else told(closed))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"  bounded by {expected['boundedBy']}")
