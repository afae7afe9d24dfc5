"""What the Kubernetes client takes from a kubeconfig, and what it says of a bad one."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from onprem_agents.cluster import KubeClient
from onprem_agents.errors import ClusterError

pytestmark = pytest.mark.unit


def kubeconfig(folder: Path, user: dict[str, Any], *, server: str = "https://127.0.0.1:1") -> Path:
    file = folder / "config"
    content = {
        "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "me", "namespace": "team"}}],
    }
    file.write_text(json.dumps(content))
    return file


def test_a_kubeconfig_gives_address_and_namespace(tmp_path: Path) -> None:
    with KubeClient.from_kubeconfig(kubeconfig(tmp_path, {"token": "t"})) as client:
        assert client.url == "https://127.0.0.1:1"
        assert client.namespace == "team"


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_exec_helpers_of_both_current_versions_are_asked_for_a_token(tmp_path: Path, version: str) -> None:
    api = f"client.authentication.k8s.io/{version}"
    code = (
        "import json, os; info = json.loads(os.environ['KUBERNETES_EXEC_INFO']);"
        "print(json.dumps({'status': {'token': info['apiVersion'].rpartition('/')[2]}}))"
    )
    helper = {"exec": {"apiVersion": api, "command": sys.executable, "args": ["-c", code]}}
    seen: list[str] = []

    def note(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["Authorization"])
        return httpx2.Response(200)

    with KubeClient.from_kubeconfig(kubeconfig(tmp_path, helper)) as client:
        client._http._transport = httpx2.MockTransport(note)
        assert client.send("GET", "/readyz", name="the API server").is_success

    assert seen == [f"Bearer {version}"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "not found; set KUBECONFIG"),
        ("{", "cannot be read"),
        ("[1]", "has the wrong shape"),
        ("clusters: 3", "has the wrong shape"),
        ("current-context: x\nclusters: []\ncontexts: []\nusers: []", "Context 'x' not found"),
    ],
)
def test_a_bad_kubeconfig_is_one_sentence_that_names_the_file(
    tmp_path: Path, content: str | None, words: str
) -> None:
    file = tmp_path / "config"
    if content is not None:
        file.write_text(content)

    with pytest.raises(ClusterError, match=words) as caught:
        KubeClient.from_kubeconfig(file)

    assert str(file) in str(caught.value)


def test_credentials_that_are_not_there_are_named(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, {"client-certificate": "gone.crt", "client-key": "gone.key"})

    with pytest.raises(ClusterError, match="its credentials cannot be used"):
        KubeClient.from_kubeconfig(file)


def test_without_the_extra_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightkube.config.kubeconfig", None)

    with pytest.raises(ClusterError, match=r"pip install 'onprem-coding-agents\[platform\]'"):
        KubeClient.from_kubeconfig(tmp_path / "config")


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")

    with KubeClient.from_kubeconfig(kubeconfig(tmp_path, {"token": "t"})) as here:
        assert not [each for each in here._http._mounts.values() if each is not None]
    elsewhere = kubeconfig(tmp_path, {"token": "t"}, server="https://api.example:6443")
    with KubeClient.from_kubeconfig(elsewhere) as there:
        assert [each for each in there._http._mounts.values() if each is not None]


def test_the_client_is_free_of_lightkube_until_it_connects() -> None:
    code = (
        "import onprem_agents.cluster, sys; sys.exit('lightkube' in sys.modules or 'httpx2' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tls_is_verified_unless_the_kubeconfig_says_otherwise(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, {"token": "t"})
    file.write_text(file.read_text().replace("true", "false"))

    with KubeClient.from_kubeconfig(file) as client:
        transport: Any = client._http._transport
        assert transport._pool._ssl_context.verify_mode == ssl.CERT_REQUIRED
