"""The account of an agent on a real API server: it may do what the matrix says of its Role, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

import pytest

from embedded.cluster import crds
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.toolchain import Binary, module_dir
from onprem_agents.cluster.refusal import ApiError
from onprem_agents.manifests import Allowed, can_i, render
from onprem_agents.manifests.operator import VERBS, plural
from onprem_agents.plan import PlatformPlan, plan_stack
from tests.cluster.api_server import ApiServer, api_server
from tests.unit.manifest_samples import STACK

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
ACCOUNT = ("ServiceAccount", "Role", "RoleBinding")
LOOKS, UPDATES = "looks", "updates"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, binaries: Mapping[str, Binary]) -> Iterator[ApiServer]:
    default = Layout.default()
    state = tmp_path_factory.mktemp("operator")
    layout = Layout(checkout=default.checkout, state=state, cache=default.cache)
    # Rights are asked of names: none of the definitions, which take the server a second each, is needed.
    with api_server(layout, binaries, frozenset(), frozenset()) as running:
        for name in (LOOKS, UPDATES):
            for each in render(planned(name)):
                if each["kind"] in ("Namespace", *ACCOUNT):
                    running.put(each)
        yield running


def planned(namespace: str) -> PlatformPlan:
    """Plan a stack of everything; in one namespace its agent may change the model servers."""
    raw: dict[str, Any] = deepcopy(STACK)
    raw |= {"namespace": namespace, "operator": {"updatesModels": namespace == UPDATES}}
    raw["access"]["tls"] = {"issuer": "internal-ca"}
    return plan_stack(raw, stack=namespace)


def agent(server: ApiServer, namespace: str) -> KubeWriter:
    return KubeWriter.from_kubeconfig(server.kubeconfig_of("platform-operator", namespace))


def allowed(client: KubeWriter, line: Allowed, verb: str, namespace: str) -> bool:
    resource, _, subresource = line.resource.partition("/")
    attributes = {"verb": verb, "group": line.group, "resource": resource, "subresource": subresource}
    attributes |= {"namespace": namespace if line.namespaced else "", "name": line.name or ""}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = client.request("POST", REVIEWS, name="what the agent may do", body=review)
    return bool(answer["status"]["allowed"])


@pytest.mark.parametrize("namespace", [LOOKS, UPDATES])
def test_the_api_server_allows_what_the_matrix_says_and_nothing_else(
    server: ApiServer, namespace: str
) -> None:
    lines = can_i(render(planned(namespace)))
    with agent(server, namespace) as client:
        found = {
            (line.full_name, line.name): tuple(
                verb for verb in VERBS if allowed(client, line, verb, namespace)
            )
            for line in lines
        }

    assert found == {(line.full_name, line.name): line.verbs for line in lines}
    assert len(found) > 20


def test_nothing_is_allowed_in_the_namespace_of_another_stack(server: ApiServer) -> None:
    with agent(server, UPDATES) as client:
        for line in can_i(render(planned(UPDATES))):
            assert not any(allowed(client, line, verb, LOOKS) for verb in VERBS), line


def test_it_reads_pods_and_gets_no_secret_at_all(server: ApiServer) -> None:
    with agent(server, LOOKS) as client:
        assert client.list("v1", "Pod", LOOKS) == []
        with pytest.raises(ApiError, match="secrets is forbidden"):
            client.list("v1", "Secret", LOOKS)


def test_each_kind_that_a_stack_declares_has_the_resource_that_the_role_names(server: ApiServer) -> None:
    own = {(each.api_version.partition("/")[0], each.kind): each.plural for each in server.client.resources()}
    module = partial(module_dir, Layout.default())
    extended = {
        (each.group, each.kind): each.name.partition(".")[0]
        for group in ("kserve", "gateway-api", "envoy-gateway", "cert-manager")
        for each in crds.definitions(group, module)
    }
    served = own | extended
    declared = {(each["apiVersion"].partition("/")[0], each["kind"]) for each in render(planned(LOOKS))}

    assert {one: served[one] for one in declared} == {one: plural(one[1]) for one in declared}
    assert len(declared) > 15
