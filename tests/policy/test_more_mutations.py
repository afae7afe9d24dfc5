"""More rows: one change of the compliant program or of one of our own stacks, and the one policy it fires."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks import check_manifests
from policy.table import POLICIES
from tests.policy.exposure_changes import into_envoys_own_namespace
from tests.policy.programs import compliant, drop
from tests.policy.rendered import Change, objects_of, policies_in
from tests.policy.test_exposure import SPACE
from tests.policy.test_mutations import CONTAINER

pytestmark = pytest.mark.policy

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
        "put the check beside the route",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_change_makes_exactly_one_policy_fire(name: str) -> None:
    stack, change, policy, part = MUTATIONS[name]
    program: dict[str, dict[str, Any]] = compliant() if stack is None else objects_of(stack)
    change(program)

    findings = check_manifests(program.values())

    assert policies_in(findings) == {policy}, "\n".join(f"{f.policy}: {f.told}" for f in findings)
    assert any(part in finding.told for finding in findings), findings[0].told
    assert {f.level for f in findings} == {next(row.level for row in POLICIES if row.name == policy)}
