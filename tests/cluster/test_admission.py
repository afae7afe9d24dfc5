"""The twins on a real API server: it denies what the pack refuses, and lets pass what the pack lets pass."""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.toolchain import Binary
from onprem_agents.cluster.refusal import ApiError
from onprem_agents.manifests.admission import Admission, Mode, admission_policies, told_by
from policy.checks import found_in, graph_of
from policy.configuration import Configuration
from policy.graph import UNKNOWN
from policy.table import POLICIES
from policy.twins import TWINS
from tests.cluster.admission_changes import BROKEN
from tests.cluster.api_server import ApiServer, api_server
from tests.policy import test_supply_chain
from tests.policy.rendered import GOLDEN, objects_of
from tests.policy.rows import rows

pytestmark = pytest.mark.cluster

CORPUS = Path(__file__).parents[1] / "policy" / "corpus"
# Kinds of the twins that this server has definitions of; each costs it a second.
GROUPS = frozenset({"kserve", "gateway-api", "envoy-gateway"})
DEFINED = frozenset({"InferenceService", "HTTPRoute", "SecurityPolicy"})
KINDS = DEFINED | {
    *("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Service", "Secret")
}
ENFORCE = "pod-security.kubernetes.io/enforce"
# Two namespaces in which objects are denied, and two in which people are told; one of each enforces `restricted`.
SPACES = {
    f"{what}-{level}": {ENFORCE: level}
    for what in ("denied", "told")
    for level in ("privileged", "restricted")
}
ALLOWED = ["docker.io", "ghcr.io", "registry.internal"]
CONFIGURATION = Configuration(settings={"registries-are-allowed": {"allowedRegistries": ALLOWED}})
LEVELS = {policy.name: policy.level for policy in POLICIES}
# Where objects are denied, what is advised against is asked by nobody: an answer is then of one kind.
ADVICE = {policy: "disabled" for policy, level in LEVELS.items() if level == "advisory"}
LONGEST_TURN_SECONDS = 600
_AT_ONCE = 4
# What runs since before there was any policy.
OLD: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "old", "namespace": "denied-privileged"},
    "spec": {
        "selector": {"matchLabels": {"app": "old"}},
        "template": {
            "metadata": {"labels": {"app": "old"}},
            "spec": {
                "hostIPC": True,
                "containers": [{"name": "proxy", "image": "ghcr.io/berriai/litellm:v1.109.1"}],
            },
        },
    },
}


@cache
def told() -> dict[str, Any]:
    """What the stacks of this repository and the programs of the policies' tests tell together."""
    stacks = [_documents(file) for file in sorted(GOLDEN.glob("*.yaml"))]
    each = [told_by(stack, longest_turn_seconds=LONGEST_TURN_SECONDS) for stack in stacks]
    lists = ("servers", "guarded", "keySecrets")
    joined = {key: sorted({one for stack in each for one in stack[key]}) for key in lists}
    return {**joined, "longestTurnSeconds": LONGEST_TURN_SECONDS}


def _documents(file: Path) -> list[dict[str, Any]]:
    text = file.read_text(encoding="utf-8")
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, binaries: Mapping[str, Binary]) -> Iterator[ApiServer]:
    default = Layout.default()
    state = tmp_path_factory.mktemp("admission")
    layout = Layout(checkout=default.checkout, state=state, cache=default.cache)
    with api_server(layout, binaries, GROUPS, DEFINED) as running:
        _make_spaces(running)
        running.client.create(OLD)
        modes: tuple[tuple[Mode, str], ...] = (("enforce", "denied"), ("warn", "told"))
        for mode, what in modes:
            admission = Admission(
                prefix=f"onprem-agents-{what}",
                namespaces=tuple(name for name in SPACES if name.startswith(what)),
                mode=mode,
                levels=ADVICE if mode == "enforce" else {},
                configured=CONFIGURATION.settings,
                told=told(),
            )
            with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
                list(pool.map(running.client.create, admission_policies(admission)))
        _wait_for_the_last(running)
        yield running


def _make_spaces(running: ApiServer) -> None:
    for name, labels in SPACES.items():
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": name},
        }
        running.client.create(space)
        running.client.create(account)


def _wait_for_the_last(running: ApiServer) -> None:
    """The API server reads its policies a moment after they are there."""
    objects = objects_of("local")
    BROKEN["pods-pass-their-namespace"][0](objects)
    for _ in range(100):
        if all(
            "pods-pass-their-namespace"
            in _answer(running, objects["InferenceService/coder"], f"{what}-restricted")
            for what in ("denied", "told")
        ):
            return
        time.sleep(0.2)
    pytest.fail("the API server does not ask the policies")


def _answer(running: ApiServer, manifest: Mapping[str, Any], namespace: str) -> str:
    """Return the API server's refusal of an object, or else its warnings; "" for neither."""
    body = copy.deepcopy(dict(manifest))
    body["metadata"]["namespace"] = namespace
    path, _ = running.client.path(body["apiVersion"], body["kind"], body["metadata"]["name"], namespace)
    answer = running.client.send(
        "POST",
        path.rpartition("/")[0],
        name=body["kind"],
        content=json.dumps(body),
        params={"dryRun": "All"},
        headers={"Content-Type": "application/json"},
    )
    if answer.is_success:
        return "\n".join(answer.headers.get_list("Warning"))
    return str(answer.json()["message"])


def _space(objects: list[dict[str, Any]], what: str) -> str:
    """Return the namespace like the one of a program."""
    levels = [
        each["metadata"].get("labels", {}).get(ENFORCE) for each in objects if each["kind"] == "Namespace"
    ]
    return f"{what}-restricted" if "restricted" in levels else f"{what}-privileged"


def _found(objects: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Return what the pack finds: policy, kind and name."""
    return {
        (finding.policy, resource.kind, str(resource.object_name))
        for finding, resource in found_in(graph_of(objects), CONFIGURATION)
    }


def _told(text: str) -> set[str]:
    """Return the policies that an answer names."""
    return set(re.findall(r"(?:denied request|with binding '[^']+'): ([a-z-]+): [A-Z]", text))


@pytest.mark.parametrize("policy", BROKEN)
def test_the_api_server_denies_what_the_pack_refuses_and_warns_of_what_it_advises_against(
    server: ApiServer, policy: str
) -> None:
    change, key = BROKEN[policy]
    objects = objects_of("local")
    before = copy.deepcopy(objects)
    change(objects)
    program = list(objects.values())
    kind, _, name = key.partition("/")
    space = _space(program, "denied" if LEVELS[policy] == "mandatory" else "told")

    answer = _answer(server, objects[key], space)

    assert (policy, kind, name) in _found(program), "the pack itself has nothing against it"
    assert f"{policy}: {kind} {space}/{name} " in answer, answer
    assert ("denied request" in answer) is (LEVELS[policy] == "mandatory"), answer
    if key in before:
        assert _answer(server, before[key], space) == "", "what the stack declares is fine"


def test_every_twin_is_among_them() -> None:
    assert {twin.policy for twin in TWINS} == set(BROKEN)


def test_what_runs_already_can_be_told_of_and_deleted_and_not_made_worse(server: ApiServer) -> None:
    server.patch(
        OLD, {"metadata": {"annotations": {"note": "by a controller"}, "finalizers": ["a.example/b"]}}
    )

    with pytest.raises(
        ApiError,
        match="pods-leave-their-node-alone: Deployment denied-privileged/old sets hostPID, sets hostIPC",
    ):
        server.patch(OLD, {"spec": {"template": {"spec": {"hostPID": True}}}})

    server.client.delete("apps/v1", "Deployment", "old", "denied-privileged")
    server.patch(OLD, {"metadata": {"finalizers": None}})
    assert server.client.find("apps/v1", "Deployment", "old", "denied-privileged") is None


def test_what_a_controller_makes_of_an_object_that_was_judged_is_not_asked_again(server: ApiServer) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "uid": "1", "controller": True}
    replicas = copy.deepcopy(OLD)
    replicas["kind"] = "ReplicaSet"
    replicas["metadata"]["ownerReferences"] = [owner]
    everything = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "controller"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "denied-privileged"}],
    }
    server.client.create(everything)

    with KubeWriter.from_kubeconfig(server.kubeconfig_of("default", "denied-privileged")) as controller:
        assert controller.create(replicas, dry_run=True)
        replicas["metadata"].pop("ownerReferences")
        with pytest.raises(ApiError, match="sets hostIPC"):
            controller.create(replicas, dry_run=True)
    replicas["metadata"]["ownerReferences"] = [owner]
    with pytest.raises(ApiError, match="sets hostIPC"):
        server.client.create(replicas, dry_run=True)


def test_what_a_stack_declares_of_them_is_taken(server: ApiServer) -> None:
    declared = [
        each
        for each in _documents(GOLDEN / "feature-admission.yaml")
        if each["kind"].startswith("ValidatingAdmissionPolicy")
    ]

    assert len(declared) > 10, "policies with their bindings"
    for each in declared:
        assert server.client.create(each, dry_run=True)


def _programs() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for file in (*sorted(CORPUS.glob("*.yaml")), *sorted(GOLDEN.glob("*.yaml"))):
        yield file.stem, _documents(file)
    for row in rows():
        yield str(row), row.manifests
    for name, change in test_supply_chain.HARMLESS.items():
        objects = objects_of("feature-litellm-oci")
        change(objects)
        yield name, list(objects.values())


def test_nothing_that_the_pack_lets_pass_is_denied_or_warned_of(server: ApiServer) -> None:
    programs = list(_programs())
    questions = {key: asked for _, program in programs for key, asked in _questions(program)}
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        answers = dict(
            zip(questions, pool.map(lambda asked: _answer(server, *asked), questions.values()), strict=True)
        )

    agreed, wrong = set(), []
    for name, program in programs:
        told = {
            (policy, asked["kind"], asked["metadata"]["name"])
            for key, (asked, _) in _questions(program)
            for policy in _told(answers[key])
        }
        wrong += [f"{name}: {each}" for each in (told - _found(program) if told else ())]
        agreed |= {policy for policy, *_ in told}

    assert wrong == []
    assert sum("is invalid" not in answer for answer in answers.values()) > 300, (
        "objects that are valid at all"
    )
    assert len(agreed) > 15, sorted(agreed)


def _questions(program: list[dict[str, Any]]) -> Iterator[tuple[str, tuple[dict[str, Any], str]]]:
    """Yield the objects of a program that are asked about, and in which namespace, each by a text of both."""
    for each in program:
        if each["kind"] in KINDS and not _is_unknown(each) and "knative" not in each["apiVersion"]:
            asked = (_completed(each), _space(program, "told"))
            yield json.dumps(asked, sort_keys=True), asked


def _is_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_is_unknown, value.values()))
    return value is UNKNOWN or (isinstance(value, list) and any(map(_is_unknown, value)))


def _completed(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return an object with what its schema asks for and no rule reads."""
    body = copy.deepcopy(manifest)
    if body["kind"] == "Service":
        body["spec"].setdefault("ports", [{"port": 80}])
    for rule in body["spec"].get("rules", ()) if body["kind"] == "HTTPRoute" else ():
        for entry in rule.get("filters", ()):
            if entry == {"type": "ExtensionRef"}:
                entry["extensionRef"] = {
                    "group": "gateway.envoyproxy.io",
                    "kind": "HTTPRouteFilter",
                    "name": "a",
                }
    return body


def test_the_largest_of_servers_is_within_what_an_expression_may_cost(server: ApiServer) -> None:
    objects = objects_of("local")
    service_ = objects["InferenceService/coder"]
    container = service_["spec"]["predictor"]["containers"][0]
    container["env"] = [
        *container["env"],
        *({"name": f"SETTING_{number}", "value": "x" * 200} for number in range(100)),
    ]
    container["args"] = [*container["args"], *(f"--extra-{number}={'y' * 100}" for number in range(100))]
    service_["spec"]["predictor"]["containers"] = [
        container,
        *({**container, "name": f"sidecar-{number}"} for number in range(3)),
    ]
    assert len(json.dumps(service_)) > 100_000, "longer than any server that people write"

    assert _answer(server, service_, "denied-restricted") == ""
