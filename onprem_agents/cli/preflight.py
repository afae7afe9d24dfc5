"""`onprem-agents preflight STACK`: what a cluster lacks for a stack."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from onprem_agents.cli.options import json_option, stack_argument, stacks_option
from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight import Check
from onprem_agents.cluster.preflight import preflight as run_preflight
from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan, plan_stack_file


@click.command()
@stack_argument
@stacks_option
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Default: $KUBECONFIG or ~/.kube/config.")
@click.option("--context", help="Context of the kubeconfig; default its current one.")
@json_option
def preflight(stack: str, folder: Path, kubeconfig: Path | None, context: str | None, as_json: bool) -> None:
    """Name what the cluster lacks for a stack; exit code 1 when something is missing. Only reads."""
    plan = plan_stack_file(folder, stack)
    objects = render(plan)
    with KubeClient.from_kubeconfig(kubeconfig, context=context) as client:
        checks = _looked_at(plan, objects, client)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(check) for check in checks], indent=2))
    else:
        for check in checks:
            click.echo("\n".join(_lines(check)))
        counts = Counter(check.verdict for check in checks)
        click.echo(", ".join(f"{counts[verdict]} {verdict}" for verdict in ("ok", "doubtful", "missing")))
    if any(check.verdict == "missing" for check in checks):
        sys.exit(1)


def _lines(check: Check) -> Iterator[str]:
    """Yield a check as text; what a fix tells to apply can be copied."""
    if check.verdict == "ok":
        yield f"ok        {check.name}: {check.found}"
        return
    yield f"{check.verdict:<9} {check.name}"
    first, *more = check.fix.splitlines()
    yield f"  found: {check.found}"
    yield f"  fix:   {first}"
    yield from more


def _looked_at(
    plan: PlatformPlan, objects: Sequence[Mapping[str, Any]], client: KubeClient
) -> tuple[Check, ...]:
    """Return the checks; a terminal shows meanwhile what is looked at."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return run_preflight(plan, objects, client)
    with console.status("preflight") as status:
        return run_preflight(plan, objects, client, started=lambda name: status.update(f"preflight: {name}"))
