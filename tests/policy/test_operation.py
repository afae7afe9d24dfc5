"""How servers are run: each rule on our own stacks, bent, and on what others write."""

from __future__ import annotations

import pytest

from policy.checks import check_manifests
from policy.graph import UNKNOWN
from policy.packs import serving_operation
from policy.table import POLICIES
from tests.policy.programs import Manifest, both, drop, put
from tests.policy.rendered import Change, found_in, policies_in
from tests.policy.theirs import (
    classifier,
    config_map,
    deployment,
    inference_service,
    knative_service,
    llm_inference_service,
    model_service,
    scaled_object,
)

pytestmark = pytest.mark.policy

MODES, FORMER = "deployment-modes-exist", "deployment-modes-are-current"
UP, TAKEN, READ = "servers-stay-up", "scaling-settings-are-taken", "scaling-settings-are-read"
KNATIVE, FEATURES = "knative-takes-the-pod", "knative-features-are-on"
DEADLINE, AWAITED = "deadlines-are-no-timeouts", "servers-are-awaited"

STACK, ON_KNATIVE = "feature-litellm-oci", "feature-knative-pvc"
OBJECT = ("InferenceService/coder",)
NOTES = (*OBJECT, "metadata", "annotations")
SERVER = (*OBJECT, "spec", "predictor")
CONTAINER = (*SERVER, "containers", 0)
MODE = (*NOTES, "serving.kserve.io/deploymentMode")
THEIRS = drop(*OBJECT, "metadata", "labels", "onprem-coding-agents/stack")
CLASS = (*NOTES, "serving.kserve.io/autoscalerClass")


def _flags(**flags: object) -> Change:
    """Return a change that adds Knative's feature flags, each without its prefix and with _ for -."""
    data = {f"kubernetes.podspec-{name.replace('_', '-')}": value for name, value in flags.items()}
    return put("ConfigMap/config-features", value=config_map("config-features", "knative-serving", **data))


ALL_FLAGS = dict.fromkeys(
    (
        *("nodeselector", "tolerations", "priorityclassname", "securitycontext"),
        *("persistent_volume_claim", "init_containers"),
    ),
    "enabled",
)

MUTATIONS: dict[str, tuple[str, Change, str, str]] = {
    # the stack, its change, the one policy that fires, a part of its message
    "a mode in small letters": (STACK, put(*MODE, value="standard"), MODES, "Write Standard."),
    "a misspelt mode": (STACK, put(*MODE, value="Sandard"), MODES, "did you mean Standard"),
    "the former mode in small letters": (STACK, put(*MODE, value="rawdeployment"), MODES, "Write Standard."),
    "a mode known later": (STACK, put(*MODE, value=UNKNOWN), MODES, "only known at run time"),
    "the former mode of another program": (
        STACK,
        both(THEIRS, put(*MODE, value="RawDeployment")),
        FORMER,
        "Write Standard, unless KServe is older than 0.16.",
    ),
    "no replica": (
        STACK,
        put(*SERVER, "minReplicas", value=0),
        UP,
        "has spec.predictor.minReplicas 0: it is taken away",
    ),
    "no replica for an HPA": (
        STACK,
        both(put(*SERVER, "minReplicas", value=0), put(*CLASS, value="hpa")),
        UP,
        "KServe's HPA takes for 1",
    ),
    "no replica on Knative": (ON_KNATIVE, put(*SERVER, "minReplicas", value=0), UP, "the next turn waits"),
    "an HPA by concurrency": (
        STACK,
        both(put(*SERVER, "scaleMetric", value="concurrency"), put(*CLASS, value="hpa")),
        TAKEN,
        "Set it to cpu or memory.",
    ),
    "a metric of its own beside KEDA": (
        STACK,
        both(put(*SERVER, "scaleMetric", value="cpu"), put(*CLASS, value="keda")),
        TAKEN,
        "spec.predictor.autoScaling.metrics",
    ),
    "CPU as a metric of Knative": (
        ON_KNATIVE,
        put(*SERVER, "scaleMetric", value="cpu"),
        TAKEN,
        "Set it to concurrency or rps.",
    ),
    "a metric known later": (
        STACK,
        both(put(*SERVER, "scaleMetric", value=UNKNOWN), put(*CLASS, value="hpa")),
        TAKEN,
        "only known at run time",
    ),
    "Knative's target in Standard mode": (
        STACK,
        put(*SERVER, "annotations", "autoscaling.knative.dev/target", value="8"),
        READ,
        "has autoscaling.knative.dev/target, which nothing reads",
    ),
    "concurrency in Standard mode": (
        STACK,
        put(*SERVER, "containerConcurrency", value=16),
        READ,
        "spec.predictor.containerConcurrency",
    ),
    "requests a second in Standard mode": (
        STACK,
        put(*SERVER, "scaleMetric", value="rps"),
        READ,
        "spec.predictor.scaleMetric rps",
    ),
    "a grace period on Knative": (
        ON_KNATIVE,
        put(*SERVER, "terminationGracePeriodSeconds", value=675),
        KNATIVE,
        "sets terminationGracePeriodSeconds, which Knative refuses",
    ),
    "a grace period known later on Knative": (
        ON_KNATIVE,
        put(*SERVER, "terminationGracePeriodSeconds", value=UNKNOWN),
        KNATIVE,
        "terminationGracePeriodSeconds",
    ),
    "a handler on Knative": (
        ON_KNATIVE,
        put(*CONTAINER, "lifecycle", value={"preStop": {"sleep": {"seconds": 15}}}),
        KNATIVE,
        "containers[].lifecycle",
    ),
    "a flag that the program leaves off": (
        ON_KNATIVE,
        _flags(**{**ALL_FLAGS, "tolerations": "disabled"}),
        KNATIVE,
        "Set kubernetes.podspec-tolerations: enabled there",
    ),
    "flags that the program does not show": (
        ON_KNATIVE,
        THEIRS,
        FEATURES,
        "kubernetes.podspec-persistent-volume-claim: enabled",
    ),
    "a deployment that waits for nothing": (
        STACK,
        put(*NOTES, "pulumi.com/skipAwait", value="true"),
        AWAITED,
        "succeeds before its model is loaded",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_change_of_a_stack_makes_exactly_one_policy_fire(name: str) -> None:
    stack, change, policy, part = MUTATIONS[name]

    findings = found_in(stack, change)

    assert policies_in(findings) == {policy}, "\n".join(f"{f.policy}: {f.told}" for f in findings)
    assert len(findings) == 1, "one fault, one finding"
    assert part in findings[0].told, findings[0].told
    assert findings[0].message.startswith(findings[0].resource)
    assert findings[0].change, "a finding says what to change"
    assert {f.level for f in findings} == {next(row.level for row in POLICIES if row.name == policy)}


HARMLESS: dict[str, tuple[str, Change]] = {
    "the former word of a release that a stack names": (STACK, put(*MODE, value="RawDeployment")),
    "no word at all": (STACK, drop(*MODE)),
    "a number of replicas known later": (STACK, put(*SERVER, "minReplicas", value=UNKNOWN)),
    "an HPA by CPU": (STACK, both(put(*SERVER, "scaleMetric", value="cpu"), put(*CLASS, value="hpa"))),
    "no limit of concurrency": (STACK, put(*SERVER, "containerConcurrency", value=0)),
    "annotations known later": (STACK, put(*SERVER, "annotations", value=UNKNOWN)),
    "every flag that is needed": (ON_KNATIVE, _flags(**ALL_FLAGS)),
    "a flag in another case of letters": (ON_KNATIVE, _flags(**{**ALL_FLAGS, "tolerations": "Allowed"})),
    "a flag known later": (ON_KNATIVE, _flags(**{**ALL_FLAGS, "tolerations": UNKNOWN})),
    "an awaited server that says so": (STACK, put(*NOTES, "pulumi.com/skipAwait", value="false")),
    "awaiting known later": (STACK, put(*NOTES, "pulumi.com/skipAwait", value=UNKNOWN)),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_no_harm_is_left_alone(name: str) -> None:
    stack, change = HARMLESS[name]
    ours = {policy.name for policy in serving_operation.POLICIES}
    assert [f.told for f in found_in(stack, change) if f.policy in ours] == []


def _ours(*manifests: Manifest) -> set[str]:
    ours = {policy.name for policy in serving_operation.POLICIES}
    return policies_in(check_manifests(manifests)) & ours


LEAST = {"autoscaling.knative.dev/min-scale": "1"}
PROGRESS = {"serving.knative.dev/progress-deadline": "1800s"}


@pytest.mark.parametrize(
    ("policy", "manifests", "fires"),
    [
        (MODES, [inference_service("serverless")], True),
        (MODES, [model_service("Raw")], True),
        (MODES, [model_service("Standard")], False),
        (FORMER, [inference_service("RawDeployment")], True),
        (FORMER, [model_service("Serverless")], True),
        (FORMER, [model_service("RawDeployment", runtime="vllm-cuda-runtime")], False),
        (FORMER, [inference_service("Knative")], False),
        (UP, [inference_service(minReplicas=0)], True),
        (UP, [knative_service()], True),
        (UP, [knative_service({"autoscaling.knative.dev/minScale": "0"})], True),
        (UP, [knative_service(LEAST)], False),
        (UP, [knative_service({"autoscaling.knative.dev/min-scale": UNKNOWN})], False),
        (UP, [llm_inference_service(scaling={"minReplicas": 0, "maxReplicas": 2})], True),
        (UP, [deployment(), scaled_object()], True),
        (UP, [deployment(), scaled_object(minReplicaCount=1, idleReplicaCount=0)], True),
        (UP, [deployment(), scaled_object(minReplicaCount=2)], False),
        (UP, [deployment(), scaled_object("web")], False),
        (UP, [inference_service("Standard"), scaled_object("llm-predictor", minReplicaCount=0)], True),
        (TAKEN, [inference_service("Knative", scaleMetric="memory")], True),
        (TAKEN, [inference_service(scaleMetric="memory")], False),
        (READ, [inference_service("RawDeployment", scaleMetric="concurrency", scaleTarget=8)], True),
        (READ, [inference_service("Knative", scaleMetric="concurrency", scaleTarget=8)], False),
        (KNATIVE, [knative_service(hostname="llm")], True),
        (KNATIVE, [knative_service(nodeSelector={"pool": "gpu"})], False),
        (
            KNATIVE,
            [knative_service(nodeSelector={"pool": "gpu"}), config_map("config-features", "knative-serving")],
            True,
        ),
        (FEATURES, [knative_service(nodeSelector={"pool": "gpu"})], True),
        (FEATURES, [inference_service("Serverless", tolerations=[{"operator": "Exists"}])], True),
        (FEATURES, [inference_service("Knative", volumes=[{"name": "shm", "emptyDir": {}}])], False),
        (FEATURES, [inference_service(nodeSelector={"pool": "gpu"})], False),
        (FEATURES, [inference_service("Knative", volumes=UNKNOWN)], False),
        (DEADLINE, [inference_service("Knative", annotations=PROGRESS)], True),
        (DEADLINE, [knative_service(PROGRESS)], True),
        (DEADLINE, [knative_service(PROGRESS, timeoutSeconds=600)], False),
        (DEADLINE, [inference_service("Knative", annotations=PROGRESS, timeout=UNKNOWN)], False),
        (DEADLINE, [inference_service("Knative", annotations=PROGRESS, timeout=660)], False),
    ],
)
def test_their_server_is_judged_alike(policy: str, manifests: list[Manifest], fires: bool) -> None:
    assert (policy in _ours(*manifests)) is fires


def test_what_serves_no_language_model_gets_no_word() -> None:
    assert _ours(classifier()) == set()


def test_a_server_that_no_agent_talks_to_may_be_scaled_to_zero() -> None:
    service = inference_service(minReplicas=0)
    service["metadata"]["labels"] = {"onprem-coding-agents/agents": "false"}
    assert UP not in _ours(service)
