"""Options that are given to a component reach its children, whether it is planned at once or later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components import CodingPlatform
from components.kubernetes_object import KubernetesObject
from tests.components.recording import ALICE, BOB, SERVER, Recorder, recorded, settings_of
from tests.unit.manifest_samples import planned

Options = Callable[[], pulumi.ResourceOptions]


def at_once(value: str) -> pulumi.Input[str]:
    return value


def later(value: str) -> pulumi.Input[str]:
    return pulumi.Output.from_input(value)


when = pytest.mark.parametrize("known", [at_once, later])


def platform(
    known: Callable[[str], pulumi.Input[str]], opts: pulumi.ResourceOptions | None
) -> CodingPlatform:
    settings = settings_of(planned(translation="litellm", hardware={"nodeNames": ["a", "b"]}))
    keys = {"developer_keys": {"alice": ALICE, "bob": BOB}, "server_key": SERVER}
    arguments: Any = settings | keys | {"namespace": known("agents")}
    return CodingPlatform("platform", arguments, opts)


def declared(known: Callable[[str], pulumi.Input[str]], options: Options) -> Recorder:
    return recorded(lambda: platform(known, options()))


def children(recorder: Recorder) -> dict[str, Any]:
    """Return the requests of everything below the platform."""
    found = {name: request for name, request in recorder.requests.items() if name.startswith("platform-")}
    assert len(found) > 20, "all objects, and the five parts"
    return found


def objects(recorder: Recorder) -> dict[str, Any]:
    return {name: each for name, each in children(recorder).items() if each.type.startswith("kubernetes:")}


def provider() -> pulumi.ProviderResource:
    return pulumi.ProviderResource("kubernetes", "cluster", {})


@when
@pytest.mark.parametrize(
    "options",
    [
        lambda: pulumi.ResourceOptions(provider=provider()),
        lambda: pulumi.ResourceOptions(providers=[provider()]),
        lambda: pulumi.ResourceOptions(providers={"kubernetes": provider()}),
    ],
)
def test_every_object_goes_through_the_given_provider(known: Any, options: Options) -> None:
    requests = objects(declared(known, options))

    assert {request.provider.split("::")[-2] for request in requests.values()} == {"cluster"}


@when
def test_a_parent_is_the_platforms_and_not_its_childrens(known: Any) -> None:
    def owner() -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=pulumi.ComponentResource("acme:index:Team", "team"))

    recorder = declared(known, owner)

    assert recorder.requests["platform"].parent.endswith("::team")
    assert {request.parent.rpartition("::")[2] for request in children(recorder).values()} == {
        "platform",
        "platform-pool",
        "platform-auth",
        "platform-coder",
        "platform-proxy",
        "platform-ingress",
    }


@when
def test_everything_comes_after_what_the_platform_depends_on(known: Any) -> None:
    def after() -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(depends_on=other("before"))

    recorder = declared(known, after)

    for name in ("platform", *objects(recorder)):
        assert "before" in recorder.before(name)


@when
def test_what_depends_on_the_platform_comes_after_its_objects(known: Any) -> None:
    def program() -> None:
        other("after", pulumi.ResourceOptions(depends_on=[platform(known, None)]))

    recorder = recorded(program)
    order = list(recorder.requests)

    assert order.index("after") > max(order.index(name) for name in objects(recorder))
    assert recorder.before("after") & set(objects(recorder))


@when
def test_protection_reaches_every_object(known: Any) -> None:
    requests = children(declared(known, lambda: pulumi.ResourceOptions(protect=True)))

    assert all(request.protect for request in requests.values())


@when
def test_an_alias_is_the_platforms_and_the_engine_makes_its_childrens_of_it(known: Any) -> None:
    recorder = declared(known, lambda: pulumi.ResourceOptions(aliases=[pulumi.Alias(name="agents")]))

    specs = [alias.spec for alias in recorder.requests["platform"].aliases]
    assert [(spec.name, spec.type) for spec in specs] == [
        ("agents", ""),
        ("", "onprem:index:CodingPlatform"),
    ]
    for name, request in children(recorder).items():
        assert name.startswith(request.parent.rpartition("::")[2]), "the engine renames by this"


@when
def test_ignored_changes_are_ignored_on_every_object(known: Any) -> None:
    requests = objects(declared(known, lambda: pulumi.ResourceOptions(ignore_changes=["metadata.labels"])))

    assert {tuple(request.ignoreChanges) for request in requests.values()} == {("metadata.labels",)}


@when
def test_every_object_is_deleted_before_it_is_replaced(known: Any) -> None:
    requests = objects(declared(known, lambda: pulumi.ResourceOptions(delete_before_replace=True)))

    assert all(request.deleteBeforeReplace for request in requests.values())
    assert all(request.deleteBeforeReplaceDefined for request in requests.values())


@when
def test_nothing_is_said_of_options_that_are_not_given(known: Any) -> None:
    for name, request in objects(declared(known, pulumi.ResourceOptions)).items():
        assert not request.provider
        assert not request.protect
        assert not request.ignoreChanges
        # KServe lets nobody change a server's mode, and its name stays.
        assert request.deleteBeforeReplaceDefined == (name == "platform-coder-coder")
        assert not request.retainOnDelete


@when
def test_a_transform_is_the_platforms_and_the_engine_runs_it_on_its_children(known: Any) -> None:
    """The engine asks the parents of a resource for theirs (3.259, `deploy/source_eval.go`, read 2026-11)."""
    recorder = declared(known, lambda: pulumi.ResourceOptions(transforms=[lambda _: None]))

    assert len(recorder.requests["platform"].transforms) == 1
    for name, request in objects(recorder).items():
        assert "platform" in parents(recorder, name)
        assert not request.transforms, "or it would run twice"


@when
def test_a_transformation_changes_every_object(known: Any) -> None:
    def annotate(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not args.type_.startswith("kubernetes:"):
            return None
        metadata: Any = args.props["metadata"]
        props = {**args.props, "metadata": metadata | {"annotations": {"team": "red"}}}
        return pulumi.ResourceTransformationResult(props=props, opts=args.opts)

    recorder = declared(known, lambda: pulumi.ResourceOptions(transformations=[annotate]))
    inputs = [item.inputs for item in recorder.resources if item.typ.startswith("kubernetes:")]

    assert inputs
    assert all(each["metadata"]["annotations"] == {"team": "red"} for each in inputs)


def test_an_option_that_stands_beside_the_nine_reaches_the_objects_too() -> None:
    def options() -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            retain_on_delete=True,
            replace_on_changes=["spec"],
            custom_timeouts=pulumi.CustomTimeouts(create="2h"),
        )

    for request in objects(declared(at_once, options)).values():
        assert request.retainOnDelete
        assert "spec" in request.replaceOnChanges
        assert request.customTimeouts.create == "2h"


def other(name: str, opts: pulumi.ResourceOptions | None = None) -> KubernetesObject:
    """Return an object of somebody else's."""
    return KubernetesObject(name, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}, opts)


def parents(recorder: Recorder, name: str) -> list[str]:
    found: list[str] = []
    while name in recorder.requests:
        name = recorder.requests[name].parent.rpartition("::")[2]
        found.append(name)
    return found
