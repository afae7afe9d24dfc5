"""`onprem-agents catalog`: models, accelerators, tiers, platforms and releases that a stack can name."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table

from onprem_agents.advice.quality import RANKING, SHORT, standings
from onprem_agents.catalog import Catalog, load_catalog
from onprem_agents.cli.catalog_entry import Entry, entry_named, rows_of
from onprem_agents.cli.options import json_option
from onprem_agents.vllm import Release, known_releases, load_history, load_release


@click.command()
@click.argument("name", required=False)
@json_option
def catalog(name: str | None, as_json: bool) -> None:
    """List what a stack can name: models, accelerators, tiers, platforms, vLLM releases; or all known of NAME."""
    facts = load_catalog()
    if name is not None:
        _show(entry_named(name, facts), facts, as_json=as_json)
        return
    releases = [load_release(version) for version in known_releases()]
    if as_json:
        click.echo(
            json.dumps(
                {
                    "models": [model.model_dump(mode="json") for model in facts.models],
                    "accelerators": [gpu.model_dump(mode="json") for gpu in facts.accelerators],
                    "tiers": [tier.model_dump(mode="json") for tier in facts.tiers],
                    "platforms": [each.model_dump(mode="json") for each in facts.platforms],
                    "vllm": [_release(release) for release in releases],
                    "vllm_removed": _removed(),
                    "former_models": [former.model_dump(mode="json") for former in facts.former_models],
                    "former_settings": [former.model_dump(mode="json") for former in facts.former_settings],
                },
                indent=2,
            )
        )
        return
    console = Console(soft_wrap=True)
    gpus = Table("accelerator", "GiB", "compute capability", title="Accelerators", show_edge=False)
    for gpu in facts.accelerators:
        gpus.add_row(gpu.name, f"{gpu.total_gib:.1f}", f"{gpu.compute_capability or '–'}")
    tiers = Table("tier", "hardware", "start with", title="Tiers", show_edge=False)
    for tier in facts.tiers:
        tiers.add_row(tier.name, f"{tier.nodes} × {tier.gpus_per_node} {tier.accelerator}", tier.variant)
    platforms = Table("platform", "what it is", title="Platforms", show_edge=False)
    for platform in facts.platforms:
        platforms.add_row(platform.name, platform.title)
    vllm = Table("vLLM", "image", "options", "tool parsers", title="vLLM releases", show_edge=False)
    for release in releases:
        vllm.add_row(
            release.release,
            release.image.reference(),
            f"{len(release.options())}",
            f"{len(release.tool_parsers)}",
        )
    for table in (_models(facts), gpus, tiers, platforms, vllm):
        console.print(table)


def _models(facts: Catalog) -> Table:
    others = ", ".join(f"{short}: {name}" for name, short in SHORT.items())
    table = Table(
        *("model", "checkpoint", "precision", "weights GiB", "parsers", "quality %"),
        title="Models",
        caption=f"quality: {RANKING}; {others}, not measured there; NAME shows whose figures",
        caption_justify="left",
        show_edge=False,
    )
    standing_of = standings(facts.models)
    for model in facts.models:
        standing = standing_of.get(model.name)
        for variant in model.variants:
            table.add_row(
                model.name,
                variant.hf_id,
                variant.precision,
                f"{variant.weights_gib:.1f}",
                f"{model.tool_call_parser or 'none'} / {model.reasoning_parser or 'none'}",
                f"{standing or ''}",
            )
    return table


def _show(entry: Entry, facts: Catalog, *, as_json: bool) -> None:
    if as_json:
        click.echo(entry.model_dump_json(indent=2))
        return
    console = Console(soft_wrap=True, highlight=False)
    for row in rows_of(entry, facts):
        read = f"  ({row.source.where}, read {row.source.read})" if row.source is not None else ""
        console.print(f"{row.title:<20}{row.text}{read}", markup=False)


def _release(release: Release) -> dict[str, object]:
    return {
        "release": release.release,
        "image": release.image.reference(),
        "tool_parsers": sorted(release.tool_parsers),
        "reasoning_parsers": sorted(release.reasoning_parsers),
        "quantization_methods": sorted(release.quantization_methods),
        "chat_templates": sorted(
            f"{release.image.template_folder}/{name}" for name in release.image.templates
        ),
        "sources": {
            part: {"where": facts.source, "read": facts.read}
            for part, facts in (("options", release), ("image", release.image), ("memory", release.memory))
        },
    }


def _removed() -> dict[str, object]:
    history = load_history()
    return {
        "options": {option: removed.hint for option, removed in history.removed.items()},
        "source": {"where": history.source, "read": history.read},
    }
