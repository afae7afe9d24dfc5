"""Changes of the compliant program's model, names and agents, for the tests of the policies about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from policy.checks import check_manifests
from policy.packs import serving_models
from tests.policy.programs import Manifest, Manifests, argument, both, put, without

LOADS, SUITS = "release-loads-the-model", "release-suits-the-model"
EXISTS, TEMPLATE = "chat-template-exists", "chat-template-fits-the-model"
HOLDS, FITS = "context-holds-an-agent", "context-fits-the-agents"
MODEL, SPEAKS, PROMISED = (
    "model-suits-the-agents",
    "release-speaks-to-the-agents",
    "promised-agents-are-served",
)
SLASH, ROUTES, NAMES = "served-name-has-no-slash", "routes-ask-for-served-names", "contract-names-are-served"
WEIGHTS, FORMAT = "weights-are-where-kserve-looks", "runtime-takes-the-format"
PROXIES = "proxies-ask-for-served-names"
SESSIONS = "promised-sessions-are-held"
MINE = {policy.name: policy for policy in serving_models.POLICIES}

PREDICTOR = ("server", "spec", "predictor")
IMAGE = (*PREDICTOR, "containers", 0, "image")
DOWNLOAD = (*PREDICTOR, "initContainers", 0, "args", 0)
# What a team calls vLLM's own image of one release: the denied releases go by the published name.
KEPT = "registry.example.com/vllm"
CONTRACT = ("contract", "spec", "directResponse", "body", "inline")
EXAMPLES = "/vllm-workspace/examples"
HERMES, TEMPLATE_OF_GEMMA = (
    f"{EXAMPLES}/tool_chat_template_hermes.jinja",
    f"{EXAMPLES}/tool_chat_template_gemma4.jinja",
)

Change = Callable[[Manifests], None]


def contract(**role: Any) -> Change:
    """Return a change after which the program's contract has the role coder."""
    agents = {"agents": role.pop("agents")} if "agents" in role else {}
    told = {
        "role": "coder",
        "model": "coder",
        "supportedAgents": ["claude"],
        "unsupportedReasons": {},
        **role,
    }
    waits = {"clientTimeoutSeconds": 780, "longestTurnSeconds": 600}
    return put(*CONTRACT, value=json.dumps({"timeouts": waits, "roles": [told], **agents}))


def release(version: str, **model: str) -> Change:
    """Return a change after which the server runs that release, with another checkpoint and parsers."""
    changes = [
        put(*IMAGE, value=f"{KEPT}:v{version}"),
        # options that older releases do not know; the hook gives turns the time that --shutdown-timeout gives
        without("--language-model-only"),
        without("--shutdown-timeout"),
        put(*PREDICTOR, "containers", 0, "lifecycle", value={"preStop": {"sleep": {"seconds": 660}}}),
        put(*PREDICTOR, "terminationGracePeriodSeconds", value=675),
    ]
    if "checkpoint" in model:
        changes.append(put(*DOWNLOAD, value=f"hf://{model['checkpoint']}"))
    if "parser" in model:
        changes.append(argument("--tool-call-parser", model["parser"]))
    if "reasoning" in model:
        changes.append(argument("--reasoning-parser", model["reasoning"]))
    return both(*changes)


GEMMA = both(
    put(*DOWNLOAD, value="hf://google/gemma-4-12B-it"),
    argument("--tool-call-parser", "gemma4"),
    argument("--reasoning-parser", "gemma4"),
)
OLD = both(
    release("0.10.2", checkpoint="Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8"), without("--reasoning-parser")
)
SMALL_CONTEXT = argument("--max-model-len", "32768")


def ai_route(value: Any = "coder", **ref: Any) -> Change:
    """Return a change that leads a route of Envoy AI Gateway to the server, by its name in the header."""
    rule = {
        "matches": [{"headers": [{"type": "Exact", "name": "x-ai-eg-model", "value": value}]}],
        "backendRefs": [{"name": "ours", **ref}],
        "timeouts": {"request": "660s"},
    }
    group = "aigateway.envoyproxy.io/v1alpha1"

    def change(program: Manifests) -> None:
        metadata = {"namespace": "agents"}
        program["ai-route"] = {
            "apiVersion": group,
            "kind": "AIGatewayRoute",
            "metadata": {"name": "ai", **metadata},
            "spec": {"parentRefs": [{"name": "gateway"}], "rules": [rule]},
        }
        program["ai-backend"] = {
            "apiVersion": group,
            "kind": "AIServiceBackend",
            "metadata": {"name": "ours", **metadata},
            "spec": {"schema": {"name": "OpenAI"}, "backendRef": {"kind": "Backend", "name": "ours"}},
        }
        program["ai-host"] = {
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "Backend",
            "metadata": {"name": "ours", **metadata},
            "spec": {"endpoints": [{"fqdn": {"hostname": "coder-predictor.agents.svc", "port": 80}}]},
        }

    return change


def proxy(model: Any, base: str = "http://coder-predictor.agents.svc.cluster.local/v1") -> Change:
    """Return a change after which LiteLLM's configuration asks for that model there."""
    entry = {"model_name": "ours", "litellm_params": {"model": model, "api_base": base}}
    return put(
        "litellm",
        value={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "litellm", "namespace": "agents"},
            "data": {"config.yaml": json.dumps({"model_list": [entry]})},
        },
    )


def model(**fields: Any) -> Change:
    """Return a change after which a runtime of the program serves the model, with these fields beside its own."""

    def change(program: Manifests) -> None:
        predictor = program["server"]["spec"]["predictor"]
        container = predictor.pop("containers")[0]
        predictor.pop("initContainers")
        predictor["model"] = {
            "modelFormat": {"name": "vLLM"},
            "runtime": "ours",
            "storageUri": "hf://Qwen/Qwen3.6-27B-FP8",
            "resources": container["resources"],
            **fields,
        }
        predictor["model"] = {key: value for key, value in predictor["model"].items() if value is not None}
        program["runtime"] = {
            "apiVersion": "serving.kserve.io/v1alpha1",
            "kind": "ServingRuntime",
            "metadata": {"name": "ours", "namespace": "agents"},
            "spec": {
                "supportedModelFormats": [{"name": "vLLM", "autoSelect": True}],
                "containers": [{**container, "resources": {}}],
            },
        }

    return change


SOURCES = {"storageUri": None}
PROMISE = ("server", "metadata", "annotations")
HF = {"uri": "hf://Qwen/Qwen3.6-27B-FP8", "mountPath": "/mnt/models/main"}
DRAFT = {"uri": "hf://Qwen/draft", "mountPath": "/mnt/models/draft"}
NAMED = put("server", "metadata", "annotations", value={"onprem-coding-agents/model": "Qwen/Qwen3.6-27B-FP8"})


def sources(*entries: Any) -> Change:
    """Return a change after which the weights come by `storageUris`, which the annotation names."""
    return both(model(**SOURCES), NAMED, put(*PREDICTOR, "storageUris", value=list(entries)))


def mine(manifests: list[Manifest]) -> list[str]:
    """Return the policies of serving_models that fire, in their order."""
    return [finding.policy for finding in check_manifests(manifests) if finding.policy in MINE]
