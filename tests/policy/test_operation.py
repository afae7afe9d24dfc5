"""How servers are run: each rule on our own stacks, bent."""

from __future__ import annotations

import pytest

from policy.graph import UNKNOWN
from policy.table import POLICIES
from tests.policy.operation_changes import (
    ALL_FLAGS,
    CLASS,
    CONTAINER,
    COVERED,
    EIGHT,
    LABEL,
    LIMITS,
    MAJOR,
    MODE,
    NODES,
    NOTES,
    ON_KNATIVE,
    SERVER,
    STACK,
    STARTUP,
    STRATEGY,
    SUM,
    THEIRS,
    argument,
    flags,
    quota,
    required,
    scaler,
    shared,
    term,
    uncovered,
    unmounted,
)
from tests.policy.programs import both, drop, put
from tests.policy.rendered import Change, found_in, policies_in
from tests.policy.theirs import limit

pytestmark = pytest.mark.policy

MODES, FORMER = "deployment-modes-exist", "deployment-modes-are-current"
UP, TAKEN, READ = "servers-stay-up", "scaling-settings-are-taken", "scaling-settings-are-read"
KNATIVE, FEATURES = "knative-takes-the-pod", "knative-features-are-on"
DEADLINE, AWAITED = "deadlines-are-no-timeouts", "servers-are-awaited"
DIES, SIZED, SHARED = "host-memory-lasts", "host-resources-are-sized", "shared-memory-is-mounted"
WAITED, PROBED, DRAINS = "starts-are-waited-for", "servers-are-probed", "turns-can-end"

ROLLOUT, SETTLE, ALONE, METRICS = (
    "rollouts-find-a-gpu",
    "autoscalers-settle",
    "one-autoscaler-a-server",
    "metrics-exist",
)
QUEUE, ADMITTED, COUNTED = "queues-exist", "queues-admit-the-pods", "quotas-name-what-counts"
RANKED, CUDA = "priorities-exist", "cuda-nodes-are-required"

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
    "a turn longer than Knative's limit": (
        ON_KNATIVE,
        put("ConfigMap/defaults", value=limit("600")),
        KNATIVE,
        "has max-revision-timeout-seconds 600: the server never gets a pod",
    ),
    "a handler on Knative": (
        ON_KNATIVE,
        put(*CONTAINER, "lifecycle", value={"preStop": {"sleep": {"seconds": 15}}}),
        KNATIVE,
        "containers[].lifecycle",
    ),
    "a flag that the program leaves off": (
        ON_KNATIVE,
        flags(**{**ALL_FLAGS, "tolerations": "disabled"}),
        KNATIVE,
        "Set kubernetes.podspec-tolerations: enabled there",
    ),
    "flags that the program does not show": (
        ON_KNATIVE,
        both(THEIRS, put("ConfigMap/defaults", value=limit("660"))),
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
        "to 157Gi or more",
    ),
    "memory that KServe limits": (STACK, drop(*LIMITS, "memory"), SIZED, "to 22Gi or more of memory"),
    "one core": (STACK, put(*LIMITS, "cpu", value="1"), SIZED, "below the 2 that vLLM's processes keep busy"),
    "cores that KServe limits": (EIGHT, drop(*LIMITS, "cpu"), SIZED, "KServe adds one of 1, below the 9"),
    "nothing at /dev/shm": (EIGHT, unmounted, SHARED, "shards its model over 8 GPUs with the 64 MiB"),
    "a disk at /dev/shm": (EIGHT, shared(sizeLimit="32Gi"), SHARED, "with the node's disk at /dev/shm"),
    "little at /dev/shm": (EIGHT, shared(medium="Memory", sizeLimit="128Mi"), SHARED, "no more than 128Mi"),
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
    "no drain": (STACK, argument("--shutdown-timeout", "0"), DRAINS, "it drains for 15 s"),
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
    "the rollout that KServe makes by itself": (
        EIGHT,
        drop(*STRATEGY),
        ROLLOUT,
        "takes 8 free GPUs, and where none are free",
    ),
    "a surge of half a pod": (
        EIGHT,
        put(*STRATEGY, value={"type": "RollingUpdate"}),
        ROLLOUT,
        "spec.predictor.deploymentStrategy, by default",
    ),
    "a surge above the quota": (
        STACK,
        both(
            quota("3"),
            put(
                "InferenceService/fast", "spec", "predictor", "deploymentStrategy", value={"type": "Recreate"}
            ),
        ),
        ROLLOUT,
        "and its queue has 0 left",
    ),
    "a sum against a value": (STACK, scaler(kind="Value", query=SUM), SETTLE, "spec.triggers[0].metricType"),
    "two ScaledObjects": (
        STACK,
        both(scaler(), scaler("other")),
        ALONE,
        "ScaledObject coding-agents/other and ScaledObject coding-agents/scaler",
    ),
    "a ScaledObject beside KServe's HPA": (
        STACK,
        both(scaler(), put(*CLASS, value="hpa")),
        ALONE,
        "the HPA that KServe makes",
    ),
    "a metric under its former name": (
        STACK,
        scaler(query="avg(vllm:gpu_cache_usage_perc)"),
        METRICS,
        "Write vllm:kv_cache_usage_perc.",
    ),
    "a histogram under its former name": (
        STACK,
        scaler(query="rate(vllm:time_per_output_token_seconds_bucket[1m])"),
        METRICS,
        "vLLM 0.33.0 does not have",
    ),
    "a queue that is not there": (STACK, put(*LABEL, value="gpus"), QUEUE, "its namespace has coding-agents"),
    "a queue of another namespace": (
        STACK,
        both(
            put("LocalQueue/coding-agents", "metadata", "namespace", value="team"),
            drop("InferenceService/fast", "metadata", "labels", "kueue.x-k8s.io/queue-name"),
        ),
        QUEUE,
        "its namespace has none",
    ),
    "a resource that no quota covers": (
        STACK,
        uncovered,
        ADMITTED,
        "does not cover ephemeral-storage, asked for by InferenceService coding-agents/coder, InferenceService",
    ),
    "a quota for two of three servers": (STACK, quota("2"), ADMITTED, "and its servers ask for 3"),
    "a quota of memory for each GPU": (
        STACK,
        both(
            put(*COVERED, "coveredResources", 0, value="nvidia.com/gpumem"),
            drop("ClusterQueue/gpu", "metadata", "labels", "onprem-coding-agents/stack"),
        ),
        COUNTED,
        "Write nvidia.com/total-gpumem",
    ),
    "a misspelt priority": (
        STACK,
        put(*SERVER, "priorityClassName", value="coding-agents-servng"),
        RANKED,
        "names the PriorityClass 'coding-agents-servng'",
    ),
    "a CUDA release that is preferred": (
        STACK,
        put(
            *NODES,
            value={
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 100, "preference": term("In", "13")}
                ]
            },
        ),
        CUDA,
        f"only prefers nodes by {MAJOR}",
    ),
    "one CUDA release alone": (STACK, required(term("In", "13")), CUDA, "takes nodes of one"),
    "one CUDA release by a selector": (STACK, put(*SERVER, "nodeSelector", MAJOR, value="13"), CUDA, MAJOR),
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
