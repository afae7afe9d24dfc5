"""Mocks that record what the program declares, as the engine would be told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pytest
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2

from onprem_agents.plan import PlatformPlan

ALICE, ALICE_NEXT, BOB, SERVER = "a" * 40, "n" * 40, "b" * 40, "s" * 40


class Recorder(Mocks):
    """Records every resource, and the request that announced it."""

    def __init__(self, stacks: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.resources: list[MockResourceArgs] = []
        self.requests: dict[str, resource_pb2.RegisterResourceRequest] = {}
        self._stacks = stacks or {}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """No function is called by the program."""
        raise AssertionError(f"unexpected call of {args.token}")

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Note the resource and echo its inputs as outputs; a stack that is referred to tells its own."""
        if args.typ == "pulumi:pulumi:StackReference":
            return args.name, {"name": args.name, "outputs": self._stacks[args.name], "secretOutputNames": []}
        self.resources.append(args)
        return f"{args.name}-id", dict(args.inputs)

    def of_type(self, token: str) -> dict[str, Any]:
        """Return the inputs of all resources of a type, by resource name."""
        return {item.name: item.inputs for item in self.resources if item.typ == token}

    def types(self) -> dict[str, str]:
        """Return the type of every resource by its name."""
        return {item.name: item.typ for item in self.resources}

    def before(self, name: str) -> set[str]:
        """Return the names of all resources that must exist before this one, at any distance."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            names = {urn.rpartition("::")[2] for urn in self.requests[waiting.pop()].dependencies} - found
            found |= names
            waiting += names
        return found


class _RecordingMonitor(MockMonitor):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._recorder = recorder

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802
        self._recorder.requests[request.name] = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]  # untyped in the SDK (3.272)


def recorded(
    declare: Callable[[], object],
    *,
    preview: bool = False,
    keep: Callable[[Recorder], None] = lambda _: None,
    project: str = "onprem-coding-agents",
    stack: str = "test",
    stacks: Mapping[str, Mapping[str, Any]] | None = None,
) -> Recorder:
    """Run a piece of a program to its end, failures included, and return what it declared.

    One that fails raises its error; `keep` takes what was declared until then. `stacks` are the outputs of the stacks
    that it may refer to, by their whole names.
    """
    recorder = Recorder(stacks)
    keep(recorder)
    monitor = _RecordingMonitor(recorder)
    pulumi.runtime.set_mocks(
        recorder,
        project=project,
        stack=stack,
        preview=preview,
        monitor=monitor,
        organization="organization",
    )

    @pulumi.runtime.test  # type: ignore[untyped-decorator]  # the SDK leaves it untyped (3.272)
    def run() -> None:
        declare()

    run()
    return recorder


def family(parent: pulumi.Resource) -> list[tuple[pulumi.Resource, pulumi.Resource]]:
    """Return every pair of parent and child from one resource downwards."""
    pairs: list[tuple[pulumi.Resource, pulumi.Resource]] = []
    for child in parent._childResources:
        pairs += [(parent, child), *family(child)]
    return pairs


def unknown() -> pulumi.Output[Any]:
    """Return an Output that nobody knows yet: what an object of the preview will only have when it is made."""
    return pulumi.Output.from_input(pulumi.UNKNOWN)


def exports(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what a program exports, by name, as soon as it is known."""
    outputs: dict[str, Any] = {}

    def export(name: str, value: pulumi.Input[Any]) -> None:
        pulumi.Output.from_input(value).apply(lambda known: outputs.update({name: known}))

    monkeypatch.setattr(pulumi, "export", export)
    return outputs


def settings_of(plan: PlatformPlan) -> dict[str, Any]:
    """Return the settings that a plan was made from, as Python writes them."""
    return plan.settings.model_dump(exclude_unset=True)
