"""Rights of pods, keys that everybody knows and commands that give keys away: on our own stacks and on others'."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks import check_manifests
from policy.graph import UNKNOWN
from tests.policy.exposure_changes import litellm, variable, words
from tests.policy.programs import Manifest, both, drop, put
from tests.policy.rendered import Change, Objects, assert_only, found_in, policies_in

pytestmark = pytest.mark.policy

STACK = "feature-litellm-oci"

CAPABILITIES, TAINTS = "capabilities-are-not-added", "tolerations-name-their-taint"
STANDARD, ADMISSION, NODE = (
    "namespaces-enforce-a-standard",
    "pods-pass-their-namespace",
    "pods-leave-their-node-alone",
)
KNOWN, TRACE, CERTIFICATES = "keys-are-ones-own", "shells-do-not-trace-keys", "certificates-are-checked"
SECRETS = "secrets-are-not-plain"
OURS = {CAPABILITIES, TAINTS, STANDARD, KNOWN, TRACE, CERTIFICATES}

SERVER = ("InferenceService/coder", "spec", "predictor")
CONTAINER = (*SERVER, "containers", 0)
PROXY = ("Deployment/translation-proxy", "spec", "template", "spec")
LABELS = ("Namespace/coding-agents", "metadata", "labels")
OPEN_SPACE = put(*LABELS, value={})
CALL = "curl -fsk -H 'Authorization: Bearer x' https://models.example.internal/v1/models && litellm"


def _add(*capabilities: Any) -> Change:
    return put(*CONTAINER, "securityContext", "capabilities", "add", value=list(capabilities))


def _tolerate(**toleration: Any) -> Change:
    return put(*SERVER, "tolerations", value=[toleration])


def _proxy_script(text: Any) -> Change:
    return both(
        put(*PROXY, "containers", 0, "command", value=["sh", "-c"]),
        put(*PROXY, "containers", 0, "args", value=[text]),
    )


def _with_a_fabric(objects: Objects) -> None:
    volume = {"name": "fabric", "hostPath": {"path": "/dev/infiniband"}}
    objects["InferenceService/coder"]["spec"]["predictor"]["volumes"].append(volume)


def _privileged_space(objects: Objects) -> None:
    objects["Namespace/coding-agents"]["metadata"]["labels"] = {
        "pod-security.kubernetes.io/enforce": "privileged"
    }


MUTATIONS: dict[str, tuple[Change, str, str]] = {
    # change of the stack with LiteLLM, the one policy that fires, a part of its message
    "memory locked without a fabric": (
        both(OPEN_SPACE, _add("IPC_LOCK")),
        CAPABILITIES,
        "adds IPC_LOCK, which no model server needs without a fabric",
    ),
    "capabilities of an administrator": (
        both(OPEN_SPACE, _add("SYS_ADMIN", "IPC_LOCK")),
        CAPABILITIES,
        "Remove IPC_LOCK, SYS_ADMIN from",
    ),
    "a capability that the namespace refuses": (_add("IPC_LOCK"), ADMISSION, "the capability IPC_LOCK"),
    "one that the baseline takes and restricted does not": (_add("CHOWN"), ADMISSION, "the capability CHOWN"),
    "every taint": (_tolerate(operator="Exists"), TAINTS, "spec.predictor.tolerations[0]"),
    "every taint of one effect": (
        _tolerate(operator="Exists", key="", effect="NoSchedule"),
        TAINTS,
        "tolerates every taint",
    ),
    "a namespace that lets everything in": (_privileged_space, STANDARD, "needs none of that"),
    "a master key of the documentation": (
        put("Secret/translation-proxy-key", "stringData", "apiKey", value="sk-1234"),
        KNOWN,
        "Secret",
    ),
    "a developer's key that everybody tries": (
        put("Secret/key-alice", "stringData", "alice", value="ChangeMe"),
        KNOWN,
        "(alice)",
    ),
    "a developer's key in base64": (
        both(
            drop("Secret/key-alice", "stringData"),
            put("Secret/key-alice", "data", value={"alice": "c2stMTIzNA=="}),
        ),
        KNOWN,
        "accepts a key that everybody knows",
    ),
    "the example of vLLM's documentation": (variable("VLLM_API_KEY", "EMPTY"), KNOWN, "env[VLLM_API_KEY]"),
    "a key to be changed in the arguments": (
        words("--api-key", "changeme"),
        KNOWN,
        "containers[kserve-container]",
    ),
    "a key to be changed in the proxy's file": (
        litellm(general_settings={"master_key": "changeme"}),
        KNOWN,
        "data[config.yaml]",
    ),
    "a password to be changed in a URL": (
        variable("CACHE", "redis://default:changeme@redis:6379/0"),
        KNOWN,
        "env[CACHE]",
    ),
    "a password in a URL": (variable("CACHE", "redis://:hunter2pass@redis:6379/0"), SECRETS, "env[CACHE]"),
    "a password known later in a name that says so": (
        variable("DB_PASSWORD", UNKNOWN),
        SECRETS,
        "env[DB_PASSWORD]",
    ),
    "a shell that prints its commands": (
        _proxy_script("set -x\nlitellm --config /etc/c.yaml --key $LITELLM_MASTER_KEY"),
        TRACE,
        "with what LITELLM_MASTER_KEY holds",
    ),
    "one that also stops at errors": (
        _proxy_script("set -euxo pipefail; litellm --key ${LITELLM_MASTER_KEY}"),
        TRACE,
        "set -x",
    ),
    "one that is told so by its flag": (
        both(
            put(*PROXY, "containers", 0, "command", value=["bash", "-xc"]),
            put(*PROXY, "containers", 0, "args", value=["litellm --key $(LITELLM_MASTER_KEY)"]),
        ),
        TRACE,
        "write set +x before",
    ),
    "a client that takes any certificate": (_proxy_script(CALL), CERTIFICATES, "curl -k in"),
    "wget that does": (
        _proxy_script('wget --no-check-certificate --header="x-api-key: $API_KEY" https://a.example/'),
        CERTIFICATES,
        "--no-check-certificate",
    ),
    "a variable that switches the check off": (
        put(*PROXY, "containers", 0, "env", value=[{"name": "SSL_VERIFY", "value": "False"}]),
        CERTIFICATES,
        "SSL_VERIFY=False",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_change_of_a_stack_makes_exactly_one_policy_fire(name: str) -> None:
    change, policy, part = MUTATIONS[name]

    assert_only(policy, found_in(STACK, change), part)


HARMLESS: dict[str, Change] = {
    "memory locked for a fabric": both(OPEN_SPACE, _add("IPC_LOCK"), _with_a_fabric),
    "what binds memory to a NUMA node": both(OPEN_SPACE, _add("SYS_NICE")),
    "a capability known later": both(
        OPEN_SPACE, put(*CONTAINER, "securityContext", "capabilities", "add", value=UNKNOWN)
    ),
    "a taint by its key": _tolerate(operator="Exists", key="nvidia.com/gpu"),
    "a taint known later": _tolerate(operator="Exists", key=UNKNOWN),
    "tolerations known later": put(*SERVER, "tolerations", value=UNKNOWN),
    "a namespace whose standard is known later": put(*LABELS, value=UNKNOWN),
    "a key of one's own": put("Secret/key-alice", "stringData", "alice", value="7f3a9c"),
    "a key known later": put("Secret/key-alice", "stringData", "alice", value=UNKNOWN),
    "a key that is no accepted one": variable("OPENAI_API_KEY", "EMPTY"),
    "a URL whose password comes from elsewhere": variable(
        "CACHE", "redis://default:$(REDIS_AUTH)@redis:6379"
    ),
    "a URL without a password": variable("CACHE", "redis://redis:6379/0"),
    "a traced shell without a key": _proxy_script("set -x\nlitellm --config /etc/c.yaml --port $PORT"),
    "a trace that ends before the key": _proxy_script(
        "set -x; ls /etc; set +x; litellm --key $LITELLM_MASTER_KEY"
    ),
    "a trace in a comment": _proxy_script("# set -x\nlitellm --key $LITELLM_MASTER_KEY"),
    "whether a key is set": _proxy_script("set -x; test -n ${LITELLM_MASTER_KEY:+set} && litellm"),
    "any certificate, of the pod itself": _proxy_script(
        CALL.replace("models.example.internal", "localhost:4000")
    ),
    "any certificate, and no key": _proxy_script("curl -k https://models.example.internal/health && litellm"),
    "a checked certificate": _proxy_script(CALL.replace("-fsk", "--cacert /ca.crt")),
    "a check that is on": put(
        *PROXY, "containers", 0, "env", value=[{"name": "SSL_VERIFY", "value": "true"}]
    ),
    "a pod of somebody else's": put(
        "other",
        value={
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "logs", "namespace": "coding-agents"},
            "spec": {
                "template": {
                    "spec": {
                        "tolerations": [{"operator": "Exists"}],
                        "containers": [
                            {
                                "image": "fluent-bit",
                                "command": ["sh", "-c", "set -x; fluent-bit --password $ES_PASSWORD"],
                                "securityContext": {"capabilities": {"add": ["IPC_LOCK"]}},
                                "env": [{"name": "UI_PASSWORD", "value": "changeme"}],
                            }
                        ],
                    }
                }
            },
        },
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_harms_nobody_is_left_alone(name: str) -> None:
    assert [f.told for f in found_in(STACK, HARMLESS[name])] == []


def _theirs(pod: Manifest, **container: Any) -> list[Manifest]:
    """Return somebody else's Deployment of vLLM in their namespace."""
    serving = {
        "name": "vllm",
        "image": "vllm/vllm-openai:v0.33.0",
        "args": ["--model", "acme/x"],
        **container,
    }
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "llm", "namespace": "ml"},
            "spec": {"template": {"spec": {"containers": [serving], **pod}}},
        },
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "ml", "labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
        },
    ]


def _said(*manifests: Manifest) -> set[str]:
    return policies_in(check_manifests(manifests)) & OURS


def test_a_server_in_their_own_style_is_judged_alike() -> None:
    theirs = _theirs(
        {"tolerations": [{"operator": "Exists"}]},
        securityContext={"capabilities": {"add": ["IPC_LOCK"]}},
        command=["bash", "-ec", "set -x; exec vllm serve acme/x --api-key $VLLM_API_KEY"],
    )
    # the namespace has its reason: a pod in it adds what the baseline refuses
    assert _said(*theirs) == {CAPABILITIES, TAINTS, TRACE}
    assert _said(*_theirs({})) == {STANDARD}


@pytest.mark.parametrize(
    "pod",
    [
        {"hostIPC": True},
        {"hostNetwork": True},
        {"volumes": [{"name": "weights", "hostPath": {"path": "/srv/models"}}]},
    ],
)
def test_a_namespace_whose_pods_need_it_may_be_privileged(pod: Manifest) -> None:
    assert STANDARD not in _said(*_theirs(pod))


def test_a_model_that_is_spread_over_pods_may_lock_memory() -> None:
    group = {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": {"name": "llm", "namespace": "ml"},
        "spec": {
            "leaderWorkerTemplate": {
                "size": 2,
                "workerTemplate": _theirs({}, securityContext={"capabilities": {"add": ["IPC_LOCK"]}})[0][
                    "spec"
                ]["template"],
            }
        },
    }
    assert _said(group) == set()


def test_a_privileged_container_is_told_once() -> None:
    context = {"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}}
    found = check_manifests(_theirs({}, securityContext=context)[:1])
    assert policies_in(found) & {NODE, CAPABILITIES} == {NODE}


def test_a_secret_that_their_server_takes_its_key_from_is_read() -> None:
    ref = {"name": "VLLM_API_KEY", "valueFrom": {"secretKeyRef": {"name": "llm", "key": "k"}}}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "llm", "namespace": "ml"},
        "stringData": {"k": "token-abc123", "other": "changeme"},
    }
    server, _ = _theirs({}, env=[ref])
    assert [f.resource for f in check_manifests([server, secret]) if f.policy == KNOWN] == ["Secret ml/llm"]
    elsewhere = {**secret, "metadata": {"name": "llm", "namespace": "another"}}
    assert _said(server, elsewhere) == set()


def test_no_message_repeats_a_key() -> None:
    text = " ".join(f.told for f in found_in(STACK, words("--api-key", "letmein")))
    assert "letmein" not in text
