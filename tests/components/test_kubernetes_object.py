"""The generic resource: type tokens, the provider's version, secret outputs, and its price."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from components.kubernetes_object import KubernetesObject, plugin_version, type_token
from tests.components.recording import recorded


@pytest.mark.parametrize(
    ("api_version", "kind", "token"),
    [
        ("v1", "Secret", "kubernetes:core/v1:Secret"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        ("networking.k8s.io/v1", "NetworkPolicy", "kubernetes:networking.k8s.io/v1:NetworkPolicy"),
        (
            "serving.kserve.io/v1beta1",
            "InferenceService",
            "kubernetes:serving.kserve.io/v1beta1:InferenceService",
        ),
    ],
)
def test_tokens_are_those_of_the_official_sdk(api_version: str, kind: str, token: str) -> None:
    assert type_token(api_version, kind) == token


def test_a_patch_has_a_token_of_its_own() -> None:
    assert type_token("v1", "Node", patch=True) == "kubernetes:core/v1:NodePatch"


def test_the_token_of_a_secret_is_the_one_that_the_sdk_registers() -> None:
    from pulumi_kubernetes.apps.v1 import DeploymentPatch

    assert DeploymentPatch.__dict__["pulumi_type"] == type_token("apps/v1", "Deployment", patch=True)


def test_the_engine_is_asked_for_the_plugin_of_the_installed_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONPREM_KUBERNETES_PLUGIN", raising=False)

    assert plugin_version() == version("pulumi-kubernetes")


def test_where_the_machine_has_but_one_plugin_that_one_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONPREM_KUBERNETES_PLUGIN", "4.25.0")

    assert plugin_version() == "4.25.0"


def test_the_manifest_reaches_the_engine_as_it_is() -> None:
    manifest = {
        "apiVersion": "example.org/v1",
        "kind": "Thing",
        "metadata": {"name": "thing"},
        "spec": {"snake_case": 1, "camelCase": [{"deepKey": "x"}]},
    }
    recorder = recorded(lambda: KubernetesObject("thing", manifest))

    assert recorder.of_type("kubernetes:example.org/v1:Thing") == {"thing": manifest}


def test_a_secrets_values_are_secret_outputs_and_the_plugins_version_is_announced() -> None:
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}}
    request = recorded(lambda: KubernetesObject("keys", manifest)).requests["keys"]

    assert list(request.additionalSecretOutputs) == ["data", "stringData"]
    assert request.version == version("pulumi-kubernetes")


def test_the_program_does_not_load_the_sdks_classes() -> None:
    check = (
        "import sys, components.coding_platform; print([m for m in sys.modules if 'pulumi_kubernetes' in m])"
    )
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]", "touching them costs 0.24 s at each start"
