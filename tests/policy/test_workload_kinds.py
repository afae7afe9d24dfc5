"""Every kind of workload that serves is judged by the rules about its pods and is reached by its Services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policy.checks import check_manifests, graph_of
from policy.graph import UNKNOWN
from policy.reading import read_folder
from policy.serving import servers
from policy.templates import TEMPLATES
from tests.policy.programs import Manifest
from tests.policy.rendered import policies_in

pytestmark = pytest.mark.policy

NODE, BEHIND = "pods-leave-their-node-alone", "servers-stay-behind-the-gateway"
VERSIONS = {"apps": "apps/v1", "batch": "batch/v1", "core": "v1"}
LABELS = {"app": "llm"}


def _workload(group: str, kind: str, **pod: Any) -> Manifest:
    """Return a workload whose first template runs vLLM."""
    container = {"name": "vllm", "image": "vllm/vllm-openai:v0.33.0", "command": ["vllm", "serve", "acme/x"]}
    spec = {"containers": [container], **pod}
    metadata = {"name": "llm", "namespace": "ml"}
    version = VERSIONS.get(group, f"{group}/v1")
    (path, *_) = TEMPLATES[group, kind]
    if not path:
        return {
            "apiVersion": version,
            "kind": kind,
            "metadata": {**metadata, "labels": LABELS},
            "spec": spec,
        }
    node: Any = {"metadata": {"labels": LABELS}, "spec": spec}
    for key in reversed(path):
        node = {key: node}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **node}


def _service(**spec: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "open", "namespace": "ml"},
        "spec": {"selector": LABELS, **spec},
    }


@pytest.mark.parametrize(("group", "kind"), TEMPLATES, ids="/".join)
def test_a_pod_that_joins_its_node_is_found_in_each_kind(group: str, kind: str) -> None:
    assert NODE in policies_in(check_manifests([_workload(group, kind, hostIPC=True)]))
    assert NODE not in policies_in(check_manifests([_workload(group, kind)]))


@pytest.mark.parametrize(("group", "kind"), TEMPLATES, ids="/".join)
def test_a_service_leads_to_each_kind_by_the_labels_of_its_pods(group: str, kind: str) -> None:
    manifests = [_workload(group, kind), _service(type="NodePort")]
    (server,) = servers(graph_of(manifests))
    assert server.hosts == ("llm", "open")
    assert BEHIND in policies_in(check_manifests(manifests))


def test_a_label_that_is_only_known_at_run_time_may_be_the_one_that_a_service_asks_for() -> None:
    workload = _workload("apps", "Deployment")
    workload["spec"]["template"]["metadata"]["labels"] = {"app": UNKNOWN}
    (server,) = servers(graph_of([workload, _service()]))
    assert server.hosts == ("llm", "open")


def test_a_service_of_kubernetes_is_no_workload_of_knative() -> None:
    assert policies_in(check_manifests([_service(hostIPC=True)])) == set()


def test_patches_are_found_by_a_kustomization_without_a_suffix_and_hidden_folders_are_left_out(
    tmp_path: Path,
) -> None:
    (tmp_path / "Kustomization").write_text("patches: [{path: patch.yaml}]\n")
    (tmp_path / "patch.yaml").write_text("{apiVersion: v1, kind: Pod, metadata: {name: x}}\n")
    for hidden in (".git", "node_modules"):
        (tmp_path / hidden).mkdir()
        (tmp_path / hidden / "pod.yaml").write_text("{apiVersion: v1, kind: Pod, metadata: {name: y}}\n")

    read = read_folder(tmp_path, skip=lambda _: False)

    assert read.resources == ()
    assert [Path(one.what).name for one in read.unread] == ["patch.yaml"]
