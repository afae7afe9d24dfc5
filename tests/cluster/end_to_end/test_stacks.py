"""Every stack that ships comes up, one after the other, and its objects satisfy API server and Pod Security."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded.cluster import crds
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.toolchain import module_dir
from onprem_agents.cli.render import yaml_of
from onprem_agents.cluster import ApiError
from onprem_agents.errors import OnpremError
from onprem_agents.manifests import render
from onprem_agents.plan import plan_stack_file
from onprem_agents.stack.stack_file import stack_names
from tests.cluster.end_to_end.checkout import Checkout, ask
from tests.cluster.end_to_end.conftest import FirstUp

_ROOT = Path(__file__).parents[3]
_STACKS, _FEATURES = _ROOT / "stacks", _ROOT / "tests" / "golden" / "features"
_NAMESPACE = "coding-agents"
_EMPTY = "validated"
# Stack: product label of its nodes as the GPU operator sets it, GPUs of each node, GPUs of each pod by role.
_TIERS: dict[str, tuple[str, list[int], dict[str, int]]] = {
    "8-16gb": ("NVIDIA-GeForce-RTX-4070", [1], {"coder": 1}),
    "24gb": ("NVIDIA-L4", [1], {"coder": 1}),
    "48gb": ("NVIDIA-L40S", [1], {"coder": 1}),
    "80gb": ("NVIDIA-H100-80GB-HBM3", [1], {"coder": 1}),
    "multi-gpu": ("NVIDIA-H100-80GB-HBM3", [8], {"coder": 8}),
    "team": ("NVIDIA-H100-80GB-HBM3", [4, 4], {"coder": 2, "fast": 1}),
}
# Group of a manifest's kind -> group of definitions that `./dev up` of such a stack would install.
_OPTIONAL = {
    "cert-manager.io": "cert-manager",
    "kueue.x-k8s.io": "kueue",
    "aigateway.envoyproxy.io": "ai-gateway",
}


@pytest.mark.parametrize("stack", _TIERS)
def test_each_tier_stack_is_ready_on_nodes_of_its_tier_with_its_keys_checked(
    checkout: Checkout, stack: str
) -> None:
    product, node_gpus, pod_gpus = _TIERS[stack]

    checkout.up(stack)

    status = checkout.status()
    assert status["stack"]["name"] == stack
    assert {each["name"]: each["ready"] for each in status["inferenceServices"]} == dict.fromkeys(
        pod_gpus, True
    )
    with checkout.client() as client:
        nodes = {
            node["metadata"]["name"]: node
            for node in client.list("v1", "Node", labels=f"nvidia.com/gpu.product={product}")
        }
        refused = _refused_pods(client)
    found = [int(node["status"]["allocatable"]["nvidia.com/gpu"]) for node in nodes.values()]
    assert found == node_gpus
    pods = status["pods"]
    assert {pod["phase"] for pod in pods} == {"Running"}
    assert {pod["node"] for pod in pods} <= set(nodes)
    for role, gpus in pod_gpus.items():
        of_role = [pod for pod in pods if pod["name"].startswith(f"{role}-predictor-")]
        assert {pod["gpus"] for pod in of_role} == {gpus}
    assert refused == []
    _accepts_everything_and_checks_keys(checkout, stack, status)


def _accepts_everything_and_checks_keys(checkout: Checkout, stack: str, status: dict[str, Any]) -> None:
    gateway = status["gateway"]
    assert (gateway["accepted"], gateway["programmed"]) == (True, True)
    assert [policy for policy in gateway["policies"] if policy["accepted"] is not True] == []
    developer = next(iter(checkout.platform(stack)["access"]["developers"]))
    with checkout.gateway(status["stack"]["outputs"]["host"]) as client:
        assert ask(client, "GET", "/v1/models").status_code == 401
        assert ask(client, "POST", "/v1/chat/completions").status_code == 401
        answer = ask(client, "GET", "/v1/models", **{"x-api-key": checkout.key(developer)})
    assert answer.status_code == 200
    models = [entry["model"] for entry in status["stack"]["outputs"]["connection"]["roles"]]
    assert [model["id"] for model in answer.json()["data"]] == models


def _refused_pods(client: KubeWriter) -> list[str]:
    """Return why pods of the namespace, which enforces Pod Security `restricted`, could not be made."""
    namespace = client.get("v1", "Namespace", _NAMESPACE)
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    return [
        condition["message"]
        for replica_set in client.list("apps/v1", "ReplicaSet", _NAMESPACE)
        for condition in replica_set["status"].get("conditions", [])
        if condition["type"] == "ReplicaFailure"
    ]


_RENDERED = [
    *(pytest.param(_STACKS, stack, id=stack) for stack in stack_names(_STACKS)),
    *(pytest.param(_FEATURES, stack, id=f"feature-{stack}") for stack in stack_names(_FEATURES)),
]


@pytest.fixture(scope="module")
def client(checkout: Checkout, first_up: FirstUp) -> Iterator[KubeWriter]:
    """A client of the cluster, in which an empty namespace enforces Pod Security `restricted`."""
    assert first_up.outcome.code == 0, first_up.outcome.text
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": _EMPTY, "labels": labels}
    with checkout.client() as client:
        client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, force=True)
        client.wait_until("v1", "ServiceAccount", "default", _EMPTY, bool, timeout_seconds=20, what="there")
        yield client
        client.delete("v1", "Namespace", _EMPTY)


@pytest.mark.parametrize(("folder", "stack"), _RENDERED)
def test_every_rendered_object_passes_the_api_servers_own_validation(
    client: KubeWriter, folder: Path, stack: str
) -> None:
    manifests = _manifests(folder, stack)
    _install_definitions(client, manifests)

    refused = []
    for manifest in manifests:
        try:
            client.apply(manifest, dry_run=True, force=True)
        except ApiError as error:
            refused.append(str(error))

    assert refused == []


@pytest.mark.parametrize(("folder", "stack"), _RENDERED)
def test_every_rendered_pod_template_is_admitted_where_restricted_is_enforced(
    client: KubeWriter, folder: Path, stack: str
) -> None:
    # Pods of model servers are KServe's: the test of the tier stacks looks at those.
    for manifest in _manifests(folder, stack):
        if manifest["kind"] != "Deployment":
            continue
        template = manifest["spec"]["template"]
        # Whether the service account exists is the business of another admission.
        spec = {key: value for key, value in template["spec"].items() if key != "serviceAccountName"}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "probe", "namespace": _EMPTY},
            "spec": spec,
        }
        client.create(pod, dry_run=True)


def _manifests(folder: Path, stack: str) -> list[dict[str, Any]]:
    """Return what a stack declares, moved to the empty namespace: some objects may not change once they are."""
    manifests = list(yaml.safe_load_all(yaml_of(render(plan_stack_file(folder, stack)))))
    for manifest in manifests:
        if manifest["metadata"].get("namespace") == _NAMESPACE:
            manifest["metadata"]["namespace"] = _EMPTY
    return manifests


def _install_definitions(client: KubeWriter, manifests: list[dict[str, Any]]) -> None:
    groups = {manifest["apiVersion"].partition("/")[0] for manifest in manifests}
    for group in sorted(_OPTIONAL.keys() & groups):
        try:
            crds.ensure(client, {_OPTIONAL[group]}, partial(module_dir, Layout.default()), lambda _: None)
        except OnpremError as error:
            pytest.skip(f"the definitions of {group} are not to be had: {error}")
