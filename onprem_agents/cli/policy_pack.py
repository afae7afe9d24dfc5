"""`onprem-agents policy-pack`: the folder of the policy pack, for `pulumi preview --policy-pack`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

import onprem_agents
from onprem_agents.errors import EnvironmentProblem, needs_platform

# Beside this package: its name where it is installed, and in a checkout.
_FOLDERS = ("onprem_agents_policy", "policy")
_MANIFEST = "PulumiPolicy.yaml"


@click.command("policy-pack")
def policy_pack() -> None:
    """Print the folder of the policy pack.

    It judges this product's programs and any other that declares a KServe InferenceService with vLLM:

    \b
        pulumi preview --policy-pack "$(onprem-agents policy-pack)"
    """
    click.echo(find_pack(Path(onprem_agents.__file__).parent.parent))


def find_pack(packages: Path) -> Path:
    """Return the pack's folder among the packages; EnvironmentProblem if it or what it needs is missing."""
    for name in _FOLDERS:
        if (packages / name / _MANIFEST).is_file():
            if find_spec("pulumi_policy") is None:
                raise EnvironmentProblem(needs_platform("the policy pack", "pulumi_policy"))
            return packages / name
    raise EnvironmentProblem(
        f"no policy pack beside onprem_agents in {packages}: the installation is not whole. "
        "Install it anew: pip install --force-reinstall 'onprem-coding-agents[platform]'"
    )


def importable_pack() -> str | None:
    """Return the name by which the pack's rules can be imported, None where it is not installed."""
    for name in _FOLDERS:
        spec = find_spec(name)
        places = () if spec is None else spec.submodule_search_locations or ()
        if any((Path(place) / _MANIFEST).is_file() for place in places):
            return name
    return None
