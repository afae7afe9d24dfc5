"""`onprem-agents policy-pack`: the folder of the policy pack, for `pulumi preview --policy-pack`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

import onprem_agents
from onprem_agents.errors import EnvironmentProblem, needs_platform

# Beside this package: its name where it is installed, and in a checkout.
_FOLDERS = ("onprem_agents_policy", "policy")
_MANIFEST = "PulumiPolicy.yaml"


@click.command("policy-pack")
@click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Print instead this configuration as the engine takes it: each policy of a pack by its own name.",
)
def policy_pack(config: Path | None) -> None:
    """Print the folder of the policy pack.

    It judges this product's programs and any other that declares a KServe InferenceService with vLLM:

    \b
        pulumi preview --policy-pack "$(onprem-agents policy-pack)"

    With --config FILE, what 'onprem-agents check --policy-config FILE' reads is printed for --policy-pack-config: the
    engine knows policies by their names, and passes over the name of a pack without a word.
    """
    folder = find_pack(Path(onprem_agents.__file__).parent.parent)
    if config is None:
        click.echo(folder)
        return
    rules = installed_rules()
    if rules is None:
        raise EnvironmentProblem(needs_platform("the policy pack", "onprem_agents_policy"))
    click.echo(json.dumps(rules.configuration(config).for_the_engine(), indent=2, default=str))


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


class Rules:
    """The rules of the pack, which this package does not know: they are found where `pulumi preview` finds them."""

    def __init__(self, package: str) -> None:
        """Take the name by which the pack can be imported."""
        self._package = package

    def part(self, name: str) -> Any:
        """Return a module of the pack."""
        return importlib.import_module(f"{self._package}.{name}")

    @property
    def policies(self) -> Sequence[Any]:
        """The table of policies, in its order."""
        policies: Sequence[Any] = self.part("table").POLICIES
        return policies

    def configuration(self, path: Path | None) -> Any:
        """Return what a file says of the policies, None without one; raises `InvalidInput` by file and field."""
        return None if path is None else self.part("configuration").read_configuration(path)

    def found_in(self, resources: Iterable[Any], configuration: Any = None) -> Iterator[tuple[Any, Any]]:
        """Yield what every policy finds in resources of the pack, each with the resource that it is about."""
        graph = self.part("graph").Graph(resources=tuple(resources))
        yield from self.part("checks").found_in(graph, configuration)

    def found_in_manifests(
        self, manifests: Iterable[Mapping[str, Any]], configuration: Any = None
    ) -> Iterator[tuple[Any, Any]]:
        """Yield the same of Kubernetes objects."""
        checks = self.part("checks")
        yield from checks.found_in(checks.graph_of(manifests), configuration)


def installed_rules() -> Rules | None:
    """Return the pack's rules, None where the pack is not installed."""
    for name in _FOLDERS:
        spec = find_spec(name)
        places = () if spec is None else spec.submodule_search_locations or ()
        if any((Path(place) / _MANIFEST).is_file() for place in places):
            return Rules(name)
    return None
