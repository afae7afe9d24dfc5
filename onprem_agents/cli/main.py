"""The command group: subcommands, and errors as sentences instead of tracebacks."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import click

from onprem_agents import __version__
from onprem_agents.cli.options import wants_json
from onprem_agents.errors import OnpremError

# Subcommand: module, function, and its line in `onprem-agents --help`. A module is imported when its command runs,
# so that help and completion start as fast as Python does.
_COMMANDS = {
    "advise": (
        "onprem_agents.cli.advise",
        "advise_command",
        "Rank the models that these GPUs can serve to a team.",
    ),
    "bench": (
        "onprem_agents.cli.bench",
        "bench",
        "Put the load of coding agents on an endpoint and measure it.",
    ),
    "catalog": (
        "onprem_agents.cli.catalog",
        "catalog",
        "List the models, accelerators and tiers that a stack can name.",
    ),
    "check": ("onprem_agents.cli.check", "check", "Check stacks and manifests by the rules of the policies."),
    "ci": ("onprem_agents.cli.ci", "ci", "Check and review each change in the pull request."),
    "context": (
        "onprem_agents.cli.context",
        "context",
        "Write what agents must know that work on a stack.",
    ),
    "doctor": (
        "onprem_agents.cli.doctor",
        "doctor",
        "Find what keeps an agent from working, with evidence and fix.",
    ),
    "explain": (
        "onprem_agents.cli.explain",
        "explain",
        "Show where a stack's GPU memory goes and what would help.",
    ),
    "fit": ("onprem_agents.cli.fit", "fit_command", "Say whether vLLM starts a model on these GPUs."),
    "key": ("onprem_agents.cli.key", "key", "Print your own key, for agents that read it by a command."),
    "keys": ("onprem_agents.cli.keys", "keys", "Add, exchange and revoke developers' keys in a stack."),
    "plan": ("onprem_agents.cli.plan", "plan", "Show what a stack's settings lead to."),
    "policies": (
        "onprem_agents.cli.policies",
        "policies",
        "List the policies, or print those that the API server can ask.",
    ),
    "policy-pack": (
        "onprem_agents.cli.policy_pack",
        "policy_pack",
        "Print where the policy pack lies, for pulumi preview.",
    ),
    "preflight": ("onprem_agents.cli.preflight", "preflight", "Check that the cluster can take a stack."),
    "render": ("onprem_agents.cli.render", "render", "Print the manifests of a stack."),
    "report": (
        "onprem_agents.cli.report",
        "report_command",
        "Tell what a stack gives its developers, as a page too.",
    ),
    "review": (
        "onprem_agents.cli.review",
        "review",
        "Tell what a change of stack files does, before and after.",
    ),
    "schema": ("onprem_agents.cli.schema", "schema", "Print the JSON schema of the stack settings."),
    "setup": ("onprem_agents.cli.setup", "setup", "Write the configuration of coding agents."),
    "simulate": (
        "onprem_agents.cli.simulate",
        "simulate_command",
        "Let developers work event by event, beside what is expected.",
    ),
    "smoke": ("onprem_agents.cli.smoke", "smoke", "Try the served models the way agents use them."),
    "status": (
        "onprem_agents.cli.status",
        "status",
        "Show the platform, your agents' roles, your key and quota.",
    ),
    "uninstall": (
        "onprem_agents.cli.uninstall",
        "uninstall",
        "Take back all that setup wrote on this machine.",
    ),
    "use": ("onprem_agents.cli.use", "use", "Let your agents work with another role of the platform."),
    "verify": ("onprem_agents.cli.verify", "verify", "Check a deployed stack: is it of use to an agent?"),
}


class _Group(click.Group):
    """Prints the product's own errors and exits with 1; everything else is a bug and stays loud.

    An error goes to stderr as text, or to stdout as JSON where the command was asked for JSON: whoever reads that
    gets one JSON document in either case.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        if cmd_name not in _COMMANDS:
            return None
        module, function, _ = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), function)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the same
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in sorted(_COMMANDS.items())])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OnpremError as error:
            if wants_json(ctx):
                click.echo(json.dumps(error.as_json(), indent=2))
            else:
                from onprem_agents.cli.output import tell_error

                tell_error(str(error))
            sys.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="onprem-agents")
def main() -> None:
    """Coding agents on models served on your own GPUs.

    Platform engineers: advise, fit, simulate, explain, plan, report, render, preflight, verify, bench, keys, catalog,
    schema, policies, policy-pack; where agents work on a stack: context, check.
    Developers: setup, status, use, doctor, key, smoke, uninstall.
    """
