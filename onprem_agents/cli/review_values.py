"""What a change of stack files does: each stack before and after, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from onprem_agents.agents import Agent
from onprem_agents.cli.check_findings import CheckFinding
from onprem_agents.cli.check_run import check_stack
from onprem_agents.cli.json_values import camel
from onprem_agents.manifests import Manifest
from onprem_agents.plan import PlatformPlan, ServingPlan
from onprem_agents.plan.agents_used import agents_used
from onprem_agents.plan.report import report
from onprem_agents.sizing import bounds_of
from onprem_agents.stack.labels import ROLE_LABEL
from onprem_agents.stack.stack_file import stack_names, stack_path

_SERVER_KIND = "InferenceService"


@dataclass(frozen=True, kw_only=True)
class State:
    """A stack at one of the two ends: `report` is None where it does not plan, `findings` say why."""

    report: Mapping[str, Any] | None
    objects: Mapping[str, Manifest]
    """By kind, namespace and name."""
    findings: tuple[CheckFinding, ...]
    agent_files: Mapping[str, object]
    """What setup writes for each agent that developers use, by its title."""
    developers: frozenset[str]

    def role(self, name: str) -> Mapping[str, Any] | None:
        """Return the report of a role, None without it."""
        models = [] if self.report is None else self.report["models"]
        return next((role for role in models if role["role"] == name), None)


@dataclass(frozen=True, kw_only=True)
class Objects:
    """Which objects a change adds, removes and changes, by kind, namespace and name."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StackReview:
    """One stack: None stands for an end at which there is no such stack."""

    stack: str
    before: State | None
    after: State | None

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role of either end, those of the end first."""
        told = [_role_names(each) for each in (self.after, self.before)]
        return tuple(dict.fromkeys(name for names in told for name in names))

    @property
    def objects(self) -> Objects:
        """What becomes of the objects."""
        old, new = (each.objects if each is not None else {} for each in (self.before, self.after))
        return Objects(
            added=tuple(sorted(new.keys() - old.keys())),
            removed=tuple(sorted(old.keys() - new.keys())),
            changed=tuple(sorted(name for name in new.keys() & old.keys() if new[name] != old[name])),
        )

    @property
    def new_findings(self) -> tuple[CheckFinding, ...]:
        """What the policies find after the change and did not before."""
        return _only_in(self.after, self.before)

    @property
    def mended_findings(self) -> tuple[CheckFinding, ...]:
        """What they found before and do not any more."""
        return _only_in(self.before, self.after)

    @property
    def agents_to_set_up(self) -> tuple[str, ...]:
        """The agents whose files on developers' machines differ after the change."""
        if self.before is None or self.after is None:
            return ()
        old = self.before.agent_files
        return tuple(title for title, files in self.after.agent_files.items() if old.get(title) != files)

    @property
    def changed(self) -> bool:
        """Whether anything differs; that a finding moved to another line is no difference."""
        return _without_lines(self.before) != _without_lines(self.after)

    def restarts(self, role: str) -> bool:
        """Whether the change starts pods of a role anew: its server's specification differs."""
        if self.before is None or self.after is None:
            return False
        old, new = self.before.objects, self.after.objects
        return any(
            name.startswith(f"{_SERVER_KIND} ")
            and _role_of(new[name]) == role
            and old[name].get("spec") != new[name].get("spec")
            for name in self.objects.changed
        )

    def agents_of(self, role: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the agents that a role gains, and those that it loses."""
        old, new = (
            _served(each.role(role) if each is not None else None) for each in (self.before, self.after)
        )
        return tuple(each for each in new if each not in old), tuple(each for each in old if each not in new)


def reviews(before: Path, after: Path, config: Path | None = None) -> tuple[StackReview, ...]:
    """Return every stack of two folders, by name.

    `config` configures the policies at both ends; without it each end has the file that lies in its folder.
    """
    names = sorted({*stack_names(before), *stack_names(after)})
    return tuple(
        StackReview(stack=name, before=_state(before, name, config), after=_state(after, name, config))
        for name in names
    )


def _state(folder: Path, stack: str, config: Path | None) -> State | None:
    path = stack_path(folder, stack)
    if not path.is_file():
        return None
    checked = check_stack(path, config=config)
    # The two ends lie in different folders, and a review reads the same wherever it was made.
    findings = tuple(replace(finding, file=Path(finding.file).name) for finding in checked.findings)
    plan = checked.plan
    if plan is None:
        return State(report=None, objects={}, findings=findings, agent_files={}, developers=frozenset())
    return State(
        report=_report(plan),
        objects={_name(manifest): manifest for manifest in checked.manifests},
        findings=findings,
        agent_files={agent.title: _files(agent, plan) for agent in agents_used(plan.settings)},
        developers=frozenset(plan.developers),
    )


def _report(plan: PlatformPlan) -> Mapping[str, Any]:
    """Return the report of a plan, with what the speed of each role's server cannot exceed."""
    told = report(plan)
    models = [
        role | {"bounds": _bounds(serving)}
        for role, serving in zip(told["models"], plan.serving, strict=True)
    ]
    return told | {"models": models}


def _bounds(serving: ServingPlan) -> Mapping[str, Any] | None:
    if serving.fit.memory is None:
        return None
    bounds: Mapping[str, Any] = camel(asdict(bounds_of(serving.fit.memory, serving.fit.sessions)))
    return bounds


def _files(agent: Agent, plan: PlatformPlan) -> object:
    """Return what setup would write for an agent; nothing for one that no role serves."""
    connection = plan.connection
    if all(agent.name not in role.supported_agents for role in connection.roles):
        return ()
    files = tuple((file.path_hint, file.values) for file in agent.files(connection))
    return files, agent.environment(connection)


def _name(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    space = metadata.get("namespace", "")
    return f"{manifest['kind']} {space + '/' if space else ''}{metadata['name']}"


def _role_of(manifest: Manifest) -> str | None:
    labels: Mapping[str, str] = manifest["metadata"].get("labels", {})
    return labels.get(ROLE_LABEL)


def _role_names(state: State | None) -> list[str]:
    return [] if state is None or state.report is None else [role["role"] for role in state.report["models"]]


def _without_lines(state: State | None) -> State | None:
    if state is None:
        return None
    return replace(state, findings=tuple(replace(finding, line=1) for finding in state.findings))


def _only_in(one: State | None, other: State | None) -> tuple[CheckFinding, ...]:
    known = {(finding.policy, finding.resource) for finding in other.findings} if other is not None else set()
    found = one.findings if one is not None else ()
    return tuple(finding for finding in found if (finding.policy, finding.resource) not in known)


def _served(role: Mapping[str, Any] | None) -> list[str]:
    return [] if role is None else [each["title"] for each in role["agents"] if each["served"]]
