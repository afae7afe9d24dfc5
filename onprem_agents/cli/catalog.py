"""`onprem-agents catalog`: the models, accelerators and tiers that a stack can name."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table

from onprem_agents.catalog import load_catalog
from onprem_agents.cli.options import json_option


@click.command()
@json_option
def catalog(as_json: bool) -> None:
    """List the models, accelerators and tiers that a stack can name."""
    facts = load_catalog()
    if as_json:
        click.echo(
            json.dumps(
                {
                    "models": [model.model_dump(mode="json") for model in facts.models],
                    "accelerators": [gpu.model_dump(mode="json") for gpu in facts.accelerators],
                    "tiers": [tier.model_dump(mode="json") for tier in facts.tiers],
                },
                indent=2,
            )
        )
        return
    console = Console(soft_wrap=True)
    models = Table(
        "model", "checkpoint", "precision", "weights GiB", "parsers", title="Models", show_edge=False
    )
    for model in facts.models:
        for variant in model.variants:
            models.add_row(
                model.name,
                variant.hf_id,
                variant.precision,
                f"{variant.weights_gib:.1f}",
                f"{model.tool_call_parser} / {model.reasoning_parser or 'none'}",
            )
    gpus = Table("accelerator", "GiB", "compute capability", title="Accelerators", show_edge=False)
    for gpu in facts.accelerators:
        gpus.add_row(gpu.name, f"{gpu.total_gib:.1f}", f"{gpu.compute_capability}")
    tiers = Table("tier", "hardware", "start with", title="Tiers", show_edge=False)
    for tier in facts.tiers:
        tiers.add_row(tier.name, f"{tier.nodes} × {tier.gpus_per_node} {tier.accelerator}", tier.variant)
    for table in (models, gpus, tiers):
        console.print(table)
