"""Every image of a stack: one registry before it, one pull policy, a digest where one is said, a list for mirrors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from onprem_agents.cli import main
from onprem_agents.errors import InvalidInput
from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan, plan_stack
from onprem_agents.plan.plan_parts import plan_server
from onprem_agents.stack.images import Images
from onprem_agents.stack.stack_file import stack_names
from tests.unit.manifest_samples import of_kind, planned, pod_specs
from tests.unit.part_samples import SERVER

ROOT = Path(__file__).parents[2]
STACKS, FEATURES = ROOT / "stacks", ROOT / "tests" / "golden" / "features"
FILES = [(folder, name) for folder in (STACKS, FEATURES) for name in stack_names(folder)]
REGISTRY = "registry.example.internal:5000/mirror"
DIGEST = f"sha256:{'0' * 63}1"
VLLM = "docker.io/vllm/vllm-openai:v0.33.0"


def images_in(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every image that objects name, with its pull policy; Envoy Gateway's CRD has none beside the name."""
    if isinstance(value, dict):
        if isinstance(value.get("image"), str):
            yield value["image"], value.get("imagePullPolicy")
        if "reference" in value:
            yield value["reference"], value.get("pullPolicy")
        for inner in value.values():
            yield from images_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from images_in(inner)


def changed(folder: Path, stack: str, **images: Any) -> PlatformPlan:
    file = yaml.safe_load((folder / f"Pulumi.{stack}.yaml").read_text())
    raw = file["config"]["onprem-coding-agents:platform"]
    return plan_stack({**raw, "images": images}, stack=stack)


@pytest.mark.parametrize(("folder", "stack"), FILES, ids=[name for _, name in FILES])
def test_no_image_is_pulled_from_elsewhere_than_the_registry(folder: Path, stack: str) -> None:
    plan = changed(folder, stack, registry=REGISTRY)
    said = {use.reference for use in plan.images if use.reference == use.name}
    found = {image for image, _ in images_in(render(plan))}

    assert found, "the stack makes pods"
    assert {image for image in found if not image.startswith(f"{REGISTRY}/")} == said
    assert said <= {"registry.example.internal/models/qwen3.6-27b-fp8:1"}, "what a stack itself names whole"


@pytest.mark.parametrize(("folder", "stack"), FILES, ids=[name for _, name in FILES])
def test_the_list_of_images_is_that_of_the_objects(folder: Path, stack: str) -> None:
    plan = changed(folder, stack, registry=REGISTRY)

    assert {use.reference for use in plan.images} == {image for image, _ in images_in(render(plan))}


@pytest.mark.parametrize(("folder", "stack"), FILES, ids=[name for _, name in FILES])
def test_every_image_is_pulled_when_the_stack_says(folder: Path, stack: str) -> None:
    plan = changed(folder, stack, pullPolicy="Always")
    policies = [policy for _, policy in images_in(render(plan))]
    (envoy,) = (each for each in render(plan) if each["kind"] == "EnvoyProxy")
    patch = envoy["spec"]["provider"]["kubernetes"]["envoyDeployment"]["patch"]["value"]

    assert set(policies) == {"Always"}
    assert [
        (each["name"], each["imagePullPolicy"]) for each in patch["spec"]["template"]["spec"]["containers"]
    ] == [("envoy", "Always"), ("shutdown-manager", "Always")]


@pytest.mark.parametrize(("folder", "stack"), FILES, ids=[name for _, name in FILES])
def test_a_digest_of_every_image_stands_behind_its_tag(folder: Path, stack: str) -> None:
    names = [use.name for use in changed(folder, stack).images]
    plan = changed(folder, stack, digests=dict.fromkeys(names, DIGEST))

    assert {image for image, _ in images_in(render(plan))} == {f"{name}@{DIGEST}" for name in names}


def test_every_pod_pulls_with_the_secrets_and_envoys_where_the_registry_is_the_same() -> None:
    sections: Any = {
        "serving": {"imagePullSecrets": ["mirror"]},
        "translation": "litellm",
        "access": {"gatewayReplicas": 1},
    }
    moved = render(planned(**sections, images={"registry": REGISTRY}))
    secrets = [{"name": "mirror"}]

    assert {name: pod["imagePullSecrets"] for name, pod in pod_specs(moved).items()} == {
        "coder": secrets,
        "translation-proxy": secrets,
    }
    (envoy,) = of_kind(moved, "EnvoyProxy").values()
    assert envoy["spec"]["provider"]["kubernetes"]["envoyDeployment"]["pod"] == {"imagePullSecrets": secrets}
    (envoy,) = of_kind(render(planned(**sections)), "EnvoyProxy").values()
    assert "provider" not in envoy["spec"], "its publisher asks for no password"


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("kserve/storage-initializer:v0.20.0", "mirror:5000/kserve/storage-initializer:v0.20.0"),
        ("docker.io/envoyproxy/envoy:distroless", "mirror:5000/envoyproxy/envoy:distroless"),
        ("localhost/vllm:1", "mirror:5000/vllm:1"),
        ("localhost:5000/vllm:1", "mirror:5000/vllm:1"),
        ("vllm:1", "mirror:5000/vllm:1"),
    ],
)
def test_the_registry_takes_the_place_of_another_and_keeps_the_path(name: str, reference: str) -> None:
    assert Images.model_validate({"registry": "mirror:5000"}).reference(name) == reference


def test_an_image_that_the_stack_names_whole_stays_where_it_is_and_may_have_a_digest() -> None:
    own = "registry.example.internal/vllm:v0.33.0"
    plan = planned(serving={"image": own}, images={"registry": "mirror.example", "digests": {own: DIGEST}})

    assert plan.main.image == f"{own}@{DIGEST}"


def test_an_image_that_is_named_with_its_digest_has_no_second_one() -> None:
    own = "registry.example.internal/vllm:v0.33.0"
    with pytest.raises(InvalidInput) as refused:
        planned(serving={"image": f"{own}@sha256:{'0' * 64}"}, images={"digests": {own: DIGEST}})
    (problem,) = refused.value.problems

    assert (problem.where, problem.found) == ("platform.images.digests", f"a digest of {own}")


def test_a_digest_of_an_image_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidInput) as refused:
        planned(images={"digests": {"docker.io/vllm/vllm-openai:v0.9.0": DIGEST}})
    (problem,) = refused.value.problems

    assert problem.where == "platform.images.digests"
    assert "vllm-openai:v0.9.0" in problem.found
    assert f"{VLLM}, kserve/storage-initializer:v0.20.0, docker.io/envoyproxy/envoy" in problem.fix


def test_a_server_alone_refuses_the_digests_of_others() -> None:
    arguments = SERVER | {"images": {"digests": {"docker.io/envoyproxy/envoy:distroless-v1.39.0": DIGEST}}}
    with pytest.raises(InvalidInput) as refused:
        plan_server(arguments, stack="test", source="coder")
    (problem,) = refused.value.problems

    assert problem.where == "images.digests"
    assert VLLM in problem.fix


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ({"registry": "https://registry.example.internal"}, "registry.example.internal/mirror"),
        ({"registry": "registry.example.internal/"}, "registry.example.internal/mirror"),
        ({"digests": {VLLM: "v0.33.0"}}, "sha256:"),
        ({"digests": {"@": DIGEST}}, "docker.io/vllm/vllm-openai:v0.33.0"),
        ({"pullPolicy": "Sometimes"}, "platform.images.pullPolicy"),
    ],
)
def test_what_no_node_could_pull_is_refused(images: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        planned(images=images)
    (problem,) = refused.value.problems

    assert words in problem.fix


def test_the_command_lists_what_a_mirror_copies_and_where_pods_look_for_it() -> None:
    lines = CliRunner().invoke(main, ["plan", "openshift", "--stacks", str(FEATURES), "--images"]).output
    read = CliRunner().invoke(main, ["plan", "openshift", "--stacks", str(FEATURES), "--images", "--json"])

    names = [line.split(" ") for line in lines.splitlines()]
    assert [name for name, _ in names] == [
        VLLM,
        "kserve/storage-initializer:v0.15.2",
        "docker.litellm.ai/berriai/litellm-non_root:1.109.1",
        "docker.io/envoyproxy/envoy:distroless-v1.39.0",
    ]
    assert all(where.startswith("registry.example.internal/mirror/") for _, where in names)
    assert [[each["name"], each["reference"]] for each in json.loads(read.output)] == names
    assert json.loads(read.output)[0]["purpose"] == "model server coder, model server fast"
