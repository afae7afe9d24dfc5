"""The account of an agent that operates a stack: what its Role gives, and the matrix that is read from it."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.errors import InvalidInput
from onprem_agents.manifests import can_i, render
from tests.unit.manifest_samples import of_kind, planned

pytestmark = pytest.mark.unit

LOOK = ("get", "list", "watch")


def matrix(**sections: Any) -> dict[tuple[str, str | None], tuple[str, ...]]:
    return {(line.full_name, line.name): line.verbs for line in can_i(render(planned(**sections)))}


def test_a_stack_without_the_setting_has_no_account() -> None:
    documents = render(planned())

    assert {"Role", "RoleBinding"}.isdisjoint(each["kind"] for each in documents)
    assert set(of_kind(documents, "ServiceAccount")) == {"coder"}, (
        "that of the model server, without any right"
    )
    assert can_i(documents) == ()


def test_the_account_is_bound_to_its_role_alone_and_pods_get_no_token_of_it() -> None:
    documents = render(planned(operator={"serviceAccount": "helper"}))

    assert of_kind(documents, "ServiceAccount")["helper"]["automountServiceAccountToken"] is False
    binding = of_kind(documents, "RoleBinding")["helper"]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "helper"}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "helper", "namespace": "coding-agents"}]
    assert not {"ClusterRole", "ClusterRoleBinding"} & {each["kind"] for each in documents}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("default", "every pod of the namespace"),
        ("coder", "the model server of coder"),
        ("weights", "platform.serving.serviceAccount gives it"),
        ("translation-proxy", "the platform's own objects"),
    ],
)
def test_an_account_that_pods_have_is_refused(name: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        planned(operator={"serviceAccount": name}, serving={"serviceAccount": "weights"})

    (problem,) = caught.value.problems
    assert (problem.where, problem.found) == ("platform.operator.serviceAccount", name)
    assert why in problem.why


@pytest.mark.parametrize("updates", [False, True])
def test_the_matrix_of_the_small_stack(updates: bool) -> None:
    found = matrix(operator={"updatesModels": updates})

    nothing = {
        *("secrets", "pods/exec", "pods/attach", "pods/portforward", "serviceaccounts/token"),
        *("namespaces", "nodes", "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io"),
        *("clusterrolebindings.rbac.authorization.k8s.io", "priorityclasses.scheduling.k8s.io"),
    }
    assert {resource for (resource, _), verbs in found.items() if not verbs} == nothing
    assert {verbs for (_, name), verbs in found.items() if name is None} == {(), LOOK}
    servers = found["inferenceservices.serving.kserve.io", "coder"]
    assert servers == ((*LOOK, "update", "patch") if updates else LOOK)


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"translation": "litellm", "second_role": True, "queue": {}},
        {"access": {"gateway": "envoy-ai-gateway", "tls": {"issuer": "internal-ca"}}},
        {"access": {"tls": {"secretName": "t", "secretNamespace": "certificates", "referenceGrant": True}}},
    ],
)
def test_no_stack_lets_it_read_a_secret_or_make_anything(sections: dict[str, Any]) -> None:
    documents = render(planned(**sections, operator={"updatesModels": True}))
    (role,) = of_kind(documents, "Role").values()

    assert not any("*" in rule[key] for rule in role["rules"] for key in ("apiGroups", "resources", "verbs"))
    assert not any("secrets" in rule["resources"] for rule in role["rules"])
    verbs = {verb for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs == {*LOOK, "update", "patch"}
    assert all("resourceNames" in rule for rule in role["rules"] if "patch" in rule["verbs"])


def test_it_sees_every_kind_that_the_stack_has_in_its_namespace_but_secrets() -> None:
    sections: dict[str, Any] = {"translation": "litellm", "queue": {}}
    documents = render(planned(**sections, operator={}))
    kinds = {each["kind"] for each in render(planned(**sections)) if "namespace" in each["metadata"]}
    seen = {
        resource
        for rule in of_kind(documents, "Role")["platform-operator"]["rules"]
        for resource in rule["resources"]
    }

    assert kinds >= {"InferenceService", "Secret", "Gateway", "NetworkPolicy", "SecurityPolicy", "LocalQueue"}
    expected = {"inferenceservices", "gateways", "networkpolicies", "securitypolicies", "localqueues"}
    assert expected <= seen
    assert len(seen - {"pods", "pods/log", "events", "services", "deployments"}) >= len(kinds) - 3
