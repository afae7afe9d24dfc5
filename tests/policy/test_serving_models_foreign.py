"""What others declare of models and agents, and each architecture on either side of its first release."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.programs import Manifest
from tests.policy.serving_changes import (
    EXISTS,
    FITS,
    HERMES,
    HOLDS,
    LOADS,
    MODEL,
    PROXIES,
    SLASH,
    SPEAKS,
    SUITS,
    TEMPLATE,
    mine,
)

pytestmark = pytest.mark.policy

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
    "a Deployment of a release that neither has the model nor a path": (
        _deployment("vllm/vllm-openai:v0.9.2", *QWEN, *TOOLS),
        [LOADS],
    ),
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

    assert mine([manifest]) == expected


# The newest release without the architecture and the next one read with it, by a checkpoint of the catalogue; from the
# registries of the wheels (vllm/model_executor/models/registry.py, read 2026-11-29).
ARCHITECTURES = {
    "deepseek-ai/DeepSeek-V3.2": ("0.10.2", "0.12.0"),
    "deepseek-ai/DeepSeek-V4-Flash": ("0.19.1", "0.20.2"),
    "google/gemma-4-31B-it": ("0.18.1", "0.19.1"),
    "zai-org/GLM-4.7-Flash": ("0.14.1", "0.16.0"),
    "moonshotai/Kimi-K2.5": ("0.14.1", "0.16.0"),
    "MiniMaxAI/MiniMax-M2": ("0.10.2", "0.12.0"),
    "Qwen/Qwen3.5-27B": ("0.16.0", "0.17.1"),
    "Qwen/Qwen3.6-35B-A3B": ("0.16.0", "0.17.1"),
    "Qwen/Qwen3-VL-8B-Instruct": ("0.10.2", "0.12.0"),
    "poolside/Laguna-XS.2": ("0.20.2", "0.22.1"),
}


@pytest.mark.parametrize("checkpoint", ARCHITECTURES)
def test_a_model_is_refused_up_to_the_newest_release_without_its_architecture(checkpoint: str) -> None:
    without_it, with_it = ARCHITECTURES[checkpoint]

    assert LOADS in mine([_deployment(f"vllm/vllm-openai:v{without_it}", "--model", checkpoint)])
    assert LOADS not in mine([_deployment(f"vllm/vllm-openai:v{with_it}", "--model", checkpoint)])


def test_a_proxy_asks_a_deployment_by_the_service_before_it() -> None:
    server = _deployment(OFFICIAL, *QWEN, *TOOLS, "--served-model-name", "qwen")
    server["spec"]["template"]["metadata"] = {"labels": {"app": "qwen"}}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "vllm", "namespace": "llm"},
        "spec": {"selector": {"app": "qwen"}},
    }
    text = "model_list: [{model_name: q, litellm_params: {model: openai/NAME, api_base: 'http://vllm.llm:8000/v1'}}]"
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "litellm", "namespace": "proxies"},
    }

    asking = {
        name: {**config, "data": {"config.yaml": text.replace("NAME", name)}} for name in ("qwen", "qwen3")
    }
    assert mine([server, service, asking["qwen"]]) == []
    assert mine([server, service, asking["qwen3"]]) == [PROXIES]


def test_a_proxy_of_the_program_speaks_anthropics_api_in_place_of_an_old_release() -> None:
    old, _ = FOREIGN["a Deployment before Anthropic's API"]
    proxy = _deployment("ghcr.io/berriai/litellm:v1.80.0", "--config", "/etc/litellm.yaml")

    assert mine([old, {**proxy, "metadata": {"name": "litellm", "namespace": "llm"}}]) == []
