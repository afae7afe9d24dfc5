"""What is no whole object in a file: a patch on its own is named, a Template is read with its parameters in place."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from policy.checks import check_manifests, graph_of
from policy.documents import NotReadable, resources_in
from policy.graph import UNKNOWN, Graph, Resource
from policy.openshift_template import objects_of
from policy.reading import read_text
from policy.serving import servers, unread
from tests.policy.programs import Manifest
from tests.policy.rendered import policies_in

pytestmark = pytest.mark.policy

TOOLS, CHECKABLE = "tool-calling-is-on", "serving-can-be-checked"


def _manifest(text: str) -> Manifest:
    loaded: Manifest = yaml.safe_load(text)
    return loaded


PATCHES = {
    "replicas of a Deployment": "{apiVersion: apps/v1, kind: Deployment, metadata: {name: vllm}, spec: {replicas: 3}}",
    "arguments of a container": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: vllm}
spec: {template: {spec: {containers: [{name: vllm, args: [--max-model-len, "65536"]}]}}}
""",
    "a node selector": """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: vllm}
spec: {template: {spec: {nodeSelector: {gpu: l40s}}}}
""",
    "resources of a predictor's container": """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: coder}
spec: {predictor: {containers: [{name: kserve-container, resources: {limits: {nvidia.com/gpu: "2"}}}]}}
""",
    "replicas of a predictor": """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: coder}
spec: {predictor: {minReplicas: 2}}
""",
    "a container that goes": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: vllm}
spec:
  selector: {matchLabels: {app: vllm}}
  template: {spec: {containers: [{name: sidecar, $patch: delete}, {name: vllm, image: vllm/vllm-openai:v0.33.0}]}}
""",
    "a group of pods": """
apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata: {name: vllm}
spec: {leaderWorkerTemplate: {workerTemplate: {spec: {containers: [{name: vllm, env: []}]}}}}
""",
}
WHOLE = {
    "a Deployment without what the rules read": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: vllm}
spec: {template: {spec: {containers: [{name: vllm, image: vllm/vllm-openai:v0.33.0}]}}}
""",
    "a model that a runtime serves": """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: coder}
spec: {predictor: {model: {modelFormat: {name: vLLM}, args: [--max-model-len=65536]}}}
""",
    "a preset's container": """
apiVersion: serving.kserve.io/v1alpha1
kind: LLMInferenceService
metadata: {name: coder}
spec: {model: {uri: hf://a/b}, template: {containers: [{name: main, args: []}]}}
""",
    "a rollout of another workload": """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: vllm}
spec: {workloadRef: {kind: Deployment, name: vllm}}
""",
    "a Service": "{apiVersion: v1, kind: Service, metadata: {name: vllm}, spec: {ports: []}}",
}


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_on_its_own_is_named_and_not_judged(name: str) -> None:
    with pytest.raises(NotReadable, match="looks like a patch of kustomize, no whole object; build it first"):
        resources_in(_manifest(PATCHES[name]))
    read = read_text(PATCHES[name], "patch.yaml")
    assert read.resources == ()
    assert [one.what.partition(",")[0] for one in read.unread] == ["patch.yaml"]


@pytest.mark.parametrize("name", WHOLE)
def test_what_may_be_whole_is_read(name: str) -> None:
    assert len(resources_in(_manifest(WHOLE[name])) or ()) == 1


TEMPLATE = """
apiVersion: template.openshift.io/v1
kind: Template
metadata: {name: vllm}
parameters:
  - {name: NAME, value: coder}
  - {name: MODEL, required: true}
  - {name: CONTEXT, value: "65536"}
  - {name: REPLICAS, value: "2"}
labels: {template: vllm}
objects:
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: "${NAME}-vllm", namespace: llm, labels: {app: "${NAME}"}}
    spec:
      replicas: ${{REPLICAS}}
      template:
        spec:
          containers:
            - name: vllm
              image: vllm/vllm-openai:v0.33.0
              command: [sh, -c, "vllm serve ${MODEL} --max-model-len ${CONTEXT}"]
              args: ["${HOME}", "--max-model-len", "${CONTEXT}"]
"""


def test_parameters_stand_in_their_places_and_what_is_none_stays() -> None:
    (deployment,) = objects_of(_manifest(TEMPLATE))
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert deployment["metadata"]["name"] == "coder-vllm"
    assert deployment["metadata"]["labels"] == {"app": "coder", "template": "vllm"}
    assert deployment["spec"]["replicas"] == 2, "two braces give a number"
    assert container["args"] == ["${HOME}", "--max-model-len", "65536"], "a shell's variable is no parameter"
    assert container["command"] == ["sh", "-c", UNKNOWN], "the model is given when the template is processed"


@pytest.mark.parametrize("text", [TEMPLATE, TEMPLATE.replace("template.openshift.io/v1", "v1")])
def test_a_template_is_judged_by_what_it_makes(text: str) -> None:
    graph = graph_of(resource.props for resource in resources_in(_manifest(text)) or ())
    assert [str(server.resource) for server in servers(graph)] == ["Deployment llm/coder-vllm"]
    assert TOOLS in policies_in(check_manifests([_manifest(text)]))


def test_a_parameter_with_a_value_is_read_like_any_text() -> None:
    fine = TEMPLATE.replace(
        "{name: MODEL, required: true}", "{name: MODEL, value: Qwen/Qwen3.6-27B-FP8}"
    ).replace("--max-model-len ${CONTEXT}", "--enable-auto-tool-choice --tool-call-parser qwen3_coder")
    assert TOOLS not in policies_in(check_manifests([_manifest(fine)]))


def test_a_template_of_a_program_is_named_as_nothing_unfolds_it_there() -> None:
    resource = Resource(
        urn="urn:pulumi:a::b::kubernetes:template.openshift.io/v1:Template::vllm",
        type="kubernetes:template.openshift.io/v1:Template",
        name="vllm",
        props=_manifest(TEMPLATE),
    )

    (found,) = unread(Graph(resources=(resource,)))
    assert "the kind Template is not read" in found.reason


def _template_of(objects: Any) -> Manifest:
    return {"apiVersion": "template.openshift.io/v1", "kind": "Template", "metadata": {}, "objects": objects}


def test_a_template_of_something_else_gets_no_word() -> None:
    ui = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "ui"}, "spec": {}}
    assert check_manifests([_template_of([ui]), _template_of(["odd", 1, None]), _template_of([])]) == []
