"""Releases of a cluster's software are read in the ways in which they are told, and compared with those tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest
from pydantic import ValidationError

from embedded.toolchain import pins
from embedded.toolchain.data_modules import module_version
from onprem_agents.catalog import ClusterSoftware, load_catalog, numbers
from onprem_agents.cluster import ApiError, KubeClient
from onprem_agents.cluster.preflight import Check
from onprem_agents.cluster.preflight.versions import check_versions
from onprem_agents.manifests import render
from tests.unit.manifest_samples import planned
from tests.unit.preflight_samples import PretendedCluster, deployment

KSERVE = ("Deployment", "kserve-controller-manager")
ENVOY = ("Deployment", "envoy-gateway")
ROUTES = ("CustomResourceDefinition", "httproutes.gateway.networking.k8s.io")
SERVER = ("InferenceService", "sklearn")
SAID = "platform.serving.kserve"


def checks(cluster: PretendedCluster, **sections: Any) -> dict[str, Check]:
    plan = planned(**sections)
    return {check.name: check for check in check_versions(plan, render(plan), cast("KubeClient", cluster))}


def with_kserve(version: str) -> PretendedCluster:
    cluster = PretendedCluster()
    cluster.objects[KSERVE] = deployment("manager", f"kserve/kserve-controller:v{version}")
    return cluster


def labelled(**labels: str) -> dict[str, Any]:
    return {"metadata": {"labels": labels}}


def test_the_releases_that_were_tried_are_well_and_each_says_where_it_was_read() -> None:
    found = checks(PretendedCluster())

    assert {name: check.verdict for name, check in found.items()} == {
        "KServe": "ok",
        "Gateway API": "ok",
        "Envoy Gateway": "ok",
    }
    assert found["KServe"].found == "0.20.0 (Deployment default/kserve-controller-manager)"
    assert (
        found["Gateway API"].found == "1.6.1 (CustomResourceDefinition httproutes.gateway.networking.k8s.io)"
    )


def test_what_the_stack_has_no_use_for_is_not_asked_about() -> None:
    cluster = PretendedCluster()
    for group in ("cert-manager.io", "kueue.x-k8s.io", "serving.knative.dev", "aigateway.envoyproxy.io"):
        cluster.served.append((group, "v1", "Thing"))
    plain = set(checks(cluster))

    assert not plain & {"cert-manager", "Kueue", "Knative Serving", "Envoy AI Gateway"}
    assert set(checks(cluster, access={"tls": {"issuer": "ca", "secretName": None}})) - plain == {
        "cert-manager"
    }
    assert set(checks(cluster, queue={})) - plain == {"Kueue"}
    assert set(checks(cluster, serving={"mode": "Knative"})) - plain == {"Knative Serving"}
    assert set(checks(cluster, access={"gateway": "envoy-ai-gateway"})) - plain == {"Envoy AI Gateway"}


def test_what_is_not_served_is_left_to_the_check_that_tells_it() -> None:
    cluster = PretendedCluster()
    cluster.served = [each for each in cluster.served if each[0] != "serving.kserve.io"]

    assert "KServe" not in checks(cluster)


@pytest.mark.parametrize(
    ("found", "version"),
    [
        (deployment("manager", "registry.example.internal:5000/kserve/kserve-controller:v0.19.0"), "0.19.0"),
        (deployment("manager", "mirror/kserve-controller:v0.20.0-2@sha256:" + "0" * 64), "0.20.0"),
        (deployment("manager", "odh-kserve-controller@sha256:" + "0" * 64) | labelled(), None),
        (deployment("kube-rbac-proxy", "quay.io/brancz/kube-rbac-proxy:v0.18.0"), None),
        (deployment("manager", "kserve/kserve-controller:latest"), None),
        ({"spec": {"template": labelled(**{"app.kubernetes.io/version": "v0.18.1"})}}, "0.18.1"),
        ({"spec": {"template": labelled(**{"helm.sh/chart": "kserve-resources-v0.17.1"})}}, "0.17.1"),
        ({}, None),
    ],
)
def test_a_controller_tells_its_release_by_image_or_labels(
    found: dict[str, Any], version: str | None
) -> None:
    cluster = PretendedCluster()
    cluster.objects[KSERVE] = found

    check = checks(cluster)["KServe"]

    if version is None:
        assert (check.verdict, check.found) == ("doubtful", "the cluster does not tell its release")
        assert "kubectl get deployments -A -o wide | grep -e kserve-controller-manager" in check.fix
        assert "OpenShift AI 3.0 has the words of '0.15'" in check.fix
    else:
        assert check.found.startswith(f"{version} (Deployment")


def test_a_controller_of_that_name_elsewhere_is_another_one() -> None:
    cluster = PretendedCluster()
    cluster.served.append(("serving.knative.dev", "v1", "Service"))
    cluster.objects["Deployment", "controller"] = deployment("controller", "metallb/controller:v0.15.2")

    assert checks(cluster, serving={"mode": "Knative"})["Knative Serving"].found.startswith("1.21.0 (Custom")


@pytest.mark.parametrize(
    ("version", "why"),
    [("1.8.4", "requestHeadersReceivedTimeout before 1.9"), ("1.5.0", "removeOnMatch before 1.7")],
)
def test_a_release_that_refuses_objects_of_the_stack_is_missing_with_what_it_lacks(
    version: str, why: str
) -> None:
    cluster = PretendedCluster()
    cluster.objects[ENVOY] = deployment("envoy-gateway", f"envoyproxy/gateway:v{version}")

    check = checks(cluster)["Envoy Gateway"]

    assert (check.verdict, check.fix) == ("missing", "upgrade Envoy Gateway to 1.9.1")
    assert why in check.found
    assert "read 2026-11-28" in check.found


def test_a_release_below_those_tried_is_doubtful_and_one_that_fails_missing() -> None:
    cluster = PretendedCluster()
    for version, verdict in (("v1.1.0", "missing"), ("v1.4.1", "doubtful"), ("v1.7.0", "ok")):
        cluster.objects[ROUTES]["metadata"]["annotations"] = {
            "gateway.networking.k8s.io/bundle-version": version
        }
        assert checks(cluster)["Gateway API"].verdict == verdict, version


@pytest.mark.parametrize(
    ("version", "verdict", "told"),
    [
        ("0.20.3", "ok", "0.20.3 (Deployment default/kserve-controller-manager)"),
        ("0.21.0", "ok", "tried are 0.15.1 to 0.20.0"),
        ("2.25.0", "doubtful", "tried are 0.15.1 to 0.20.0"),
    ],
)
def test_a_newer_release_is_told_and_another_way_of_counting_is_doubtful(
    version: str, verdict: str, told: str
) -> None:
    check = checks(with_kserve(version))["KServe"]

    assert check.verdict == verdict
    assert told in check.found


def test_kserve_before_it_takes_our_servers_is_missing_and_nothing_else_is_asked_of_the_stack() -> None:
    found = checks(with_kserve("0.14.1"))

    assert found["KServe"].verdict == "missing"
    assert "autoscalerClass none" in found["KServe"].found
    assert SAID not in found


@pytest.mark.parametrize(
    ("real", "said", "line"),
    [
        ("0.15.2", None, "kserve: '0.15'"),
        ("0.15.2", "0.20.0", "kserve: '0.15'"),
        ("0.20.0", "0.15", "kserve: '0.20'"),
        ("0.18.1", "0.20", "kserve: '0.18'"),
    ],
)
def test_a_stack_that_is_made_for_another_kserve_gets_the_line_to_write(
    real: str, said: str | None, line: str
) -> None:
    check = checks(with_kserve(real), serving={"kserve": said} if said else {})[SAID]

    assert check.verdict == "missing"
    assert f"the cluster has {real}" in check.found
    assert line in check.fix
    assert checks(with_kserve(real), serving={"kserve": line.split("'")[1]})[SAID].verdict == "ok"


@pytest.mark.parametrize(("real", "said"), [("0.18.1", None), ("0.21.0", None), ("0.20.1", "0.20.0")])
def test_a_difference_that_changes_nothing_is_none(real: str, said: str | None) -> None:
    found = checks(with_kserve(real), serving={"kserve": said} if said else {})

    assert all(check.verdict == "ok" for check in found.values())


@pytest.mark.parametrize(
    ("word", "said", "line"),
    [
        ("RawDeployment", None, "kserve: '0.15'"),
        ("Serverless", "0.16", "kserve: '0.15'"),
        ("Knative", "0.15", "kserve: '0.20.0'"),
        ("Standard", None, None),
        ("RawDeployment", "0.15", None),
    ],
)
def test_the_word_that_kserve_recorded_tells_its_age_where_nothing_else_does(
    word: str, said: str | None, line: str | None
) -> None:
    cluster = PretendedCluster()
    del cluster.objects[KSERVE]
    cluster.objects["InferenceService", "new"] = {}
    cluster.objects[SERVER] = {"status": {"deploymentMode": word}}

    check = checks(cluster, serving={"kserve": said} if said else {})["KServe"]

    assert check.verdict == ("missing" if line else "doubtful")
    assert (line or "kubectl get deployments") in check.fix


def test_nodes_tell_what_counts_of_the_gpu_operator_so_its_absence_is_no_matter() -> None:
    cluster = PretendedCluster()
    assert "NVIDIA GPU operator" not in checks(cluster)

    for version, verdict in (("v25.10.1", "ok"), ("v24.9.2", "doubtful"), ("v26.3.4", "ok")):
        image = f"nvcr.io/nvidia/gpu-operator:{version}"
        cluster.objects["Deployment", "gpu-operator"] = deployment("gpu-operator", image)
        assert checks(cluster)["NVIDIA GPU operator"].verdict == verdict, version


@dataclass
class Refusing(PretendedCluster):
    """A cluster in which Deployments, definitions and servers may not be read."""

    status: int

    def __post_init__(self) -> None:
        super().__init__()

    def list(self, api: str, kind: str, namespace: str | None = None) -> list[dict[str, Any]]:
        self._refuse(kind)
        return super().list(api, kind, namespace)

    def find(self, api: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        self._refuse(kind)
        return super().find(api, kind, name, namespace)

    def _refuse(self, kind: str) -> None:
        if kind in {"Deployment", "CustomResourceDefinition", "InferenceService"}:
            raise ApiError(status=self.status, reason="Forbidden", message="no", name=kind)


def test_what_may_not_be_read_is_not_told_and_stops_nothing() -> None:
    assert {check.verdict for check in checks(Refusing(403)).values()} == {"doubtful"}
    with pytest.raises(ApiError):
        checks(Refusing(500))


# What the local default runs; of the others it has the definitions alone.
RUN = {"KServe": pins.KSERVE, "Envoy Gateway": pins.ENVOY_GATEWAY}
MODULES = {
    "KServe": "github.com/kserve/kserve",
    "Gateway API": "sigs.k8s.io/gateway-api",
    "Envoy Gateway": "github.com/envoyproxy/gateway",
    "Envoy AI Gateway": "github.com/envoyproxy/ai-gateway",
    "cert-manager": "github.com/cert-manager/cert-manager",
    "Kueue": "sigs.k8s.io/kueue",
}


@pytest.mark.parametrize("name", MODULES)
def test_the_local_default_has_releases_that_count_as_tried(name: str) -> None:
    software = load_catalog().software(name)
    pinned = module_version(MODULES[name]).removeprefix("v")

    assert numbers(software.tried) <= numbers(pinned) <= numbers(software.newest)
    if name in RUN:
        assert RUN[name] == pinned == software.newest, "the newest that was tried is the one that runs here"


@pytest.mark.parametrize(
    "changes", [{"least": None}, {"refused": ""}, {"tried": "0.1.0"}, {"newest": "0.1.0"}, {"tried": "1.9"}]
)
def test_an_entry_that_contradicts_itself_is_no_entry(changes: dict[str, Any]) -> None:
    entry = load_catalog().software("Envoy Gateway").model_dump() | changes

    with pytest.raises(ValidationError):
        ClusterSoftware.model_validate(entry)
