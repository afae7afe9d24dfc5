"""What a server's model and its agents ask of it: one change, one policy; harmless neighbours; foreign styles."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from policy.checks import check_manifests, graph_of
from policy.graph import UNKNOWN
from policy.packs import serving_models
from tests.policy.programs import ARGS, Manifest, Manifests, argument, bent, both, put, without

pytestmark = pytest.mark.policy

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
    changes = [put(*IMAGE, value=f"{KEPT}:v{version}"), without("--language-model-only")]
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


MUTATIONS: dict[str, tuple[Change, str, str]] = {
    # change, the one policy that fires, a part of its message
    "a model newer than the release": (release("0.16.0"), LOADS, "no Qwen3_5ForConditionalGeneration"),
    "a model newer than a mirror's release": (
        both(release("0.14.1"), put(*IMAGE, value="registry.example.com/mirror/vllm/vllm:v0.14.1")),
        LOADS,
        "Take vLLM 0.17.1 or newer: platform.serving.vllm",
    ),
    "a checkpoint of a later release": (
        release("0.22.1", checkpoint="nvidia/Qwen3.6-27B-NVFP4"),
        SUITS,
        "known to be served from 0.28.0 on",
    ),
    "a template that the image does not hold": (
        argument("--chat-template", f"{EXAMPLES}/tool_chat_template_qwen3.jinja"),
        EXISTS,
        "tool_chat_template_qwen3coder.jinja",
    ),
    "a template that came later": (
        both(
            release("0.19.1"), argument("--chat-template", "examples/tool_chat_template_muse_glimmer.jinja")
        ),
        EXISTS,
        "vLLM's image of 0.19.1 does not hold",
    ),
    "a template of another family": (
        argument("--chat-template", HERMES),
        TEMPLATE,
        "Leave out --chat-template",
    ),
    "no template where one is known to be needed": (
        GEMMA,
        TEMPLATE,
        f"Set --chat-template to {TEMPLATE_OF_GEMMA}",
    ),
    "a template of another generation": (
        both(GEMMA, argument("--chat-template", f"{EXAMPLES}/tool_chat_template_gemma3_pythonic.jinja")),
        TEMPLATE,
        "tool_chat_template_gemma4.jinja",
    ),
    "no room for any agent": (argument("--max-model-len", "4096"), HOLDS, "even aider needs 9142"),
    "a model's own window without room": (
        both(
            put(*DOWNLOAD, value="hf://google/gemma-2-9b-it"),
            put("server", "metadata", "labels", "onprem-coding-agents/role", value="coder"),
            argument("--tool-call-parser", "hermes"),
            argument("--tool-parser-plugin", "/plugins/ours.py"),
            without("--max-model-len"),
            without("--reasoning-parser"),
        ),
        HOLDS,
        "serves a context of 8192 tokens",
    ),
    "no room for some agents": (
        SMALL_CONTEXT,
        FITS,
        "too small for Claude Code (needs 42285), Qwen Code (needs 61000)",
    ),
    "no room for one agent": (argument("--max-model-len", "49152"), FITS, "too small for Qwen Code"),
    "an agent that the model is known to fail with": (
        both(
            put(*DOWNLOAD, value="hf://openai/gpt-oss-20b"),
            argument("--tool-call-parser", "openai"),
            argument("--reasoning-parser", "openai_gptoss"),
        ),
        MODEL,
        "serves gpt-oss-20b, which does not work with Codex CLI",
    ),
    "a model without a parser for its calls": (
        both(
            put(*DOWNLOAD, value="hf://deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"),
            argument("--tool-call-parser", "hermes"),
            argument("--reasoning-parser", "deepseek_r1"),
        ),
        MODEL,
        "does not work with any coding agent: vLLM has no parser for its tool calls",
    ),
    "a release without Anthropic's API": (
        OLD,
        SPEAKS,
        "has no /v1/messages: 404 for Claude Code",
    ),
    "a promise beyond the window": (
        both(contract(agents=["claude"]), SMALL_CONTEXT),
        PROMISED,
        "its context of 32768 tokens is too small for Claude Code (needs 42285)",
    ),
    "a promise beyond the release": (
        both(contract(supportedAgents=["claude", "codex"]), OLD),
        PROMISED,
        "vLLM 0.10.2 has no /v1/messages for Claude Code",
    ),
    "names with a slash alone": (
        argument("--served-model-name", "agents/coder"),
        SLASH,
        "--served-model-name",
    ),
    "a route that asks for another name": (ai_route("qwen"), ROUTES, "asks ours for qwen"),
    "a backend that is asked by another name": (
        ai_route("coder", modelNameOverride="qwen"),
        ROUTES,
        "answers to coder alone",
    ),
    "a contract of a name that nothing serves": (
        both(contract(model="planner")),
        NAMES,
        "tells clients of a model planner (role coder)",
    ),
    "several sources in the model": (
        both(model(**SOURCES, storageUris=[HF]), NAMED),
        WEIGHTS,
        "Move it up to spec.predictor.storageUris",
    ),
    "one source beside the model": (
        both(model(**SOURCES), NAMED, put(*PREDICTOR, "storageUri", value="hf://Qwen/Qwen3.6-27B-FP8")),
        WEIGHTS,
        "Move it to spec.predictor.model.storageUri",
    ),
    "one source and several": (
        both(model(), put(*PREDICTOR, "storageUris", value=[HF])),
        WEIGHTS,
        "refuses the two together",
    ),
    "a path that is not absolute": (sources({**HF, "mountPath": "models"}), WEIGHTS, "takes absolute paths"),
    "paths without a folder in common": (
        sources(HF, {**DRAFT, "mountPath": "/draft"}),
        WEIGHTS,
        "no folder in common",
    ),
    "a format that the runtime does not list": (
        model(modelFormat={"name": "huggingface"}),
        FORMAT,
        "to vLLM, or add huggingface to the runtime's",
    ),
    "more sessions than the cache holds": (
        put(*PROMISE, value={"onprem-coding-agents/sessions": "16"}),
        SESSIONS,
        "promised to hold 16 sessions of 131072 tokens",
    ),
}

_ADVISORY = {SESSIONS, SUITS, TEMPLATE, FITS, MODEL, SPEAKS, SLASH, NAMES, FORMAT}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_change_makes_exactly_one_policy_fire_and_it_says_what_to_change(name: str) -> None:
    change, policy, part = MUTATIONS[name]

    findings = check_manifests(bent(change))

    assert [finding.policy for finding in findings] == [policy], "\n".join(f.told for f in findings)
    assert part in findings[0].told
    assert findings[0].told.startswith(findings[0].resource), "a message is a sentence about its object"
    assert findings[0].change, "what to change stands apart"
    assert findings[0].level == ("advisory" if policy in _ADVISORY else "mandatory")


def _mine(manifests: list[Manifest]) -> list[str]:
    return [finding.policy for finding in check_manifests(manifests) if finding.policy in MINE]


FINE = both(contract(supportedAgents=[], unsupportedReasons={"claude": "too small"}))
HARMLESS: dict[str, Change] = {
    "the oldest release that has the architecture": release("0.17.1"),
    "a newer vLLM that the command installs": both(
        put(*IMAGE, value=f"{KEPT}:v0.16.0"),
        put(
            *PREDICTOR,
            "containers",
            0,
            "command",
            value=["sh", "-c", "pip install -U vllm && vllm serve $@", "-"],
        ),
    ),
    "an image whose release nothing tells": put(*IMAGE, value="vllm/vllm-openai:latest"),
    "a template of its own family": argument(
        "--chat-template", f"{EXAMPLES}/tool_chat_template_qwen3coder.jinja"
    ),
    "a template of one's own": argument("--chat-template", "/templates/qwen.jinja"),
    "a template of one's own for a model of vLLM's": both(
        GEMMA, argument("--chat-template", "/t/gemma.jinja")
    ),
    "the template that is known to work": both(GEMMA, argument("--chat-template", TEMPLATE_OF_GEMMA)),
    "its path from the folder where the image starts": both(
        GEMMA, argument("--chat-template", "examples/tool_chat_template_gemma4.jinja")
    ),
    "a mounted template in the image's folder": both(
        argument("--chat-template", f"{EXAMPLES}/ours.jinja"),
        put(
            *PREDICTOR,
            "containers",
            0,
            "volumeMounts",
            value=[{"name": "model", "mountPath": "/mnt/models"}, {"name": "t", "mountPath": EXAMPLES}],
        ),
    ),
    "a template of another maker's image": both(
        put(*IMAGE, value="registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.3.0"),
        argument("--chat-template", f"{EXAMPLES}/ours.jinja"),
    ),
    "a window just large enough for all": argument("--max-model-len", "61000"),
    "a window that the GPU decides": argument("--max-model-len", "auto"),
    "the model's own window": without("--max-model-len"),
    "a small window of a role that no agent is promised": both(FINE, argument("--max-model-len", "8192")),
    "a lost agent of whom the contract tells": both(
        contract(
            supportedAgents=["codex"],
            unsupportedReasons={"claude": "a context of 32768 is too small", "qwen": "the same"},
        ),
        SMALL_CONTEXT,
    ),
    "a lost agent that nobody uses": both(
        contract(supportedAgents=["codex"], agents=["codex"]), SMALL_CONTEXT
    ),
    "a small window that no agent talks to": both(
        put("server", "metadata", "labels", "onprem-coding-agents/agents", value="false"),
        argument("--max-model-len", "4096"),
    ),
    "an agent that fails and whom the contract leaves out": both(
        put(*DOWNLOAD, value="hf://openai/gpt-oss-20b"),
        argument("--tool-call-parser", "openai"),
        argument("--reasoning-parser", "openai_gptoss"),
        contract(supportedAgents=["claude"], unsupportedReasons={"codex": "it loops"}),
    ),
    "a promise that is kept": contract(supportedAgents=["claude", "codex", "opencode"]),
    "several names, one of them plain": argument("--served-model-name", "coder", "agents/coder"),
    "no name of its own": without("--served-model-name"),
    "a route that asks for the served name": ai_route(),
    "a backend that turns the name into the served one": ai_route("claude-opus", modelNameOverride="coder"),
    "a route whose names are adapters": both(
        ai_route("qwen"), argument("--lora-modules", "qwen=/adapters/qwen")
    ),
    "a contract of the served name": contract(),
    "several sources beside the model": sources(HF, DRAFT),
    "weights and a draft, one on a claim": sources(HF, {"uri": "pvc://drafts/qwen", "mountPath": "/draft"}),
    "as many sessions as the cache holds": put(*PROMISE, value={"onprem-coding-agents/sessions": "4"}),
    "no number of sessions": put(*PROMISE, value={"onprem-coding-agents/sessions": "many"}),
    "one source in the model": model(),
    "one source in the model, and the like in odd places": both(
        model(storageUris=[HF]), put(*PREDICTOR, "storageUri", value="hf://Qwen/Qwen3.6-27B-FP8")
    ),
    "a source in an odd place, and a model that vLLM fetches": both(
        model(**SOURCES, storageUris=[HF], args=["--model", "Qwen/Qwen3.6-27B-FP8"]),
        put("runtime", "spec", "containers", 0, "args", value=[]),
        put(
            "server", "spec", "predictor", "model", "args", value=["--model=Qwen/Qwen3.6-27B-FP8", *ARGS[1:]]
        ),
    ),
    "a route to a namesake in another namespace": both(
        ai_route("qwen"),
        put("ai-host", "spec", "endpoints", 0, "fqdn", "hostname", value="coder-predictor.others.svc"),
    ),
    "a format that the runtime lists among others": both(
        model(),
        put("runtime", "spec", "supportedModelFormats", value=[{"name": "onnx"}, {"name": "vLLM"}]),
    ),
    "a classifier with sources in odd places": put(
        "other",
        value={
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "iris", "namespace": "ml"},
            "spec": {
                "predictor": {
                    "storageUri": "gs://a",
                    "model": {"modelFormat": {"name": "sklearn"}, "storageUris": [{"uri": "gs://a"}]},
                }
            },
        },
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_harms_nobody_is_left_alone(name: str) -> None:
    assert _mine(bent(HARMLESS[name])) == []


@pytest.mark.parametrize(
    "change",
    [
        put(*IMAGE, value="quay.io/ascend/vllm-ascend:v0.16.0"),
        both(release("0.16.0"), argument("--model-impl", "transformers")),
    ],
    ids=["the image of another maker", "the code of Transformers"],
)
def test_where_an_older_release_may_have_been_given_the_model_it_is_only_advised_against(
    change: Change,
) -> None:
    assert _mine(bent(change)) == [SUITS]


LATER: dict[str, tuple[Change, list[str]]] = {
    # change with a value that is only known at run time, and what of this module still fires
    "the image": (put(*IMAGE, value=UNKNOWN), []),
    "the model": (put(*DOWNLOAD, value=UNKNOWN), []),
    "the window, which the memory's rule refuses": (argument("--max-model-len", UNKNOWN), []),
    "the template": (both(GEMMA, argument("--chat-template", UNKNOWN)), []),
    "the template's path within the image": (
        argument("--chat-template", f"{EXAMPLES}/$(TEMPLATE).jinja"),
        [],
    ),
    "a place where the template may be mounted": (
        both(
            argument("--chat-template", f"{EXAMPLES}/ours.jinja"),
            put(*PREDICTOR, "containers", 0, "volumeMounts", value=[{"name": "t", "mountPath": UNKNOWN}]),
        ),
        [],
    ),
    "the served name": (both(ai_route("qwen"), contract(), argument("--served-model-name", UNKNOWN)), []),
    "the name that a route asks for": (ai_route(UNKNOWN), []),
    "the host behind a route": (
        both(ai_route("qwen"), put("ai-host", "spec", "endpoints", 0, "fqdn", "hostname", value=UNKNOWN)),
        [],
    ),
    "the override of a backend": (ai_route("qwen", modelNameOverride=UNKNOWN), []),
    "the contract": (both(put(*CONTRACT, value=UNKNOWN), SMALL_CONTEXT), [FITS]),
    "sources in the wrong place": (both(model(**SOURCES, storageUris=UNKNOWN), NAMED), [WEIGHTS]),
    "one source beside the model": (
        both(model(**SOURCES), NAMED, put(*PREDICTOR, "storageUri", value=UNKNOWN)),
        [WEIGHTS],
    ),
    "both sources": (
        both(model(storageUri=UNKNOWN), NAMED, put(*PREDICTOR, "storageUris", value=UNKNOWN)),
        [WEIGHTS],
    ),
    "the sessions": (put(*PROMISE, value={"onprem-coding-agents/sessions": UNKNOWN}), []),
    "the replicas": (
        both(
            put(*PROMISE, value={"onprem-coding-agents/sessions": "40"}),
            put(*PREDICTOR, "minReplicas", value=UNKNOWN),
        ),
        [],
    ),
    "a path of a source": (sources(HF, {**DRAFT, "mountPath": UNKNOWN}), []),
    "the runtime": (model(modelFormat={"name": "huggingface"}, runtime=UNKNOWN), []),
    "the format": (model(modelFormat={"name": UNKNOWN}), []),
    "the formats of the runtime": (
        both(
            model(modelFormat={"name": "huggingface"}),
            put("runtime", "spec", "supportedModelFormats", value=[{"name": UNKNOWN}]),
        ),
        [],
    ),
}


@pytest.mark.parametrize("name", LATER)
def test_what_is_only_known_at_run_time_proves_no_advice_and_excuses_no_misplaced_field(name: str) -> None:
    change, fired = LATER[name]

    assert _mine(bent(change)) == fired


QWEN = ["--model", "Qwen/Qwen3.6-27B-FP8", "--tool-call-parser", "qwen3_coder", "--reasoning-parser", "qwen3"]
TOOLS = ["--enable-auto-tool-choice", "--max-model-len", "131072"]


def _deployment(image: str, *args: str) -> Manifest:
    container = {
        "name": "vllm",
        "image": image,
        "args": list(args),
        "resources": {"limits": {"nvidia.com/gpu": "2"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "qwen", "namespace": "llm"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def _llm_service(image: str, arguments: str, **fields: Any) -> Manifest:
    container = {
        "name": "main",
        "image": image,
        "env": [{"name": "VLLM_ADDITIONAL_ARGS", "value": arguments}],
    }
    return {
        "apiVersion": "serving.kserve.io/v1alpha2",
        "kind": "LLMInferenceService",
        "metadata": {"name": "qwen", "namespace": "llm"},
        "spec": {
            "model": {"uri": "hf://Qwen/Qwen3.6-27B-FP8", "name": "qwen", **fields},
            "template": {"containers": [container]},
        },
    }


OFFICIAL, OLDER = "vllm/vllm-openai:v0.33.0", "vllm/vllm-openai:v0.14.1"
ON = " ".join([*QWEN[2:], *TOOLS])
FOREIGN: dict[str, tuple[Manifest, list[str]]] = {
    "a Deployment that is fine": (_deployment(OFFICIAL, *QWEN, *TOOLS), []),
    "a Deployment of an older release": (_deployment(OLDER, *QWEN, *TOOLS), [LOADS]),
    "a Deployment of a vendor's older release": (
        _deployment("registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.2.5", *QWEN, *TOOLS),
        [SUITS],
    ),
    "a Deployment of KServe's image with the wheel of an older release": (
        _deployment("kserve/huggingfaceserver:v0.17.0", "--model_id=Qwen/Qwen3.6-27B-FP8", *QWEN[2:], *TOOLS),
        [LOADS],
    ),
    "a Deployment of an older release over several stages": (
        _deployment(OLDER, *QWEN, *TOOLS, "--pipeline-parallel-size", "2"),
        [LOADS],
    ),
    "a Deployment before Anthropic's API": (
        _deployment(
            "vllm/vllm-openai:v0.10.2",
            *("--model", "Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8", "--tool-call-parser", "qwen3_coder"),
            *TOOLS,
        ),
        [SPEAKS],
    ),
    "a Deployment with a small window": (
        _deployment(OFFICIAL, *QWEN, *TOOLS, "--max-model-len", "16384"),
        [FITS],
    ),
    "a Deployment with next to none": (
        _deployment(OFFICIAL, *QWEN, *TOOLS, "--max-model-len", "8192"),
        [HOLDS],
    ),
    "a Deployment with a mistyped template": (
        _deployment(
            OFFICIAL, *QWEN, *TOOLS, "--chat-template", "examples/tool_chat_template_qwen3_coder.jinja"
        ),
        [EXISTS],
    ),
    "a Deployment with the template of an older how-to": (
        _deployment(OFFICIAL, *QWEN, *TOOLS, "--chat-template", HERMES),
        [TEMPLATE],
    ),
    "a Deployment of Llama without a template": (
        _deployment(
            OFFICIAL,
            *("--model", "meta-llama/Llama-3.1-8B-Instruct", "--tool-call-parser", "llama3_json"),
            *TOOLS,
        ),
        [TEMPLATE],
    ),
    "a Deployment of gpt-oss": (
        _deployment(
            OFFICIAL,
            *(
                "--model",
                "openai/gpt-oss-120b",
                "--tool-call-parser",
                "openai",
                "--reasoning-parser",
                "openai_gptoss",
            ),
            *TOOLS,
        ),
        [MODEL],
    ),
    "a Deployment that answers to a name of Hugging Face": (
        _deployment(OFFICIAL, *QWEN, *TOOLS, "--served-model-name", "Qwen/Qwen3.6-27B"),
        [SLASH],
    ),
    "an LLMInferenceService that is fine": (_llm_service(OFFICIAL, ON), []),
    "an LLMInferenceService of an older release": (_llm_service(OLDER, ON), [LOADS]),
    "an LLMInferenceService with a small window": (
        _llm_service(OFFICIAL, f"{ON} --max-model-len 24576"),
        [FITS],
    ),
    "an LLMInferenceService named by its repository": (
        _llm_service(OFFICIAL, ON, name="Qwen/Qwen3.6-27B-FP8"),
        [SLASH],
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_others_declare_is_judged_alike(name: str) -> None:
    manifest, expected = FOREIGN[name]

    assert _mine([manifest]) == expected


def test_a_proxy_of_the_program_speaks_anthropics_api_in_place_of_an_old_release() -> None:
    old, _ = FOREIGN["a Deployment before Anthropic's API"]
    proxy = _deployment("ghcr.io/berriai/litellm:v1.80.0", "--config", "/etc/litellm.yaml")

    assert _mine([old, {**proxy, "metadata": {"name": "litellm", "namespace": "llm"}}]) == []


def test_sessions_are_held_by_all_replicas_together() -> None:
    # each replica of the compliant program holds 5 sessions of 131072 tokens
    two = put(*PREDICTOR, "minReplicas", value=2)

    assert _mine(bent(both(put(*PROMISE, value={"onprem-coding-agents/sessions": 10}), two))) == []
    assert _mine(bent(both(put(*PROMISE, value={"onprem-coding-agents/sessions": 11}), two))) == [SESSIONS]


def test_a_company_asks_for_a_larger_window_by_a_setting() -> None:
    policy = MINE[HOLDS]
    graph = graph_of(bent(argument("--max-model-len", "65536")))

    assert policy.find(graph) == []
    (found,) = policy.find(graph, {"minimumContextTokens": 131_072})
    assert "below the 131072 that this policy is configured to ask for" in found.message
    # a setting below what any agent needs changes nothing: the window of 4096 is refused all the same
    small = graph_of(bent(argument("--max-model-len", "4096")))
    assert len(policy.find(small, {"minimumContextTokens": 1024})) == 1
