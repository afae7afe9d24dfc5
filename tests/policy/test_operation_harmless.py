"""How servers are run: what does no harm on our own stacks is left alone."""

from __future__ import annotations

import pytest

from policy.graph import UNKNOWN
from policy.packs import serving_operation
from tests.policy.operation_changes import (
    ALL_FLAGS,
    CLASS,
    CONTAINER,
    EIGHT,
    LABEL,
    LIMITS,
    MODE,
    NODES,
    NOTES,
    ON_KNATIVE,
    SERVER,
    STACK,
    STARTUP,
    STRATEGY,
    SUM,
    argument,
    flags,
    quota,
    required,
    scaler,
    shared,
    term,
    unmounted,
)
from tests.policy.programs import both, drop, put
from tests.policy.rendered import Change, found_in

pytestmark = pytest.mark.policy

HARMLESS: dict[str, tuple[str, Change]] = {
    "the former word of a release that a stack names": (STACK, put(*MODE, value="RawDeployment")),
    "no word at all": (STACK, drop(*MODE)),
    "a number of replicas known later": (STACK, put(*SERVER, "minReplicas", value=UNKNOWN)),
    "an HPA by CPU": (STACK, both(put(*SERVER, "scaleMetric", value="cpu"), put(*CLASS, value="hpa"))),
    "no limit of concurrency": (STACK, put(*SERVER, "containerConcurrency", value=0)),
    "annotations known later": (STACK, put(*SERVER, "annotations", value=UNKNOWN)),
    "every flag that is needed": (ON_KNATIVE, flags(**ALL_FLAGS)),
    "a flag in another case of letters": (ON_KNATIVE, flags(**{**ALL_FLAGS, "tolerations": "Allowed"})),
    "a flag known later": (ON_KNATIVE, flags(**{**ALL_FLAGS, "tolerations": UNKNOWN})),
    "an awaited server that says so": (STACK, put(*NOTES, "pulumi.com/skipAwait", value="false")),
    "twice the memory": (STACK, put(*LIMITS, "memory", value="44Gi")),
    "requests alone of the processor, on OpenShift's word": (STACK, put(*LIMITS, "cpu", value=UNKNOWN)),
    "one GPU without a volume at /dev/shm": (STACK, unmounted),
    "a share of memory known later": (EIGHT, shared(medium="Memory", sizeLimit=UNKNOWN)),
    "shared memory without a limit": (EIGHT, shared(medium="Memory")),
    "volumes known later": (EIGHT, put(*SERVER, "volumes", value=UNKNOWN)),
    "a probe known later": (STACK, put(*STARTUP, "failureThreshold", value=UNKNOWN)),
    "no probe that kills": (STACK, both(drop(*STARTUP), drop(*CONTAINER, "livenessProbe"))),
    "a grace period known later": (STACK, put(*SERVER, "terminationGracePeriodSeconds", value=UNKNOWN)),
    "a drain known later": (STACK, argument("--shutdown-timeout", UNKNOWN)),
    "room for one more in the quota": (STACK, drop(*STRATEGY)),
    "a quota known later": (STACK, quota(UNKNOWN)),
    "a quota that borrows": (
        STACK,
        both(quota("2"), put("ClusterQueue/gpu", "spec", "cohort", value="all")),
    ),
    "a strategy known later": (EIGHT, put(*STRATEGY, value=UNKNOWN)),
    "a surge that somebody wrote": (
        EIGHT,
        put(
            *STRATEGY, value={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        ),
    ),
    "a sum against an average": (STACK, scaler(kind="AverageValue", query=SUM)),
    "an average against a value": (
        STACK,
        scaler(kind="Value", query="sum(vllm:num_requests_running) / count(up)"),
    ),
    "a target known later": (STACK, scaler(kind=UNKNOWN, query=SUM)),
    "a scaler of something else": (STACK, both(scaler(target="web", kind="Value", query="sum(hits)"))),
    "a metric whose name begins alike": (STACK, scaler(query="avg(vllm:gpu_cache_usage_perc_ours)")),
    "a queue known later": (STACK, put(*LABEL, value=UNKNOWN)),
    "a class that Kubernetes brings": (
        STACK,
        put(*SERVER, "priorityClassName", value="system-cluster-critical"),
    ),
    "a class known later": (STACK, put(*SERVER, "priorityClassName", value=UNKNOWN)),
    "this CUDA release or a greater one": (STACK, required(term("In", "12"), term("Gt", "12"))),
    "two CUDA releases": (STACK, required(term("In", "12", "13"))),
    "nodes known later": (STACK, put(*NODES, value=UNKNOWN)),
    "awaiting known later": (STACK, put(*NOTES, "pulumi.com/skipAwait", value=UNKNOWN)),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_no_harm_is_left_alone(name: str) -> None:
    stack, change = HARMLESS[name]
    ours = {policy.name for policy in serving_operation.POLICIES}
    assert [f.told for f in found_in(stack, change) if f.policy in ours] == []
