"""Clients that are set up by hand: plain variables, and editors' snippets against their published schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from onprem_agents.agents import CLIENTS, Client
from onprem_agents.agents.cn import CN
from onprem_agents.agents.editors import EDITORS
from onprem_agents.agents.plain import PLAIN
from onprem_agents.errors import InvalidInput
from onprem_agents.setup.printed import printed
from tests.unit.contract_samples import CONTRACT, contract, parsed

pytestmark = pytest.mark.unit

_MODEL = {"provider": str, "model": str}
# Keys and kinds, those that are asked for with an exclamation mark, as published on 2026-11-28.
# zed-industries/zed, settings_content: OpenAiCompatibleSettingsContent, agent, edit_predictions, telemetry.
ZED: dict[str, Any] = {
    "language_models": {
        "openai_compatible": {
            "*": {
                "api_url!": str,
                "available_models!": [
                    {
                        "name!": str,
                        "display_name": str,
                        "max_tokens!": int,
                        "max_output_tokens": int,
                        "max_completion_tokens": int,
                        "capabilities": {
                            "tools!": bool,
                            "images!": bool,
                            "parallel_tool_calls!": bool,
                            "prompt_cache_key!": bool,
                            "chat_completions": bool,
                            "interleaved_reasoning": bool,
                            "max_tokens_parameter": bool,
                        },
                    }
                ],
                "custom_headers": {"*": str},
            }
        }
    },
    "agent": {
        "default_model": _MODEL,
        "inline_assistant_model": _MODEL,
        "commit_message_model": _MODEL,
        "thread_summary_model": _MODEL,
        "subagent_model": _MODEL,
    },
    "edit_predictions": {"provider": str},
    "telemetry": {"diagnostics": bool, "metrics": bool},
}
# microsoft/vscode, extensions/copilot/package.json: languageModelChatProviders, customendpoint.
VSCODE: dict[str, Any] = {
    "name!": str,
    "vendor!": str,
    "apiKey": str,
    "apiType": str,
    "models!": [
        {
            "id!": str,
            "name!": str,
            "url!": str,
            "toolCalling!": bool,
            "vision!": bool,
            "maxInputTokens!": int,
            "maxOutputTokens!": int,
            "thinking": bool,
            "streaming": bool,
            "zeroDataRetentionEnabled": bool,
        }
    ],
}
# continuedev/continue, packages/config-yaml, schemas/index.ts and models.ts (of cn 1.5.47).
CONTINUE: dict[str, Any] = {
    "name!": str,
    "version": str,
    "schema": str,
    "models": [
        {
            "name!": str,
            "provider!": str,
            "model!": str,
            "apiKey": str,
            "apiBase": str,
            "roles": [str],
            "capabilities": [str],
            "defaultCompletionOptions": {"contextLength": int, "maxTokens": int, "temperature": float},
            "requestOptions": {
                "extraBodyProperties": {"*": object},
                "caBundlePath": str,
                "headers": {"*": str},
            },
        }
    ],
}
SCHEMAS = {"zed": ZED, "vscode": VSCODE, "vscode-continue": CONTINUE}


def misfits(values: Any, schema: Any, where: str = "") -> list[str]:
    """Return each place where values do not fit: an unknown key, another kind, a key that is missing."""
    if isinstance(schema, type):
        return [] if type(values) is schema or schema is object else [f"{where} is no {schema.__name__}"]
    if isinstance(schema, list):
        if not isinstance(values, list):
            return [f"{where} is no list"]
        return [each for item in values for each in misfits(item, schema[0], f"{where}[]")]
    if not isinstance(values, Mapping):
        return [f"{where} is no table"]
    known = {key.removesuffix("!"): kind for key, kind in schema.items()}
    found = [
        f"{where}.{key[:-1]} is missing" for key in schema if key.endswith("!") and key[:-1] not in values
    ]
    for key, value in values.items():
        kind = known.get(key, known.get("*"))
        found += [f"{where}.{key} is unknown"] if kind is None else misfits(value, kind, f"{where}.{key}")
    return found


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_editors_snippet_fits_its_published_schema(name: str) -> None:
    (client,) = (client for client in EDITORS if client.name == name)
    (file,) = client.files(contract())
    assert misfits(file.values, SCHEMAS[name]) == []
    shown = printed(contract(), client)[0].content
    assert (yaml.safe_load if file.format == "yaml" else json.loads)(shown) == file.values


def test_a_snippet_that_does_not_fit_would_be_seen() -> None:
    wrong = {"vendor": "customendpoint", "models": [{"id": 1, "extra": True}]}
    found = misfits(wrong, VSCODE)
    assert {".name is missing", ".models[].id is no str", ".models[].extra is unknown"} <= set(found)


def test_continue_says_the_same_on_the_command_line_and_in_an_editor() -> None:
    file = CN.files(contract())[0]
    assert misfits(file.values, CONTINUE) == []
    (client,) = (client for client in EDITORS if client.name == "vscode-continue")
    assert client.files(contract())[0].values == file.values


def test_continue_is_told_the_name_of_a_platform_on_this_machine() -> None:
    here = {
        "host": "localhost",
        "baseUrl": "https://localhost:18443/v1",
        "anthropicBaseUrl": "https://localhost:18443",
    }
    values = CN.wanted(parsed(CONTRACT | here), None, "/ca.pem").values
    assert misfits({"name": "x", "models": values["models"]}, CONTINUE) == []
    assert values["models"][0]["requestOptions"] == {
        "extraBodyProperties": {"thinking_token_budget": 2048},
        "headers": {"Host": "localhost:18443"},
    }


@pytest.mark.parametrize("client", EDITORS, ids=[client.name for client in EDITORS])
def test_an_editor_is_told_address_and_model_and_never_a_key(client: Client) -> None:
    (file,) = client.files(contract())
    text = json.dumps(file.values)
    assert "https://agents.example.internal/v1" in text
    assert '"coder"' in text
    assert client.source
    own = client.environment(contract())
    names = (*own.keys, "the key", contract().auth.key_env)
    assert own.keys or any(name in note for note in file.notes for name in names), (
        "it says where the key is from"
    )


def test_a_prompt_and_its_answer_fit_into_the_window_of_vs_code() -> None:
    (client,) = (client for client in EDITORS if client.name == "vscode")
    for model in client.files(contract())[0].values["models"]:
        role = next(role for role in contract().roles if role.model == model["id"])
        assert model["maxInputTokens"] + model["maxOutputTokens"] == role.context_tokens


def test_plain_variables_name_address_and_model_and_take_the_key_from_its_file() -> None:
    openai, anthropic = (client.environment(contract()) for client in PLAIN)
    assert openai.values["OPENAI_BASE_URL"] == "https://agents.example.internal/v1"
    assert anthropic.values["ANTHROPIC_BASE_URL"] == "https://agents.example.internal"
    assert (openai.copies, anthropic.copies) == (
        {"OPENAI_API_KEY": "ONPREM_API_KEY"},
        {"ANTHROPIC_AUTH_TOKEN": "ONPREM_API_KEY"},
    )
    assert anthropic.removed == ("ANTHROPIC_API_KEY",)
    (lines,) = printed(contract(), PLAIN[0], ca_file="/ca.pem")
    assert "export NODE_EXTRA_CA_CERTS=/ca.pem\nexport SSL_CERT_FILE=/ca.pem\n" in lines.content
    assert "a window of 131072 tokens, at most 16384 of output, with tool calling" in lines.content


@pytest.mark.parametrize("client", CLIENTS, ids=[client.name for client in CLIENTS])
def test_a_client_is_printed_whatever_agents_the_model_serves(client: Client) -> None:
    alone = contract("roles", 0, "supportedAgents", value=[])
    assert printed(alone, client)[-1].format == "shell"
    with pytest.raises(InvalidInput):
        printed(alone, CN)
