"""What an environment says of the policies: a file named by hand, or the one that lies beside a stack file.

The engine takes one file for the pack, so none is merged: the stack's own counts in place of the one for all.
"""

from __future__ import annotations

from pathlib import Path

import click

from onprem_agents.stack.stack_file import stack_in

_FOR_ALL = "policy-config.json"

policy_config_option = click.option(
    "--policy-config",
    "policy_config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Levels, settings and exemptions of the policies, as 'pulumi preview --policy-pack-config' takes them.  "
    "[default: policy-config.STACK.json or policy-config.json beside the stack file, where there is one]",
)


def config_of(stack_file: Path, given: Path | None = None) -> Path | None:
    """Return the file that configures the policies for a stack: the one given, the stack's own, that of its folder."""
    if given is not None:
        return given
    return next((path for path in configs_beside(stack_file) if path.is_file()), None)


def configs_beside(stack_file: Path) -> tuple[Path, Path]:
    """Return where a stack's own configuration would lie, and that for all stacks of its folder."""
    return stack_file.with_name(f"policy-config.{stack_in(stack_file)}.json"), stack_file.with_name(_FOR_ALL)
