"""The component package as programs in other languages meet it: schema, generated SDKs, and Pulumi YAML for real."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from components.sections import ARGUMENTS
from embedded import plugins
from embedded.cluster import Cluster
from embedded.engine import Engine
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.lock import hold
from embedded.ports import LOOPBACK, Ports
from embedded.progress import Progress
from embedded.toolchain import provision
from onprem_agents import __version__
from onprem_agents.stack.settings import PROJECT
from tests.cluster.conftest import Certificate
from tests.cluster.end_to_end.checkout import ask
from tests.cluster.language_hosts import language_hosts, vet
from tests.cluster.looking import SERVING, condition, eventually, gone
from tests.toolchain.installed import Environment

_CHECKOUT = Layout.default().checkout
_EXAMPLE = _CHECKOUT / "examples" / "yaml"
_TYPESCRIPT = Path(__file__).parent / "typescript"
_HOST, _NAMESPACE = "agents.example.internal", "agents-in-yaml"
_ALICE = "a-key-of-alice-0123456789abcdef-0123456789"
_STRICT = ("--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022")
_LIMIT_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Pulumi:
    """The engine's command line in one folder."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *words: str, stdin: str = "", fails: bool = False) -> str:
        """Run one command and return what it prints: all of it where it must fail, else standard output."""
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr if fails else done.stdout

    def program(self) -> dict[str, Any]:
        return dict(yaml.safe_load((self.folder / "Pulumi.yaml").read_text(encoding="utf-8")))

    def write(self, program: Mapping[str, Any]) -> None:
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program, sort_keys=False), encoding="utf-8")


@pytest.fixture(scope="module")
def environment(layout: Layout) -> Mapping[str, str]:
    """The engine's variables, with the language hosts that only these tests have."""
    binaries = provision(layout, plugins.PROGRAMS, Progress())
    plugins.install(layout, binaries)
    own = Engine(layout, binaries).environment
    return own | {
        "PATH": os.pathsep.join([str(language_hosts(layout)), own["PATH"]]),
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
    }


@pytest.fixture(scope="module")
def package(installed: Environment) -> Path:
    """The component package's folder where the wheel is installed."""
    return installed.packages / "onprem_agents_components"


@pytest.fixture
def example(
    environment: Mapping[str, str], package: Path, bare_cluster: Cluster, tmp_path: Path
) -> Iterator[Pulumi]:
    """The YAML example in a folder of its own, with the installed package, a stack and its keys."""
    shutil.copytree(_EXAMPLE, tmp_path / "yaml")
    folder = tmp_path / "yaml"
    pulumi = Pulumi(folder=folder, environment={**environment, "KUBECONFIG": str(bare_cluster.kubeconfig)})
    program = pulumi.program()
    program["packages"][PROJECT] = str(package)
    program["config"]["port"]["default"] = Ports(tmp_path / "ports.json")["gateway"]
    pulumi.write(program)
    pulumi.run("stack", "init", "dev", "--secrets-provider", "passphrase")
    for path, key in {
        "developerKeys.alice": _ALICE,
        "developerKeys.bob": _ALICE[::-1],
        "serverKey": "s" * 40,
    }.items():
        pulumi.run("config", "set", "--secret", "--path", path, stdin=key)
    yield pulumi
    pulumi.run("stack", "rm", "dev", "--yes")


def test_get_schema_lists_every_component_in_the_checkout_and_where_the_wheel_is_installed(
    environment: Mapping[str, str], package: Path
) -> None:
    root = Pulumi(folder=_CHECKOUT, environment=environment)
    schema = json.loads(root.run("package", "get-schema", "./components"))

    assert (schema["name"], schema["version"]) == (PROJECT, __version__)
    assert set(schema["resources"]) == {f"{PROJECT}:index:{name}" for name in ARGUMENTS}
    assert all(each["isComponent"] for each in schema["resources"].values())
    for folder in (_CHECKOUT / "components", package):
        there = Pulumi(folder=folder, environment=environment)
        assert json.loads(there.run("package", "get-schema", ".")) == schema


def test_the_generated_typescript_sdk_and_a_program_with_it_compile(
    environment: Mapping[str, str], layout: Layout, tmp_path: Path
) -> None:
    packages = _npm_packages(layout)
    root = Pulumi(folder=_CHECKOUT, environment=environment)
    root.run("package", "gen-sdk", "./components", "--language", "nodejs", "--out", str(tmp_path))
    sdk = tmp_path / "nodejs"
    (tmp_path / "node_modules").symlink_to(packages)
    shutil.copy(_TYPESCRIPT / "program.ts", sdk)

    whole = _compiled(sdk, "-p", ".")
    program = _compiled(sdk, *_STRICT, "program.ts")
    text = (sdk / "program.ts").read_text(encoding="utf-8")
    (sdk / "program.ts").write_text(text.replace("gpusPerNode: 2", 'gpusPerNode: "two"'), encoding="utf-8")
    wrong = _compiled(sdk, *_STRICT, "program.ts")

    assert whole == ""
    assert program == ""
    assert "Type 'string' is not assignable to type 'Input<number" in wrong


def test_the_generated_go_sdk_compiles(
    environment: Mapping[str, str], layout: Layout, tmp_path: Path
) -> None:
    root = Pulumi(folder=_CHECKOUT, environment=environment)
    root.run("package", "gen-sdk", "./components", "--language", "go", "--out", str(tmp_path))
    # Where the generator's imports look for it (pkg/v3/codegen/go, 3.206).
    sdk = tmp_path / "sdk"
    shutil.copytree(tmp_path / "go" / "onpremcodingagents", sdk / "go" / PROJECT)

    vet(layout, sdk, f"example.com/pulumi-{PROJECT}/sdk")


def test_the_example_in_yaml_comes_up_to_ready_and_its_gateway_knows_the_developers(
    example: Pulumi, client: KubeWriter, certificate: Certificate
) -> None:
    trust = certificate(_HOST)
    example.run("up", "--yes", "--skip-preview")

    assert condition(client.get(SERVING, "InferenceService", "coder", _NAMESPACE), "Ready")
    outputs = json.loads(example.run("stack", "output", "--json"))
    port = example.program()["config"]["port"]["default"]
    assert outputs["url"] == f"https://{_HOST}:{port}/v1"
    assert outputs["servedModels"] == ["coder"]
    assert outputs["connection"]["host"] == _HOST
    with httpx.Client(
        base_url=f"https://{LOOPBACK}:{port}",
        headers={"Host": f"{_HOST}:{port}"},
        verify=trust,
        trust_env=False,
    ) as gateway:
        eventually(
            lambda: ask(gateway, "GET", "/v1/models", Authorization=f"Bearer {_ALICE}").status_code == 200,
            "alice's key opens the gateway",
        )
        assert ask(gateway, "GET", "/v1/models", Authorization="Bearer nobodys").status_code == 401
    example.run("preview", "--expect-no-changes")
    state = example.run("stack", "export")
    assert _ALICE not in state, "keys are secrets on the whole way"
    example.run("destroy", "--yes", "--skip-preview")
    assert gone(client, _NAMESPACE)


def test_wrong_arguments_in_yaml_are_told_all_at_once_with_their_places_and_without_a_traceback(
    example: Pulumi, client: KubeWriter
) -> None:
    program = example.program()
    properties = program["resources"]["platform"]["properties"]
    properties["models"][0]["model"] = "Qwen/Qwen9"
    properties["hardware"]["nodes"] = -1
    example.write(program)
    example.run("config", "set", "--secret", "serverKey", stdin="a-short-canary")

    told = example.run("preview", fails=True)

    assert "CodingPlatform 'platform'" in told
    assert "property hardware.nodes with value '{-1}' has a problem: found -1;" in told
    assert "property models[0].model with value '{Qwen/Qwen9}' has a problem: found 'Qwen/Qwen9';" in told
    assert "property serverKey " in told
    assert "canary" not in told
    assert "Traceback" not in told
    assert 'File "' not in told
    assert client.find("v1", "Namespace", _NAMESPACE) is None


def _compiled(folder: Path, *words: str) -> str:
    """Return what the TypeScript compiler has to say."""
    compiler = folder.parent / "node_modules" / ".bin" / "tsc"
    done = subprocess.run(
        [compiler, "--noEmit", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def _npm_packages(layout: Layout) -> Path:
    """Return the folder with compiler and SDK, installed once into the user's cache; skips where npm is missing."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing: install Node.js 20 or later")
    files = ("package.json", "package-lock.json")
    digest = hashlib.sha256(b"".join((_TYPESCRIPT / name).read_bytes() for name in files)).hexdigest()[:16]
    folder = layout.cache / "typescript" / digest
    with hold(layout.cache / "typescript" / "lock", command="installing npm packages", wait_seconds=600):
        if not (folder / "installed").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for name in files:
                shutil.copy(_TYPESCRIPT / name, folder)
            done = subprocess.run(
                [npm, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=_LIMIT_SECONDS,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            (folder / "installed").touch()
    return folder / "node_modules"
