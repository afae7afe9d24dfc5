"""`onprem-agents render STACK`: the manifests as YAML, without engine or cluster."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from onprem_agents.cli.options import stack_argument, stacks_option
from onprem_agents.manifests import Manifest
from onprem_agents.manifests import render as render_manifests
from onprem_agents.plan import plan_stack_file


@click.command()
@stack_argument
@stacks_option
def render(stack: str, folder: Path) -> None:
    """Print every object that a stack declares, as YAML, the same bytes each time.

    Secrets are rendered without their values: those exist only inside the engine.
    """
    plan = plan_stack_file(folder, stack)
    for note in plan.notes:
        click.echo(note, err=True)
    click.echo(yaml_of(render_manifests(plan)), nl=False)


def yaml_of(documents: list[Manifest]) -> str:
    """Return objects as YAML documents, the same bytes each time."""
    return yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=120, allow_unicode=True)


class _Plain(yaml.SafeDumper):
    """Block style, long texts as literal blocks, no anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  the signature is PyYAML's
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Plain.add_representer(str, _text)
