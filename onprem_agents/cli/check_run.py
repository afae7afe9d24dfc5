"""The check itself: sources are read, the pack judges them, and each finding gets its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onprem_agents.cli.check_findings import CheckFinding, NotRead, Policy, Result
from onprem_agents.cli.check_sources import Source, is_stack_file
from onprem_agents.cli.policy_config import config_of
from onprem_agents.cli.policy_pack import Rules, installed_rules
from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem, needs_platform
from onprem_agents.manifests import Manifest, render
from onprem_agents.plan import PlatformPlan, plan_stack_file
from onprem_agents.stack.labels import ROLE_LABEL
from onprem_agents.stack.lines import line_of
from onprem_agents.stack.stack_file import stack_in

PLANS = Policy(
    name="stack-plans",
    pack="serving",
    level="mandatory",
    description="A stack file can be planned: its settings are right and fit each other.",
)
CONFIGURED = Policy(
    name="policies-are-configured",
    pack="serving",
    level="mandatory",
    description="What configures the policies for a stack can be read, and names policies and settings that there are.",
)
BY_PEOPLE = Policy(
    name="people-decide",
    pack="serving",
    level="mandatory",
    description="An agent changed nothing in a stack that a person decides.",
)


@dataclass(frozen=True, kw_only=True)
class StackCheck:
    """One stack: its plan and what is rendered of it, None and nothing where it does not plan; and the findings."""

    plan: PlatformPlan | None
    manifests: tuple[Manifest, ...]
    findings: tuple[CheckFinding, ...]


def run_check(
    sources: Sequence[Source],
    text: str = "",
    *,
    after: Mapping[Path, Sequence[Problem]] | None,
    config: Path | None = None,
) -> Result:
    """Check every source; `text` is standard input, `after` what an agent changed in each stack's file, if one did.

    `config` configures the policies; without it a stack has the file beside its own. Raises `EnvironmentProblem` where
    the policy pack is not installed, `InvalidInput` for a configuration that is wrong.
    """
    rules = _rules()
    configuration = rules.configuration(config)
    found: list[CheckFinding] = []
    not_read: list[NotRead] = []
    count = 0
    for source in sources:
        if source.kind == "stack":
            stack = check_stack(source.path, (after or {}).get(source.path, ()), config=config)
            count += len(stack.manifests)
            found += stack.findings
            continue
        read, unread = _documents(rules, source, text)
        holds_stacks = any(
            other.kind == "stack" and other.path.is_relative_to(source.path) for other in sources
        )
        if not read.resources and not unread and not holds_stacks:
            unread = [_nothing(source)]
        count += len(read.resources)
        not_read += unread
        for finding, resource in rules.found_in(read.resources, configuration):
            place = read.places[resource.urn]
            found.append(_told(finding, place.file, place.line))
    found.sort(key=lambda finding: finding.level != "mandatory")
    asked = tuple(
        Policy(name=each.name, pack=each.pack, level=each.level, description=each.description)
        for each in rules.policies
    )
    own = (PLANS, CONFIGURED) if after is None else (PLANS, CONFIGURED, BY_PEOPLE)
    return Result(findings=tuple(found), read=count, not_read=tuple(not_read), policies=(*own, *asked))


def check_stack(path: Path, after: Sequence[Problem] = (), *, config: Path | None = None) -> StackCheck:
    """Plan a stack by its file and check what is rendered; `after` is what an agent changed in it.

    `config` is the file that configures the policies, in place of the one beside the stack's. Raises
    `EnvironmentProblem` where the policy pack is not installed.
    """
    rules, text, stack = _rules(), text_of(path), stack_in(path)
    told = [_of_problem(BY_PEOPLE, problem, path, text, stack) for problem in after]
    try:
        plan = plan_stack_file(path.parent, stack)
    except InvalidInput as error:
        of_plan = [_of_problem(PLANS, problem, path, text, stack) for problem in error.problems]
        return StackCheck(plan=None, manifests=(), findings=(*of_plan, *told))
    manifests = tuple(render(plan))
    told += findings_on(rules, manifests, path, config)
    return StackCheck(plan=plan, manifests=manifests, findings=tuple(told))


def findings_on(
    rules: Rules, manifests: Sequence[Manifest], path: Path, config: Path | None
) -> tuple[CheckFinding, ...]:
    """Return what the policies find in the objects of the stack in that file, what refuses it first.

    `config` configures them, in place of the file beside the stack's. Where it is wrong, that is all that is found.
    """
    text, told, said = text_of(path), [], config_of(path, config)
    try:
        configuration = rules.configuration(said)
    except InvalidInput as error:
        return tuple(
            _of_problem(CONFIGURED, each, Path(error.source), "", stack_in(path)) for each in error.problems
        )
    for finding, resource in rules.found_in_manifests(manifests, configuration):
        role = (resource.props.get("metadata") or {}).get("labels", {}).get(ROLE_LABEL)
        key = f"platform.models[role={role}]" if role else "platform"
        told.append(_told(finding, str(path), line_of(text, key)))
    return tuple(sorted(told, key=lambda finding: finding.level != "mandatory"))


def _rules() -> Rules:
    rules = installed_rules()
    if rules is None:
        raise EnvironmentProblem(needs_platform("a check", "onprem_agents_policy"))
    return rules


def _documents(rules: Rules, source: Source, text: str) -> tuple[Any, list[NotRead]]:
    """Return what a source declares, as the pack reads it, and what of it could not be read."""
    reading = rules.part("reading")
    if source.kind == "input":
        read = reading.read_text(text, "")
    elif source.kind == "folder":
        read = reading.read_folder(source.path, skip=is_stack_file)
    else:
        read = reading.read_file(source.path)
    return read, [NotRead(resource=each.what, why=each.why) for each in read.unread]


def _nothing(source: Source) -> NotRead:
    name = "standard input" if source.kind == "input" else str(source.path)
    return NotRead(resource=name, why="it declares no Kubernetes object, and is no Pulumi preview or state")


def text_of(path: Path) -> str:
    """Return what a file holds; nothing where it cannot be read, of which the plan tells."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _told(finding: Any, file: str, line: int) -> CheckFinding:
    return CheckFinding(
        policy=finding.policy,
        pack=finding.pack,
        level=finding.level,
        resource=finding.resource,
        file=file,
        line=line,
        message=finding.message,
        change=finding.change,
    )


def _of_problem(policy: Policy, problem: Problem, path: Path, text: str, stack: str) -> CheckFinding:
    return CheckFinding(
        policy=policy.name,
        pack=policy.pack,
        level=policy.level,
        resource=f"stack {stack}: {problem.where}",
        file=str(path),
        line=line_of(text, problem.where),
        message=f"{problem.found}: {problem.why}" if problem.found else problem.why,
        change=problem.fix,
    )
