"""A server of which nothing is known before the program runs is refused where a role's label tells that it is one."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from policy.checks import Finding, check_manifests
from policy.graph import UNKNOWN
from tests.policy.programs import Manifest, bent, both, drop, put

pytestmark = pytest.mark.policy

TOOLS, PARSER, MEMORY = "tool-calling-is-on", "parser-fits-the-model", "memory-headroom-is-left"
TIMEOUTS, NODE, CHECKABLE = "timeouts-are-monotonic", "pods-leave-their-node-alone", "serving-can-be-checked"
LITERALS = [TOOLS, PARSER, MEMORY]
NO_ROLE = drop("server", "metadata", "labels")


def _told(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.policy, finding.level) for finding in findings]


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        (("spec",), [*LITERALS, TIMEOUTS, NODE]),
        (("spec", "predictor"), [*LITERALS, TIMEOUTS, NODE]),
        (("spec", "predictor", "containers"), LITERALS),
    ],
)
def test_a_server_of_ours_is_refused_by_each_rule_that_needs_literals_once(
    path: tuple[str, ...], refused: list[str]
) -> None:
    findings = check_manifests(bent(put("server", *path, value=UNKNOWN)))
    by_policy = Counter(finding.policy for finding in findings if finding.level == "mandatory")
    assert set(refused) <= set(by_policy), [f.told for f in findings]
    assert set(by_policy.values()) == {1}


@pytest.mark.parametrize("path", [("spec",), ("spec", "predictor"), ("spec", "predictor", "containers")])
def test_one_of_somebody_elses_is_named(path: tuple[str, ...]) -> None:
    findings = check_manifests(bent(both(put("server", *path, value=UNKNOWN), NO_ROLE)))
    assert _told(findings) == [(CHECKABLE, "advisory")]
    assert "its predictor is only known at run time" in findings[0].told


def _deployment(labels: Any, **spec: Any) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "coder", "namespace": "agents", "labels": labels},
        "spec": spec,
    }


def test_a_deployment_of_a_role_is_refused_and_another_gets_no_word() -> None:
    role = {"onprem-coding-agents/role": "coder"}
    refused = {
        f.policy for f in check_manifests([_deployment(role, template=UNKNOWN)]) if f.level == "mandatory"
    }
    assert refused >= {*LITERALS, NODE}
    assert check_manifests([_deployment({"app": "ui"}, template=UNKNOWN)]) == []
    assert check_manifests([_deployment(UNKNOWN, template=UNKNOWN)]) == []


def test_a_server_that_is_written_out_is_fine() -> None:
    assert check_manifests(bent()) == []
