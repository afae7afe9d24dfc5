"""What holds for every object of every kind of stack: identity, order, canonical values, Pod Security."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan
from onprem_agents.units import canonical_quantity
from tests.unit.manifest_samples import containers, planned, pod_specs

STACKS: dict[str, PlatformPlan] = {
    "native": planned(),
    "two roles": planned(second_role=True, queue={}),
    "litellm": planned(translation="litellm", model={"replicas": 2, "chatTemplate": "{{ x }}"}),
    "claude-code-router": planned(translation="claude-code-router", second_role=True),
    "knative": planned(
        serving={"mode": "Knative", "imagePullSecrets": ["pull"]}, model={"source": "s3://b/m"}
    ),
    "ai gateway": planned(access={"gateway": "envoy-ai-gateway", "tls": {"issuer": "internal-ca"}}),
    "adopted nodes": planned(hardware={"nodeNames": ["node-a", "node-b"]}, model={"source": "pvc://models"}),
}
every_stack = pytest.mark.parametrize("plan", STACKS.values(), ids=STACKS)


def quantities(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from quantities(inner, name if key not in ("requests", "limits") else key)
    elif isinstance(value, list):
        for inner in value:
            yield from quantities(inner, key)
    elif key in ("requests", "limits", "sizeLimit", "bufferLimit", "nominalQuota"):
        yield value


@every_stack
def test_rendering_twice_gives_the_same_bytes(plan: PlatformPlan) -> None:
    assert json.dumps(render(plan)) == json.dumps(render(plan))


@every_stack
def test_every_object_says_what_it_is_and_whose(plan: PlatformPlan) -> None:
    for document in render(plan):
        if document["kind"] == "Node":
            continue  # somebody else's object, of which only two fields are ours
        labels = document["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "onprem-coding-agents"
        assert labels["app.kubernetes.io/managed-by"] == "pulumi"
        assert labels["onprem-coding-agents/stack"] == "test"
        assert all(len(value) <= 63 for value in labels.values())


@every_stack
def test_no_two_objects_share_an_identity(plan: PlatformPlan) -> None:
    identities = [(item["apiVersion"], item["kind"], item["metadata"]["name"]) for item in render(plan)]

    assert len(identities) == len(set(identities))


@every_stack
def test_every_object_lives_in_the_stacks_namespace_or_in_none(plan: PlatformPlan) -> None:
    assert {item["metadata"].get("namespace") for item in render(plan)} == {None, "coding-agents"}


@every_stack
def test_quantities_are_strings_in_the_form_that_the_api_server_keeps(plan: PlatformPlan) -> None:
    found = list(quantities(render(plan)))

    assert found
    assert [canonical_quantity(quantity) for quantity in found] == found


@every_stack
def test_the_namespace_comes_first_and_walls_before_pods(plan: PlatformPlan) -> None:
    kinds = [item["kind"] for item in render(plan)]

    assert kinds[0] == "Namespace"
    assert kinds.index("NetworkPolicy") < kinds.index("InferenceService")
    routes = [index for index, kind in enumerate(kinds) if kind in ("HTTPRoute", "AIGatewayRoute")]
    assert kinds.index("SecurityPolicy") < min(routes), "no moment may see an open route"


def test_the_namespace_enforces_pod_security_restricted() -> None:
    labels = render(planned())[0]["metadata"]["labels"]

    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {
        "restricted"
    }


@every_stack
def test_every_pod_passes_pod_security_restricted(plan: PlatformPlan) -> None:
    for pod in pod_specs(render(plan)).values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        allowed = {"name", "configMap", "emptyDir", "persistentVolumeClaim", "image", "secret"}
        assert all(set(volume) <= allowed for volume in pod["volumes"])
        for container in containers(pod):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert all("hostPort" not in port for port in container.get("ports", ()))


@every_stack
def test_every_container_has_requests_limits_and_a_named_image(plan: PlatformPlan) -> None:
    for pod in pod_specs(render(plan)).values():
        assert pod["automountServiceAccountToken"] is False
        for container in containers(pod):
            assert container["resources"]["requests"] == container["resources"]["limits"]
            assert not container["image"].endswith(":latest")
            assert ":" in container["image"]


@every_stack
def test_ports_name_their_protocol(plan: PlatformPlan) -> None:
    for pod in pod_specs(render(plan)).values():
        for container in containers(pod):
            assert all(port["protocol"] == "TCP" for port in container.get("ports", ())), (
                "KServe adds it: drift"
            )


@every_stack
def test_every_mount_has_a_volume_and_every_volume_a_mount(plan: PlatformPlan) -> None:
    for pod in pod_specs(render(plan)).values():
        mounted = {mount["name"] for container in containers(pod) for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


@every_stack
def test_what_a_rule_or_policy_refers_to_exists(plan: PlatformPlan) -> None:
    documents = render(plan)
    filters = {item["metadata"]["name"] for item in documents if item["kind"] == "HTTPRouteFilter"}
    used = {
        entry["extensionRef"]["name"]
        for item in documents
        if item["kind"] == "HTTPRoute"
        for rule in item["spec"]["rules"]
        for entry in rule["filters"]
        if entry["type"] == "ExtensionRef"
    }

    assert used == filters
