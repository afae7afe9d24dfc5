"""More rows: one change of the compliant program or of one of our own stacks, and the one policy it fires."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks import check_manifests
from tests.policy.exposure_changes import into_envoys_own_namespace
from tests.policy.programs import Manifests, compliant, drop
from tests.policy.rendered import Change, assert_only, objects_of
from tests.policy.styles import as_deployments
from tests.policy.test_exposure import SPACE
from tests.policy.test_mutations import CONTAINER

pytestmark = pytest.mark.policy

FEATURES = ("nodeselector", "init-containers", "securitycontext", "volumes-emptydir")
NOTES = {"autoscaling.knative.dev/min-scale": "1", "serving.knative.dev/progress-deadline": "3600s"}


def as_a_knative_service(program: Manifests) -> None:
    """Make the server one of Knative's own, with no timeout for requests."""
    pod = program["server"]["spec"]["predictor"]
    for field in ("timeout", "terminationGracePeriodSeconds"):
        del pod[field]
    del pod["containers"][0]["lifecycle"]
    program["server"] = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "coder-predictor", "namespace": "agents"},
        "spec": {"template": {"metadata": {"annotations": dict(NOTES)}, "spec": pod}},
    }
    program["features"] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "config-features", "namespace": "knative-serving"},
        "data": {f"kubernetes.podspec-{feature}": "enabled" for feature in FEATURES},
    }


def as_a_deployment_without_probes(program: Manifests) -> None:
    made = as_deployments(list(program.values())) or []
    program.clear()
    program.update({f"{each['kind']}/{each['metadata']['name']}": each for each in made})
    container = program["Deployment/coder"]["spec"]["template"]["spec"]["containers"][0]
    del container["readinessProbe"], container["startupProbe"]


MUTATIONS: dict[str, tuple[str | None, Change, str, str]] = {
    # the stack, None for the compliant program, its change, the one policy that fires, a part of its message
    "a Gateway in Envoy Gateway's own namespace": (
        "local",
        into_envoys_own_namespace,
        SPACE,
        "Gateway envoy-gateway-system/coding-agents",
    ),
    "no key of its own behind a Gateway elsewhere": (
        None,
        drop(*CONTAINER, "env"),
        "exposure-can-be-checked",
        "Put the check of keys beside the route",
    ),
    "Knative's deadline of a start, and no timeout": (
        None,
        as_a_knative_service,
        "deadlines-are-no-timeouts",
        "Set spec.template.spec.timeoutSeconds",
    ),
    "a Deployment without a probe": (
        None,
        as_a_deployment_without_probes,
        "servers-are-probed",
        "Add startupProbe and readinessProbe",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_change_makes_exactly_one_policy_fire(name: str) -> None:
    stack, change, policy, part = MUTATIONS[name]
    program: dict[str, dict[str, Any]] = compliant() if stack is None else objects_of(stack)
    change(program)

    findings = check_manifests(program.values())

    assert_only(policy, findings, part)
