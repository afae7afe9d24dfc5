"""Server, ingress and key check, each by itself in another team's program: real engine, provider and Envoy."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from embedded.kube import KubeWriter
from embedded.ports import LOOPBACK
from onprem_agents.contract.connection import WELL_KNOWN_PATH
from tests.cluster.conftest import CERTIFICATES, Certificate
from tests.cluster.end_to_end.checkout import ask
from tests.cluster.looking import SERVING, condition, eventually, gone

_HOST, _NAMESPACE = "parts.example.internal", "parts-alone"
_ALICE, _SERVER = "a-key-of-alice-0123456789abcdef-0123456789", "the-key-of-the-server-0123456789abcdef"
_LIMIT_SECONDS = 300
_PROGRAM = f"""
import pulumi
from onprem_agents_components import ExternalIngress, GatewayAuth, InferenceService

config = pulumi.Config()
coder = InferenceService(
    "coder",
    {{
        "role": "coder",
        "model": "Qwen/Qwen3.6-27B-FP8",
        "accelerator": "L40S",
        "gpus_per_node": 4,
        "namespace": "{_NAMESPACE}",
        "server_key": config.require_secret("serverKey"),
    }},
)
ingress = ExternalIngress(
    "way-in",
    {{
        "host": "{_HOST}",
        "port": config.require_int("port"),
        "tls": {{
            "secret_name": "agents-tls",
            "secret_namespace": "{CERTIFICATES}",
            "reference_grant": True,
        }},
        "servers": [coder.server],
        "namespace": "{_NAMESPACE}",
    }},
)
if config.get_bool("open"):
    GatewayAuth("who", {{"ingress": ingress.ingress, "developer_keys": {{"alice": config.require_secret("alice")}}}})
pulumi.export("url", ingress.url)
pulumi.export("connection", ingress.connection)
"""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program of somebody else's, in a folder of its own."""

    folder: Path
    environment: Mapping[str, str]

    def pulumi(self, *words: str) -> str:
        done = subprocess.run(
            ["pulumi", *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def program(variables: Mapping[str, str], port: int, tmp_path: Path) -> Program:
    folder, backend = tmp_path / "theirs", tmp_path / "state"
    folder.mkdir()
    backend.mkdir()
    (folder / "Pulumi.yaml").write_text("name: theirs\nruntime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(_PROGRAM, encoding="utf-8")
    made = Program(folder=folder, environment={**variables, "PULUMI_BACKEND_URL": f"file://{backend}"})
    made.pulumi("stack", "init", "dev")
    made.pulumi("config", "set", "port", str(port))
    for name, key in {"alice": _ALICE, "serverKey": _SERVER}.items():
        made.pulumi("config", "set", "--secret", name, key)
    return made


def test_an_ingress_that_stands_alone_is_shut_until_somebody_says_who_may_call(
    program: Program, client: KubeWriter, certificate: Certificate, port: int
) -> None:
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}})
    trust = certificate(_HOST)
    with httpx.Client(
        base_url=f"https://{LOOPBACK}:{port}",
        headers={"Host": f"{_HOST}:{port}"},
        verify=trust,
        trust_env=False,
    ) as gateway:

        def answer(method: str, path: str, **headers: str) -> int:
            try:
                return ask(gateway, method, path, **headers).status_code
            except httpx.TransportError:
                return 0

        alice = {"Authorization": f"Bearer {_ALICE}"}
        program.pulumi("up")
        assert condition(client.get(SERVING, "InferenceService", "coder", _NAMESPACE), "Ready")
        eventually(lambda: answer("GET", WELL_KNOWN_PATH) == 200, "the contract is open", seconds=40)
        eventually(lambda: answer("GET", "/v1/models") == 403, "everything else is shut")
        assert answer("GET", "/v1/models", **alice) == 403
        assert answer("POST", "/v1/chat/completions", **alice) == 403

        program.pulumi("config", "set", "open", "true")
        program.pulumi("up")
        eventually(lambda: answer("GET", "/v1/models", **alice) == 200, "alice is let in")
        assert answer("GET", "/v1/models") == 401
        assert answer("POST", "/v1/chat/completions") == 401
        assert answer("POST", "/v1/chat/completions", **alice) not in (401, 403), "it is led to the server"
        program.pulumi("preview", "--expect-no-changes")

        program.pulumi("config", "set", "open", "false")
        program.pulumi("up")
        eventually(lambda: answer("GET", "/v1/models", **alice) == 403, "shut again")
    assert _ALICE not in program.pulumi("stack", "export")
    program.pulumi("destroy")
    client.delete("v1", "Namespace", _NAMESPACE)
    eventually(lambda: gone(client, _NAMESPACE), "nothing is left")
