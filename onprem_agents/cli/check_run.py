"""The check itself: sources are read, the pack judges them, and each finding gets its place."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from onprem_agents.cli.check_findings import CheckFinding, NotRead, Policy, Result
from onprem_agents.cli.check_sources import Source, is_stack_file, stacks_within
from onprem_agents.cli.policy_pack import importable_pack
from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem, needs_platform
from onprem_agents.manifests import render
from onprem_agents.plan import plan_stack_file
from onprem_agents.stack.labels import ROLE_LABEL
from onprem_agents.stack.lines import line_of

PLANS = Policy(
    name="stack-plans",
    pack="serving",
    level="mandatory",
    description="A stack file can be planned: its settings are right and fit each other.",
)
BY_PEOPLE = Policy(
    name="people-decide",
    pack="serving",
    level="mandatory",
    description="An agent changed nothing in a stack that a person decides.",
)


def run_check(
    sources: Sequence[Source], text: str = "", *, after: Mapping[Path, Sequence[Problem]] | None
) -> Result:
    """Check every source; `text` is standard input, `after` what an agent changed in each stack's file, if one did.

    Raises `EnvironmentProblem` where the policy pack is not installed.
    """
    pack = _Pack()
    found: list[CheckFinding] = []
    not_read: list[NotRead] = []
    count = 0
    for source in sources:
        if source.kind == "stack":
            objects, findings = _stack(pack, source.path, (after or {}).get(source.path, ()))
        else:
            objects, findings, unread = _documents(pack, source, text)
            not_read += unread
        found += findings
        count += objects
    found.sort(key=lambda finding: finding.level != "mandatory")
    own = (PLANS,) if after is None else (PLANS, BY_PEOPLE)
    return Result(
        findings=tuple(found), read=count, not_read=tuple(not_read), policies=(*own, *pack.policies())
    )


def _stack(pack: _Pack, path: Path, after: Sequence[Problem]) -> tuple[int, list[CheckFinding]]:
    text = text_of(path)
    stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    told = [_of_problem(BY_PEOPLE, problem, path, text, stack) for problem in after]
    try:
        plan = plan_stack_file(path.parent, stack)
    except InvalidInput as error:
        return 0, [*(_of_problem(PLANS, problem, path, text, stack) for problem in error.problems), *told]
    manifests = render(plan)
    graph = pack.graph_of(manifests)
    for finding, resource in pack.findings(graph):
        role = (resource.props.get("metadata") or {}).get("labels", {}).get(ROLE_LABEL)
        key = f"platform.models[role={role}]" if role else "platform"
        told.append(_told(finding, str(path), line_of(text, key)))
    return len(manifests), told


def _documents(pack: _Pack, source: Source, text: str) -> tuple[int, list[CheckFinding], list[NotRead]]:
    reading = pack.module("reading")
    if source.kind == "input":
        read = reading.read_text(text, "")
    elif source.kind == "folder":
        read = reading.read_folder(source.path, skip=is_stack_file)
    else:
        read = reading.read_file(source.path)
    unread = [NotRead(resource=each.what, why=each.why) for each in read.unread]
    if not read.resources and not unread and not (source.kind == "folder" and stacks_within(source.path)):
        name = "standard input" if source.kind == "input" else str(source.path)
        unread = [
            NotRead(resource=name, why="it declares no Kubernetes object, and is no Pulumi preview or state")
        ]
    graph = pack.graph(read.resources)
    told = []
    for finding, resource in pack.findings(graph):
        place = read.places[resource.urn]
        told.append(_told(finding, place.file, place.line))
    return len(read.resources), told, unread


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


class _Pack:
    """The policy pack, which this package does not know: it is found where `pulumi preview` finds it."""

    def __init__(self) -> None:
        found = importable_pack()
        if found is None:
            raise EnvironmentProblem(needs_platform("a check", "onprem_agents_policy"))
        self._name = found

    def module(self, name: str) -> Any:
        return importlib.import_module(f"{self._name}.{name}")

    def graph_of(self, manifests: Sequence[Mapping[str, Any]]) -> Any:
        return self.module("checks").graph_of(manifests)

    def graph(self, resources: Sequence[Any]) -> Any:
        return self.module("graph").Graph(resources=tuple(resources))

    def findings(self, graph: Any) -> Iterator[tuple[Any, Any]]:
        """Yield each finding with the resource that it is about."""
        yield from self.module("checks").found_in(graph)

    def policies(self) -> tuple[Policy, ...]:
        return tuple(
            Policy(name=each.name, pack=each.pack, level=each.level, description=each.description)
            for each in self.module("table").POLICIES
        )
