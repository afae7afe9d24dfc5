"""How servers are run: each rule on our own stacks, bent."""

from __future__ import annotations

import pytest

from policy.graph import UNKNOWN
from policy.packs import serving_operation
from policy.table import POLICIES
from tests.policy.programs import both, drop, put
from tests.policy.rendered import Change, Objects, found_in, policies_in
from tests.policy.theirs import config_map

pytestmark = pytest.mark.policy

MODES, FORMER = "deployment-modes-exist", "deployment-modes-are-current"
UP, TAKEN, READ = "servers-stay-up", "scaling-settings-are-taken", "scaling-settings-are-read"
KNATIVE, FEATURES = "knative-takes-the-pod", "knative-features-are-on"
DEADLINE, AWAITED = "deadlines-are-no-timeouts", "servers-are-awaited"
DIES, SIZED, SHARED = "host-memory-lasts", "host-resources-are-sized", "shared-memory-is-mounted"
WAITED, PROBED, DRAINS = "starts-are-waited-for", "servers-are-probed", "turns-can-end"

STACK, ON_KNATIVE, EIGHT = "feature-litellm-oci", "feature-knative-pvc", "multi-gpu"
OBJECT = ("InferenceService/coder",)
NOTES = (*OBJECT, "metadata", "annotations")
SERVER = (*OBJECT, "spec", "predictor")
CONTAINER = (*SERVER, "containers", 0)
LIMITS = (*CONTAINER, "resources", "limits")
STARTUP = (*CONTAINER, "startupProbe")
MODE = (*NOTES, "serving.kserve.io/deploymentMode")
THEIRS = drop(*OBJECT, "metadata", "labels", "onprem-coding-agents/stack")
CLASS = (*NOTES, "serving.kserve.io/autoscalerClass")


def _flags(**flags: object) -> Change:
    """Return a change that adds Knative's feature flags, each without its prefix and with _ for -."""
    data = {f"kubernetes.podspec-{name.replace('_', '-')}": value for name, value in flags.items()}
    return put("ConfigMap/config-features", value=config_map("config-features", "knative-serving", **data))


def _argument(option: str, value: object) -> Change:
    """Return a change that gives an option of the server another value."""

    def change(objects: Objects) -> None:
        args = objects["InferenceService/coder"]["spec"]["predictor"]["containers"][0]["args"]
        args[args.index(option) + 1] = value

    return change


def _shared(**empty_dir: object) -> Change:
    """Return a change of the volume at /dev/shm."""

    def change(objects: Objects) -> None:
        volumes = objects["InferenceService/coder"]["spec"]["predictor"]["volumes"]
        next(volume for volume in volumes if volume["name"] == "shm")["emptyDir"] = empty_dir

    return change


def _unmounted(objects: Objects) -> None:
    container = objects["InferenceService/coder"]["spec"]["predictor"]["containers"][0]
    container["volumeMounts"] = [each for each in container["volumeMounts"] if each["name"] != "shm"]


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
    "memory in bytes": (
        STACK,
        put(*LIMITS, "memory", value="22"),
        DIES,
        "a number without a unit counts bytes",
    ),
    "memory for half a process": (STACK, put(*LIMITS, "memory", value="512Mi"), DIES, "to 4Gi or more"),
    "memory known later": (STACK, put(*LIMITS, "memory", value=UNKNOWN), DIES, "to be known at run time"),
    "memory for one process": (
        STACK,
        put(*LIMITS, "memory", value="3Gi"),
        SIZED,
        "has a memory limit of 3Gi",
    ),
    "memory for three of eight workers": (
        EIGHT,
        put(*LIMITS, "memory", value="8Gi"),
        SIZED,
        "to 18Gi or more",
    ),
    "memory that KServe limits": (STACK, drop(*LIMITS, "memory"), SIZED, "KServe adds one of 2Gi"),
    "one core": (STACK, put(*LIMITS, "cpu", value="1"), SIZED, "below the 2 that vLLM's processes keep busy"),
    "cores that KServe limits": (EIGHT, drop(*LIMITS, "cpu"), SIZED, "KServe adds one of 1, below the 9"),
    "nothing at /dev/shm": (EIGHT, _unmounted, SHARED, "shards its model over 8 GPUs with the 64 MiB"),
    "a disk at /dev/shm": (EIGHT, _shared(sizeLimit="32Gi"), SHARED, "a volume of the node's disk"),
    "little at /dev/shm": (EIGHT, _shared(medium="Memory", sizeLimit="128Mi"), SHARED, "no more than 128Mi"),
    "a startup probe of a minute": (
        STACK,
        put(*STARTUP, "failureThreshold", value=6),
        WAITED,
        "waits 60 s for a start (startupProbe), and 30 GiB of weights take 3 min",
    ),
    "a liveness probe alone": (STACK, drop(*STARTUP), WAITED, "livenessProbe without a startupProbe"),
    "Knative's deadline of a minute": (
        ON_KNATIVE,
        put(*SERVER, "annotations", "serving.knative.dev/progress-deadline", value="60s"),
        WAITED,
        "its revision is called failed",
    ),
    "half a terabyte in ten minutes": (
        EIGHT,
        put(*STARTUP, "failureThreshold", value=60),
        WAITED,
        "GiB of weights take",
    ),
    "no drain": (STACK, _argument("--shutdown-timeout", "0"), DRAINS, "it drains for 15 s"),
    "a grace period shorter than the drain": (
        STACK,
        put(*SERVER, "terminationGracePeriodSeconds", value=120),
        DRAINS,
        "is killed after 120 s",
    ),
    "the grace period of Kubernetes": (
        STACK,
        drop(*SERVER, "terminationGracePeriodSeconds"),
        DRAINS,
        "after 30 s (Kubernetes' default)",
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
    "twice the memory": (STACK, put(*LIMITS, "memory", value="44Gi")),
    "requests alone of the processor, on OpenShift's word": (STACK, put(*LIMITS, "cpu", value=UNKNOWN)),
    "one GPU without a volume at /dev/shm": (STACK, _unmounted),
    "a share of memory known later": (EIGHT, _shared(medium="Memory", sizeLimit=UNKNOWN)),
    "shared memory without a limit": (EIGHT, _shared(medium="Memory")),
    "volumes known later": (EIGHT, put(*SERVER, "volumes", value=UNKNOWN)),
    "a probe known later": (STACK, put(*STARTUP, "failureThreshold", value=UNKNOWN)),
    "no probe that kills": (STACK, both(drop(*STARTUP), drop(*CONTAINER, "livenessProbe"))),
    "a grace period known later": (STACK, put(*SERVER, "terminationGracePeriodSeconds", value=UNKNOWN)),
    "a drain known later": (STACK, _argument("--shutdown-timeout", UNKNOWN)),
    "awaiting known later": (STACK, put(*NOTES, "pulumi.com/skipAwait", value=UNKNOWN)),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_no_harm_is_left_alone(name: str) -> None:
    stack, change = HARMLESS[name]
    ours = {policy.name for policy in serving_operation.POLICIES}
    assert [f.told for f in found_in(stack, change) if f.policy in ours] == []
