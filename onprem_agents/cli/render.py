"""`onprem-agents render STACK`: the manifests as YAML, without engine or cluster."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from onprem_agents.cli.asked_policies import REFUSED, ask_policies
from onprem_agents.cli.options import stack_argument, stacks_option
from onprem_agents.cli.policy_config import policy_config_option
from onprem_agents.manifests import Manifest
from onprem_agents.manifests import render as render_manifests
from onprem_agents.plan import plan_stack_file
from onprem_agents.stack.stack_file import stack_path


@click.command()
@stack_argument
@stacks_option
@policy_config_option
@click.option("--despite-policies", "despite", is_flag=True, help="Print what the policies refuse, too.")
@click.pass_context
def render(
    context: click.Context, stack: str, folder: Path, policy_config: Path | None, despite: bool
) -> None:
    """Print every object that a stack declares, as YAML, the same bytes each time.

    Secrets are rendered without their values: those exist only inside the engine. What the policies find goes to
    stderr; where they refuse the stack, nothing is printed and the exit code is 1.
    """
    plan = plan_stack_file(folder, stack)
    manifests = render_manifests(plan)
    asked = ask_policies(manifests, stack_path(folder, stack), policy_config)
    for told in (*plan.notes, *asked.blocks()):
        click.echo(told, err=True)
    if asked.refusals and not despite:
        click.echo("Nothing is printed; mend the stack, or add --despite-policies.", err=True)
        context.exit(REFUSED)
    click.echo(yaml_of(manifests), nl=False)


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
