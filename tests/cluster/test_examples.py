"""The examples for real: engine, provider and cluster, each in another folder, from the wheel that users install."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from embedded.kube import KubeWriter
from embedded.ports import LOOPBACK
from tests.cluster.conftest import Certificate
from tests.cluster.end_to_end.checkout import ask
from tests.cluster.example_run import ExampleRun
from tests.cluster.looking import SERVING, condition, eventually, gone
from tests.toolchain.installed import Environment

_HOST = "agents.example.internal"
_FIRST, _SECOND = "1" * 40, "2" * 40

Start = Callable[[str], ExampleRun]


@pytest.fixture
def start(variables: Mapping[str, str], installed: Environment, port: int, tmp_path: Path) -> Start:
    """Return how an example is copied to another folder."""

    def copy(name: str) -> ExampleRun:
        folder = tmp_path / name
        return ExampleRun.copy(name, folder, venv=installed.folder, port=port, environment=variables)

    return copy


def ready(client: KubeWriter, namespace: str, name: str = "coder") -> bool:
    return condition(client.get(SERVING, "InferenceService", name, namespace), "Ready")


def test_the_environment_has_the_installed_package_and_not_the_checkout(installed: Environment) -> None:
    where = "import importlib.util as u; print(getattr(u.find_spec({!r}), 'origin', None))"

    found = installed.run("python", "-c", where.format("onprem_agents_components"))
    checkout = installed.run("python", "-c", where.format("components"))

    assert Path(found.strip()).is_relative_to(installed.folder)
    assert checkout.strip() == "None"


def test_a_model_server_in_another_program_becomes_ready_and_the_program_uses_its_outputs(
    start: Start, client: KubeWriter
) -> None:
    example = start("model-server")

    told = example.type("Run")

    assert "onprem-coding-agents:index:InferenceService" in told
    assert ready(client, "code-reviews")
    outputs = example.outputs("dev")
    assert outputs["model"] == "coder"
    bot = client.get("apps/v1", "Deployment", "review-bot", "code-reviews")
    (container,) = bot["spec"]["template"]["spec"]["containers"]
    assert {"name": "OPENAI_BASE_URL", "value": outputs["url"]} in container["env"]
    host = outputs["url"].removeprefix("http://").partition("/")[0].partition(":")[0]
    service, namespace = host.split(".")[:2]
    assert client.find("v1", "Service", service, namespace) is not None, "the URL leads to a Service"
    example.pulumi("preview", "--expect-no-changes")
    example.type("Clean up")
    assert gone(client, "code-reviews")


def test_a_wrong_argument_ends_the_preview_with_what_to_change(start: Start, client: KubeWriter) -> None:
    example = start("model-server")
    program = example.folder / "__main__.py"
    program.write_text(program.read_text().replace('accelerator="L40S"', 'accelerator="L4OS"'))
    example.pulumi("stack", "init", "dev")

    told = example.pulumi("preview", fails=True)

    assert "argument accelerator" in told
    assert "L4OS" in told
    assert "L40S" in told, "the nearest name"
    assert "Traceback" not in told
    assert gone(client, "code-reviews")


def test_a_revision_goes_from_dev_to_prod_with_model_and_host_from_the_stack_of_the_cluster(
    start: Start, client: KubeWriter, certificate: Certificate
) -> None:
    example = start("environments")
    certificate(_HOST)
    example.type("Prepare")

    example.type("Run", REVISION=_FIRST)

    for environment, host in {"dev": f"dev.{_HOST}", "staging": f"staging.{_HOST}", "prod": _HOST}.items():
        assert ready(client, f"agents-{environment}")
        assert served(client, environment) == f"hf://Qwen/Qwen3.6-27B-FP8:{_FIRST}"
        assert example.outputs(environment)["connection"]["host"] == host
    example.pulumi("preview", "--expect-no-changes", "-s", "dev")
    example.pulumi("config", "set", "-s", "dev", "revision", _SECOND)
    example.pulumi("up", "-s", "dev")
    assert served(client, "dev").endswith(_SECOND)
    assert served(client, "staging").endswith(_FIRST), "nothing is promoted by itself"
    example.type("Clean up")
    assert gone(client, "agents-dev", "agents-staging", "agents-prod")
    assert (example.folder / "Pulumi.prod.yaml").is_file(), "the stack files outlive the stacks"


def served(client: KubeWriter, environment: str) -> str:
    """Return where the model server of an environment has its weights from."""
    service = client.get(SERVING, "InferenceService", "coder", f"agents-{environment}")
    (download,) = service["spec"]["predictor"]["initContainers"]
    return str(download["args"][0])


def test_a_file_backend_refuses_a_stack_file_that_names_an_environment_of_esc(start: Start) -> None:
    example = start("environments")
    esc = example.folder / "esc" / "Pulumi.prod.yaml"
    (example.folder / "Pulumi.prod.yaml").write_text(esc.read_text())

    example.pulumi("stack", "init", "prod")

    told = example.pulumi("preview", "-s", "prod", fails=True)

    assert "Pulumi ESC environments require the Pulumi Cloud backend" in told


def test_two_teams_share_no_object_and_one_goes_without_the_other_noticing(
    start: Start, client: KubeWriter, certificate: Certificate, port: int
) -> None:
    example = start("two-teams")
    certificate(f"search.{_HOST}")
    trust = certificate(f"payments.{_HOST}")

    example.type("Run")

    assert all(
        ready(client, namespace, name)
        for namespace, name in [
            ("agents-payments", "coder"),
            ("agents-payments", "fast"),
            ("agents-search", "coder"),
        ]
    )
    assert nodes(client, "agents-payments") == {"gpu-0"}
    assert nodes(client, "agents-search") == {"gpu-1"}
    with httpx.Client(
        base_url=f"https://{LOOPBACK}:{port}",
        headers={"Host": f"payments.{_HOST}:{port}"},
        verify=trust,
        trust_env=False,
    ) as gateway:
        alice, carol = key(client, "agents-payments", "alice"), key(client, "agents-search", "carol")
        eventually(lambda: status(gateway, alice) == 200, "a developer of the team is let in")
        assert status(gateway, carol) == 401, "one of the other team is not"
    before = uids(client, "agents-payments")
    example.type("One team goes")
    assert gone(client, "agents-search")
    assert uids(client, "agents-payments") == before
    assert ready(client, "agents-payments")
    example.type("Clean up")
    assert gone(client, "agents-payments")


def nodes(client: KubeWriter, namespace: str) -> set[str]:
    """Return the nodes on which the model servers of a namespace run."""
    return {pod["spec"]["nodeName"] for pod in client.list("v1", "Pod", namespace)}


def key(client: KubeWriter, namespace: str, developer: str) -> str:
    data = client.get("v1", "Secret", f"key-{developer}", namespace)["data"]
    return base64.b64decode(data[developer]).decode()


def status(gateway: httpx.Client, key: str) -> int:
    return ask(gateway, "GET", "/v1/models", **{"x-api-key": key}).status_code


def uids(client: KubeWriter, namespace: str) -> set[str]:
    kinds = [
        (SERVING, "InferenceService"),
        ("v1", "Pod"),
        ("v1", "Secret"),
        ("gateway.networking.k8s.io/v1", "Gateway"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ]
    return {
        each["metadata"]["uid"] for version, kind in kinds for each in client.list(version, kind, namespace)
    }
