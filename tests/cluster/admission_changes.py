"""For each policy that the API server can ask: a change of the stack `local` that it refuses or warns of."""

from __future__ import annotations

from tests.policy.exposure_changes import POLICY, RULE, service, variable
from tests.policy.programs import both, drop, put
from tests.policy.rendered import Change, Objects

SERVER = ("InferenceService/coder", "spec", "predictor")
CONTAINER = (*SERVER, "containers", 0)
NO_LEVEL = put("Namespace/coding-agents", "metadata", "labels", value={})


def without(option: str) -> Change:
    def change(objects: Objects) -> None:
        container = objects["InferenceService/coder"]["spec"]["predictor"]["containers"][0]
        container["args"] = [word for word in container["args"] if word != option]

    return change


def with_word(word: str) -> Change:
    def change(objects: Objects) -> None:
        objects["InferenceService/coder"]["spec"]["predictor"]["containers"][0]["args"].append(word)

    return change


def instead(option: str, value: str) -> Change:
    def change(objects: Objects) -> None:
        args = objects["InferenceService/coder"]["spec"]["predictor"]["containers"][0]["args"]
        args[args.index(option) + 1] = value

    return change


def folder(objects: Objects) -> None:
    predictor = objects["InferenceService/coder"]["spec"]["predictor"]
    predictor["volumes"].append({"name": "extra", "hostPath": {"path": "/srv/models"}})
    predictor["containers"][0]["volumeMounts"].append({"name": "extra", "mountPath": "/extra"})


# For each policy with a twin: a change of the stack `local`, and the object that it makes bad.
BROKEN: dict[str, tuple[Change, str]] = {
    "tool-calling-is-on": (without("--enable-auto-tool-choice"), "InferenceService/coder"),
    "memory-headroom-is-left": (instead("--gpu-memory-utilization", "0.97"), "InferenceService/coder"),
    "timeouts-are-monotonic": (
        put(*RULE, "timeouts", value={"request": "60s", "backendRequest": "60s"}),
        "HTTPRoute/coding-agents-agents",
    ),
    "paths-are-listed": (
        put(*RULE, "matches", value=[{"path": {"value": "/"}}]),
        "HTTPRoute/coding-agents-agents",
    ),
    "keys-end-at-the-gateway": (
        drop(*POLICY, "apiKeyAuth", "sanitize"),
        "SecurityPolicy/coding-agents-keys",
    ),
    "keys-are-read-from-both-headers": (
        put(*POLICY, "apiKeyAuth", "extractFrom", value=[{"headers": ["Authorization"]}]),
        "SecurityPolicy/coding-agents-keys",
    ),
    "servers-stay-behind-the-gateway": (service(type="NodePort", ports=[{"port": 80}]), "Service/open"),
    "keys-are-bare": (put("Secret/key-alice", "stringData", "alice", value="bEarer abc"), "Secret/key-alice"),
    "no-hosted-models": (
        variable("OPENAI_BASE_URL", "https://openrouter.ai/api/v1"),
        "InferenceService/coder",
    ),
    "secrets-are-not-plain": (variable("HF_TOKEN", "hf_abc"), "InferenceService/coder"),
    "images-are-pinned": (
        put(*CONTAINER, "image", value="vllm/vllm-openai:latest"),
        "InferenceService/coder",
    ),
    "registries-are-allowed": (
        put(*CONTAINER, "image", value="registry.example/vllm/vllm-openai:v0.33.0"),
        "InferenceService/coder",
    ),
    "releases-are-not-denied": (
        put(*CONTAINER, "image", value="ghcr.io/berriai/litellm:main-v1.82.7"),
        "InferenceService/coder",
    ),
    "releases-have-no-open-holes": (
        put(*CONTAINER, "image", value="vllm/vllm-openai:v0.31.0"),
        "InferenceService/coder",
    ),
    "pods-leave-their-node-alone": (
        both(NO_LEVEL, put(*SERVER, "hostIPC", value=True)),
        "InferenceService/coder",
    ),
    "node-folders-are-read-only": (both(NO_LEVEL, folder), "InferenceService/coder"),
    "pods-are-restricted": (both(NO_LEVEL, drop(*SERVER, "securityContext")), "InferenceService/coder"),
    "pods-pass-their-namespace": (
        drop(*SERVER, "securityContext", "seccompProfile"),
        "InferenceService/coder",
    ),
    "eager-mode-is-off": (with_word("--enforce-eager"), "InferenceService/coder"),
    "deployment-modes-exist": (
        put(
            "InferenceService/coder",
            *("metadata", "annotations", "serving.kserve.io/deploymentMode"),
            value="Standart",
        ),
        "InferenceService/coder",
    ),
    "servers-stay-up": (put(*SERVER, "minReplicas", value=0), "InferenceService/coder"),
    "capabilities-are-not-added": (
        both(NO_LEVEL, put(*CONTAINER, "securityContext", "capabilities", "add", value=["SYS_ADMIN"])),
        "InferenceService/coder",
    ),
    "tolerations-name-their-taint": (
        put(*SERVER, "tolerations", value=[{"operator": "Exists"}]),
        "InferenceService/coder",
    ),
    "certificates-are-checked": (variable("NODE_TLS_REJECT_UNAUTHORIZED", "0"), "InferenceService/coder"),
    "tokens-name-their-audience": (
        put(
            *POLICY,
            "jwt",
            value={"providers": [{"name": "house", "remoteJWKS": {"uri": "https://id.example/keys"}}]},
        ),
        "SecurityPolicy/coding-agents-keys",
    ),
}
