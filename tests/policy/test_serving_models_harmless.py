"""Harmless neighbours of what the policies about models and agents refuse, and values known at run time."""

from __future__ import annotations

import pytest

from policy.graph import UNKNOWN
from tests.policy.programs import ARGS, argument, bent, both, put, without
from tests.policy.serving_changes import (
    CONTRACT,
    DOWNLOAD,
    DRAFT,
    EXAMPLES,
    FITS,
    GEMMA,
    HF,
    IMAGE,
    KEPT,
    NAMED,
    PREDICTOR,
    PROMISE,
    SMALL_CONTEXT,
    SOURCES,
    SUITS,
    TEMPLATE_OF_GEMMA,
    WEIGHTS,
    Change,
    ai_route,
    contract,
    mine,
    model,
    proxy,
    release,
    sources,
)

pytestmark = pytest.mark.policy

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
    "a proxy that asks for the served name": proxy("hosted_vllm/coder"),
    "a proxy that asks by another wire": proxy("openai/responses/coder"),
    "a proxy that hands any name on": proxy("hosted_vllm/*"),
    "a proxy whose name is in a variable": proxy("os.environ/MODEL"),
    "a proxy that asks a namesake in another namespace": proxy(
        "openai/x", "http://coder-predictor.others.svc/v1"
    ),
    "a proxy that asks a server elsewhere": proxy("openai/qwen", "https://models.example.internal/v1"),
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
    assert mine(bent(HARMLESS[name])) == []


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
    assert mine(bent(change)) == [SUITS]


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
    "the served name that a proxy asks for": (
        both(proxy("hosted_vllm/qwen"), argument("--served-model-name", UNKNOWN)),
        [],
    ),
    "the configuration of a proxy": (
        both(proxy("hosted_vllm/qwen"), put("litellm", "data", "config.yaml", value=UNKNOWN)),
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
    "a model beside several sources": (
        both(put(*PREDICTOR, "model", value=UNKNOWN), put(*PREDICTOR, "storageUris", value=[HF])),
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

    assert mine(bent(change)) == fired
