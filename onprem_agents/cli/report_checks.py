"""What a stack's objects are, and what the policy pack says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from onprem_agents.cli.policy_pack import installed_rules
from onprem_agents.manifests import Manifest, bundles
from onprem_agents.plan import PlatformPlan


@dataclass(frozen=True, kw_only=True)
class Objects:
    """The objects of one kind that one part of the platform declares."""

    part: str
    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One policy; it passed where it found nothing."""

    policy: str
    level: str
    description: str
    findings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Checks:
    """The objects, and the verdicts on them: None where the policy pack is not installed."""

    objects: tuple[Objects, ...]
    verdicts: tuple[Verdict, ...] | None

    @property
    def count(self) -> int:
        """How many objects there are."""
        return sum(len(each.names) for each in self.objects)


def checks_of(plan: PlatformPlan, config: Path | None = None) -> Checks:
    """Return the objects of that plan with the verdicts on them; `config` is the file that configures the policies.

    Raises `InvalidInput` where it is wrong.
    """
    declared = [(bundle.component, each.shown()) for bundle in bundles(plan) for each in bundle.objects]
    names: dict[tuple[str, str], list[str]] = {}
    for part, manifest in declared:
        names.setdefault((part, str(manifest["kind"])), []).append(str(manifest["metadata"]["name"]))
    objects = tuple(
        Objects(part=part, kind=kind, names=tuple(found)) for (part, kind), found in names.items()
    )
    return Checks(objects=objects, verdicts=_verdicts([manifest for _, manifest in declared], config))


def _verdicts(manifests: Sequence[Manifest], config: Path | None) -> tuple[Verdict, ...] | None:
    rules = installed_rules()
    if rules is None:
        return None
    configuration = rules.configuration(config)
    found = [finding for finding, _ in rules.found_in_manifests(manifests, configuration)]
    levels = {
        policy.name: policy.level if configuration is None else configuration.level_of(policy)
        for policy in rules.policies
    }
    return tuple(
        Verdict(
            policy=policy.name,
            level=levels[policy.name],
            description=policy.description,
            findings=tuple(one.told for one in found if one.policy == policy.name),
        )
        for policy in rules.policies
        if levels[policy.name] is not None
    )
