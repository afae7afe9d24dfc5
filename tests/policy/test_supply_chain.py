"""The pack `supply-chain`: each rule on our own stacks, bent, and on what others write."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks import check_manifests, graph_of
from policy.denied import denied, denied_of
from policy.graph import UNKNOWN
from policy.images import read_image
from policy.table import POLICIES
from tests.policy.programs import Manifest, both, drop, put
from tests.policy.rendered import Change, Objects, assert_only, found_in, policies_in

pytestmark = pytest.mark.policy

PINNED, DENIED, HOLES = "images-are-pinned", "releases-are-not-denied", "releases-have-no-open-holes"
REGISTRIES = "registries-are-allowed"
NODE, FOLDERS = "pods-leave-their-node-alone", "node-folders-are-read-only"
RESTRICTED, ADMISSION = "pods-are-restricted", "pods-pass-their-namespace"

STACK = "feature-litellm-oci"
SERVER = ("InferenceService/coder", "spec", "predictor")
CONTAINER = (*SERVER, "containers", 0)
PROXY = ("Deployment/translation-proxy", "spec", "template", "spec")
PROXY_IMAGE = (*PROXY, "containers", 0, "image")
OPEN_SPACE = put("Namespace/coding-agents", "metadata", "labels", value={})


def _folder(path: Any = "/srv/models", **mount: Any) -> Change:
    """Return a change that mounts a folder of the node into a server."""

    def change(objects: Objects) -> None:
        predictor = objects["InferenceService/coder"]["spec"]["predictor"]
        predictor["volumes"].append({"name": "extra", "hostPath": {"path": path}})
        mounts = predictor["containers"][0]["volumeMounts"]
        mounts.append({"name": "extra", "mountPath": "/extra", **mount})

    return change


MUTATIONS: dict[str, tuple[Change, str, str]] = {
    "a tag that moves": (
        put(*CONTAINER, "image", value="vllm/vllm-openai:latest"),
        PINNED,
        "a tag that moves",
    ),
    "a nightly tag": (put(*CONTAINER, "image", value="vllm/vllm-openai:cu130-nightly"), PINNED, "nightly"),
    "no tag": (put(*PROXY_IMAGE, value="registry.internal:5000/litellm"), PINNED, "without a tag"),
    "a branch": (put(*PROXY_IMAGE, value="ghcr.io/berriai/litellm:main"), PINNED, "containers[proxy].image"),
    "an image known later": (put(*CONTAINER, "image", value=UNKNOWN), PINNED, "only known at run time"),
    "the image of Envoy": (
        put(
            "EnvoyProxy/coding-agents",
            *("spec", "provider", "kubernetes", "envoyDeployment", "container", "image"),
            value="envoyproxy/envoy:dev",
        ),
        PINNED,
        "EnvoyProxy coding-agents/coding-agents",
    ),
    "the package with malware": (
        put(*PROXY_IMAGE, value="ghcr.io/berriai/litellm:main-v1.82.7"),
        DENIED,
        "MAL-2026-2144",
    ),
    "the package installed at the start": (
        put(*PROXY, "containers", 0, "args", value=["-c", "pip install 'litellm[proxy]==1.82.8' && litellm"]),
        DENIED,
        "runs litellm 1.82.8",
    ),
    "a router that keeps keys in clear": (
        put(*PROXY_IMAGE, value="musistudio/claude-code-router:3.1.1"),
        DENIED,
        "Change spec.template.spec.containers[proxy].image to 2.0.0",
    ),
    "a proxy with a hole": (
        put(*PROXY_IMAGE, value="ghcr.io/berriai/litellm:main-v1.83.6-stable"),
        HOLES,
        "CVE-2026-49468",
    ),
    "a server with a hole": (
        put(*CONTAINER, "image", value="docker.io/vllm/vllm-openai:v0.31.0"),
        HOLES,
        "CVE-2026-115911",
    ),
    "a privileged server": (
        both(OPEN_SPACE, put(*CONTAINER, "securityContext", "privileged", value=True)),
        NODE,
        "containers[kserve-container].securityContext.privileged",
    ),
    "the node's IPC": (both(OPEN_SPACE, put(*SERVER, "hostIPC", value=True)), NODE, "emptyDir at /dev/shm"),
    "the node's network": (
        both(OPEN_SPACE, put(*PROXY, "hostNetwork", value=True)),
        NODE,
        "sets hostNetwork",
    ),
    "the node's processes": (both(OPEN_SPACE, put(*SERVER, "hostPID", value=True)), NODE, "sets hostPID"),
    "a switch known later": (put(*SERVER, "hostIPC", value=UNKNOWN), NODE, "to be known at run time"),
    "privileges known later": (
        put(*CONTAINER, "securityContext", "privileged", value=UNKNOWN),
        NODE,
        "leaves privileged to be known at run time",
    ),
    "the node's own folder": (
        both(OPEN_SPACE, _folder("/var/run/")),
        NODE,
        "mounts /var/run/ of its node",
    ),
    "the socket of its container runtime": (
        both(OPEN_SPACE, _folder("/run/containerd/containerd.sock", readOnly=True)),
        NODE,
        "containerd.sock of its node",
    ),
    "a folder known later": (
        both(OPEN_SPACE, _folder(UNKNOWN)),
        NODE,
        "only known at run time",
    ),
    "a folder that can be written to": (both(OPEN_SPACE, _folder()), FOLDERS, "readOnly: true"),
    "a server that may be root": (
        both(
            OPEN_SPACE, drop(*SERVER, "securityContext"), drop(*CONTAINER, "securityContext", "runAsNonRoot")
        ),
        RESTRICTED,
        "runAsNonRoot: true is missing",
    ),
    "a server that is root": (
        both(OPEN_SPACE, put(*SERVER, "securityContext", "runAsUser", value=0)),
        RESTRICTED,
        "a runAsUser other than 0",
    ),
    "all capabilities": (
        both(OPEN_SPACE, drop(*PROXY, "containers", 0, "securityContext", "capabilities")),
        RESTRICTED,
        "capabilities.drop: [ALL] is missing",
    ),
    "a profile known later": (
        both(OPEN_SPACE, put(*SERVER, "securityContext", "seccompProfile", value=UNKNOWN)),
        RESTRICTED,
        "seccompProfile.type: RuntimeDefault is only known at run time",
    ),
    "no profile where one is enforced": (
        drop(*SERVER, "securityContext", "seccompProfile"),
        ADMISSION,
        "enforces the Pod Security Standard restricted",
    ),
    "a profile known later where one is enforced": (
        put(*SERVER, "securityContext", "seccompProfile", value=UNKNOWN),
        ADMISSION,
        "only known at run time",
    ),
    "a folder of the node where none is allowed": (
        _folder(readOnly=True),
        ADMISSION,
        "hostPath /srv/models",
    ),
    "a namespace known later": (
        both(
            put("InferenceService/coder", "metadata", "namespace", value=UNKNOWN),
            drop(*CONTAINER, "securityContext", "allowPrivilegeEscalation"),
        ),
        ADMISSION,
        "allowPrivilegeEscalation: false is missing",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_change_of_a_stack_makes_exactly_one_policy_fire(name: str) -> None:
    change, policy, part = MUTATIONS[name]

    assert_only(policy, found_in(STACK, change), part)


HARMLESS: dict[str, Change] = {
    "a digest beside a tag that moves": put(
        *CONTAINER, "image", value=f"vllm/vllm-openai:latest@sha256:{'0' * 64}"
    ),
    "a registry with a port": put(*PROXY_IMAGE, value="localhost:5000/berriai/litellm:v1.109.1"),
    "an image of their own": put(*PROXY_IMAGE, value="registry.internal/team/proxy:2026-11-01"),
    "weights of the node, read only": both(OPEN_SPACE, _folder(readOnly=True)),
    "a part of its own of a folder of the node": both(OPEN_SPACE, _folder(subPath="coder")),
    "files of the node that are no keys to it": both(
        OPEN_SPACE, _folder("/etc/localtime", readOnly=True), _folder("/dev/infiniband", readOnly=True)
    ),
    "an unrelated pod": put(
        "other",
        value={
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "logs", "namespace": "coding-agents"},
            "spec": {
                "template": {
                    "spec": {
                        "hostNetwork": True,
                        "containers": [{"image": "fluent-bit", "securityContext": {"privileged": True}}],
                        "volumes": [{"name": "log", "hostPath": {"path": "/var/log"}}],
                    }
                }
            },
        },
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_harms_nobody_is_left_alone(name: str) -> None:
    assert [f.told for f in found_in(STACK, HARMLESS[name])] == []


def _theirs(**predictor: Any) -> Manifest:
    container = {
        "name": "main",
        "image": "vllm/vllm-openai:nightly",
        "command": ["python3", "-m", "vllm.entrypoints.openai.api_server", "--model", "acme/x"],
        "securityContext": {"privileged": True},
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {"predictor": {"containers": [container], **predictor}},
    }


def _supply_chain(*manifests: Manifest) -> set[str]:
    ours = {policy.name for policy in POLICIES if policy.pack == "supply-chain"}
    return policies_in(check_manifests(manifests)) & ours


def test_a_server_in_their_own_style_is_judged_alike() -> None:
    weights = {"name": "models", "hostPath": {"path": "/data/models"}}
    mount = {"name": "models", "mountPath": "/models"}
    theirs = _theirs(hostIPC=True, volumes=[weights])
    theirs["spec"]["predictor"]["containers"][0]["volumeMounts"] = [mount]

    assert _supply_chain(theirs) == {PINNED, NODE, FOLDERS, RESTRICTED}


def test_their_namespace_refuses_what_it_enforces_against() -> None:
    space = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "ml", "labels": {"pod-security.kubernetes.io/enforce": "baseline"}},
    }
    assert ADMISSION in _supply_chain(_theirs(), space)


def test_a_proxy_of_theirs_is_told_by_its_image() -> None:
    proxy = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "gw", "namespace": "ai"},
        "spec": {
            "template": {
                "spec": {"containers": [{"image": "docker.litellm.ai/berriai/litellm-database:1.82.8"}]}
            }
        },
    }
    assert _supply_chain(proxy) == {DENIED, RESTRICTED}


def test_pods_that_serve_one_model_together_may_use_the_nodes_network() -> None:
    group = _theirs(hostNetwork=True, workerSpec={"containers": [{"image": "vllm/vllm-openai:v0.33.0"}]})
    group["spec"]["predictor"]["containers"][0]["securityContext"] = {}
    assert NODE not in _supply_chain(group)


def test_a_model_that_a_runtime_completes_is_not_blamed_for_what_the_runtime_says() -> None:
    model = {"modelFormat": {"name": "vLLM"}, "storageUri": "hf://a/b", "args": []}
    service = _theirs()
    service["spec"]["predictor"] = {"model": model}
    assert _supply_chain(service) == set()


def _allowed(image: Any, *allowed: str) -> list[str]:
    service = _theirs()
    service["spec"]["predictor"]["containers"][0]["image"] = image
    policy = next(policy for policy in POLICIES if policy.name == REGISTRIES)
    return [found.told for found in policy.find(graph_of([service]), {"allowedRegistries": list(allowed)})]


@pytest.mark.parametrize(
    ("image", "allowed", "refused"),
    [
        ("registry.internal/vllm/vllm-openai:v0.33.0", ["registry.internal"], False),
        ("registry.internal/mirror/vllm:v1", ["registry.internal/mirror/"], False),
        ("registry.internal/mirrored/vllm:v1", ["registry.internal/mirror"], True),
        ("vllm/vllm-openai:v0.33.0", ["docker.io"], False),
        ("vllm/vllm-openai:v0.33.0", ["registry.internal"], True),
        ("registry.internal.evil.example/vllm:v1", ["registry.internal"], True),
        (UNKNOWN, ["registry.internal"], True),
        (UNKNOWN, [], False),
    ],
)
def test_images_come_from_the_registries_of_the_list(image: Any, allowed: list[str], refused: bool) -> None:
    found = _allowed(image, *allowed)
    assert bool(found) is refused
    assert all("allowedRegistries" in message for message in found)


def test_a_digest_can_be_required() -> None:
    policy = next(policy for policy in POLICIES if policy.name == PINNED)
    service = _theirs()
    service["spec"]["predictor"]["containers"][0]["image"] = "vllm/vllm-openai:v0.33.0"
    assert policy.find(graph_of([service])) == []
    (found,) = policy.find(graph_of([service]), {"requireDigest": True})
    assert "without a digest" in found.told


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag"),
    [
        ("vllm", "docker.io", "vllm", None),
        ("vllm/vllm-openai:v1", "docker.io", "vllm/vllm-openai", "v1"),
        ("host:5000/a/b", "host:5000", "a/b", None),
        ("localhost/a:1@sha256:00", "localhost", "a", "1"),
    ],
)
def test_a_reference_is_read_as_docker_reads_it(
    text: str, registry: str, repository: str, tag: str | None
) -> None:
    image = read_image(text)
    assert image is not None
    assert (image.registry, image.repository, image.tag) == (registry, repository, tag)


def test_the_newest_release_that_the_product_uses_is_denied_by_nobody() -> None:
    assert denied_of("vllm", (0, 33, 0)) == denied_of("litellm", (1, 109, 1)) == []
    assert all(entry.releases or entry.since or entry.before for entry in denied())
