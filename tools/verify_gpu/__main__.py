"""`python -m tools.verify_gpu`: does vLLM print on this GPU what the sizing engine says?"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from onprem_agents.errors import EnvironmentProblem, OnpremError
from tools.verify_gpu.choice import Chosen, chosen
from tools.verify_gpu.machine import Machine, found_machine, settled
from tools.verify_gpu.run import Results, run
from tools.verify_gpu.table import table_of

# Under ten minutes with what the table takes and an import on slow cores.
_BUDGET_SECONDS = 540
# A start has this part of it at most: one that hangs leaves time to the others.
_SHARES = 3
_LACKS_SOMETHING = 2
_WIDTH = 190


@click.command()
@click.option(
    "--models",
    "names",
    multiple=True,
    help="A model or checkpoint of the catalogue; may be given several times.",
)
@click.option(
    "--seconds",
    type=click.IntRange(min=60),
    default=_BUDGET_SECONDS,
    show_default=True,
    help="Time for the whole run, a third of it for one start at most; starts that are not reached are named.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, the commands included.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for logs, config.json, caches and a record of each start, with which a run that was ended goes on; "
    "left out, they are deleted.",
)
def main(names: tuple[str, ...], seconds: int, as_json: bool, keep: Path | None) -> None:
    """Start what the plan serves, without weights, and compare what vLLM prints with what was said.

    For six checkpoints of the catalogue, small and large, that the GPUs of this machine hold: the plan's command with
    --load-format dummy, once with an empty compile cache and once more with what that left. Nothing is downloaded.

    Exit code: 0 when every start answered and every pool that vLLM printed lies in the band that was said, 1 when not,
    2 when GPU, driver or vLLM is missing.
    """
    until = time.monotonic() + seconds
    console = Console(stderr=True, highlight=False)
    try:
        machine = found_machine()
        choice = chosen(machine, names)
    except EnvironmentProblem as problem:
        console.print(f"error: {problem}", markup=False, soft_wrap=True)
        sys.exit(_LACKS_SOMETHING)
    except OnpremError as problem:
        raise click.ClickException(str(problem)) from None
    with nullcontext(keep) if keep is not None else tempfile.TemporaryDirectory(prefix="verify-gpu-") as kept:
        folder = Path(kept)
        folder.mkdir(parents=True, exist_ok=True)
        results = run(
            choice.plans,
            machine,
            folder.resolve(),
            until=until,
            most_seconds=seconds / _SHARES,
            tell=lambda text: console.print(text, markup=False),
            settle=settled,
        )
    if as_json:
        click.echo(json.dumps(_wire(results, machine, choice), indent=2))
    else:
        _show(results, machine)
    for text in (*choice.left_out, *(f"{name}: not reached" for name in results.not_reached)):
        console.print(text, markup=False, soft_wrap=True)
    sys.exit(1 if results.failed or choice.left_out or not results.rows else 0)


def _show(results: Results, machine: Machine) -> None:
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH)
    console.print(table_of(results, machine))


def _wire(results: Results, machine: Machine, choice: Chosen) -> dict[str, Any]:
    return {
        "vllm": machine.vllm.version,
        "gpu": machine.printed,
        "gpus": machine.gpus,
        "totalGib": round(machine.accelerator.total_gib, 2),
        "made": datetime.now(tz=UTC).date().isoformat(),
        "rows": [row.to_wire() for row in results.rows],
        "notReached": list(results.not_reached),
        "leftOut": list(choice.left_out),
    }


if __name__ == "__main__":
    main()
