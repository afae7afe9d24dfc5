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
from onprem_agents.cluster.kubeconfig import load
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


def part(file: Path, **content: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({key.replace("_", "-"): value for key, value in content.items()}))
    return file


def cluster(name: str, port: int, **more: object) -> dict[str, object]:
    return {"name": name, "cluster": {"server": f"https://127.0.0.1:{port}", **more}}


def context(name: str, of: str, user: str = "me") -> dict[str, object]:
    return {"name": name, "context": {"cluster": of, "user": user}}


_EXEC = "client.authentication.k8s.io/v1"
ME = {"name": "me", "user": {"token": "mine"}}


def test_files_of_the_variable_are_merged_and_the_first_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parts that kubectl puts together: a cluster here, a user there, a file that is gone."""
    first = part(tmp_path / "first", clusters=[cluster("lab", 1)], contexts=[context("lab", "lab")])
    second = part(
        tmp_path / "second",
        clusters=[cluster("lab", 2, **{"insecure-skip-tls-verify": True}), cluster("shop", 3)],
        users=[ME],
        contexts=[context("lab", "shop"), context("shop", "shop")],
        current_context="lab",
    )
    third = part(tmp_path / "third", current_context="shop", users=[{"name": "me", "user": {"token": "x"}}])
    gone = tmp_path / "gone"
    monkeypatch.setenv("KUBECONFIG", f":{first}::{gone}:{second}:{third}:{second}:")

    with KubeClient.from_kubeconfig() as client:
        assert client.url == "https://127.0.0.1:1", "`lab` is current in the first file that says so"
    with KubeClient.from_kubeconfig(context="shop") as client:
        assert client.url == "https://127.0.0.1:3"
        seen: list[str] = []

        def note(request: httpx2.Request) -> httpx2.Response:
            seen.append(request.headers["Authorization"])
            return httpx2.Response(200)

        client._http._transport = httpx2.MockTransport(note)
        assert client.send("GET", "/readyz", name="the server").is_success
        assert seen == ["Bearer mine"]
    monkeypatch.setenv("KUBECONFIG", f"{second}:{first}")
    with KubeClient.from_kubeconfig() as client:
        assert client.url == "https://127.0.0.1:3", "now the other `lab` comes first, whole"


def test_paths_are_relative_to_the_file_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    token = tmp_path / "users" / "token"
    user = {
        "name": "me",
        "user": {"tokenFile": "token", "exec": {"apiVersion": _EXEC, "command": "bin/helper"}},
    }
    by_name = {"name": "named", "user": {"exec": {"apiVersion": _EXEC, "command": "helper"}}}
    part(
        Path("clusters/config"),
        clusters=[cluster("lab", 1, **{"certificate-authority": "pki/ca.crt"})],
        contexts=[context("lab", "lab"), context("named", "lab", "named")],
        current_context="lab",
    )
    part(Path("users/config"), users=[user, by_name])
    files = (Path("clusters/config"), Path("users/config"))

    config = load(files, None)
    assert config.cluster.certificate_auth == str(tmp_path / "clusters" / "pki" / "ca.crt")
    assert config.user is not None
    assert config.user.exec is not None
    assert config.user.token_file == str(token)
    assert config.user.exec.command == str(tmp_path / "users" / "bin" / "helper")
    named = load(files, "named").user
    assert named is not None
    assert named.exec is not None
    assert named.exec.command == "helper", "what has no slash is looked for on PATH"


def test_a_list_of_files_that_are_all_gone_is_named_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = f"{tmp_path / 'a'}:{tmp_path / 'b'}"
    monkeypatch.setenv("KUBECONFIG", both)

    with pytest.raises(ClusterError, match="not found; set KUBECONFIG") as caught:
        KubeClient.from_kubeconfig()

    assert both in str(caught.value)


def test_a_bad_file_among_good_ones_is_the_one_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = kubeconfig(tmp_path, {"token": "t"})
    bad = tmp_path / "bad"
    bad.write_text("users: [{user: {}}]")
    monkeypatch.setenv("KUBECONFIG", f"{good}:{bad}")

    with pytest.raises(ClusterError, match="has the wrong shape") as caught:
        KubeClient.from_kubeconfig()

    assert str(bad) in str(caught.value)
    assert str(good) not in str(caught.value)


@pytest.mark.parametrize("value", ["", ":"])
def test_an_empty_variable_means_the_usual_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", value)
    (tmp_path / ".kube").mkdir()
    kubeconfig(tmp_path / ".kube", {"token": "t"})

    with KubeClient.from_kubeconfig() as client:
        assert client.url == "https://127.0.0.1:1"


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
