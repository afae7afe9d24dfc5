"""The agents' own files, rendered from one contract: every value that an agent reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from onprem_agents.agents import TARGETS, Target, obstacle
from onprem_agents.agents.ccr import CCR, FLEET, NEWER
from onprem_agents.agents.claude import CLAUDE
from onprem_agents.agents.codex import CODEX
from onprem_agents.agents.litellm import LITELLM
from onprem_agents.agents.opencode import OPENCODE
from onprem_agents.contract.connection import Connection
from onprem_agents.errors import InvalidInput
from onprem_agents.setup.printed import PrintedFile, printed
from tests.unit.contract_samples import CONTRACT, contract, parsed

pytestmark = pytest.mark.unit


def file_of(connection: Connection, target: Target, path: str) -> PrintedFile:
    return next(file for file in printed(connection, target) if file.path_hint == path)


def test_opencode_keeps_the_servers_temperature_when_the_contract_names_none() -> None:
    file = printed(contract("roles", 0, "temperature", value=None), OPENCODE)[0]
    assert "agent" not in json.loads(file.content)


def test_opencode_lists_only_the_models_that_serve_it() -> None:
    config = json.loads(
        printed(contract("roles", 1, "supportedAgents", value=["claude"]), OPENCODE)[0].content
    )
    assert list(config["provider"]["onprem"]["models"]) == ["coder"]
    assert config["small_model"] == "onprem/coder"


def test_claude_code_is_told_of_a_small_model_with_a_smaller_window() -> None:
    file = file_of(contract(), CLAUDE, "~/.claude/settings.json")
    assert "The Haiku slot (fast) has a window of 65536 tokens" in file.notes[1]


def test_claude_code_with_one_role_uses_it_in_every_slot() -> None:
    data = CONTRACT | {"smallRole": "coder", "modelAliases": []}
    env = json.loads(printed(parsed(data), CLAUDE)[0].content)["env"]
    assert env["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "coder"
    assert env["CLAUDE_CODE_MODEL_CAPABILITIES"] == (
        "coder=-mid_conv_system,-mid_conv_tool_change,-effort,-context_management,-adaptive_thinking"
    )


def test_claude_code_names_no_capabilities_where_the_contract_switches_none() -> None:
    connection = contract("roles", 0, "claudeCapabilities", value=[])
    env = json.loads(printed(connection, CLAUDE)[0].content)["env"]
    assert env["CLAUDE_CODE_MODEL_CAPABILITIES"] == "fast=-mid_conv_system"


def test_claude_codes_cap_fits_the_small_model_too() -> None:
    small = contract().to_wire()["roles"][1]
    small |= {"contextTokens": 32768, "maxOutputTokens": 4096, "compactAtTokens": 26214}
    env = json.loads(printed(contract("roles", 1, value=small), CLAUDE)[0].content)["env"]
    assert env["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "8192"  # a quarter of the small window


def test_a_small_model_that_does_not_serve_claude_code_is_not_put_into_its_slot() -> None:
    connection = contract("roles", 1, "supportedAgents", value=["opencode"])
    env = json.loads(printed(connection, CLAUDE)[0].content)["env"]
    assert env["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "coder"


def test_claude_code_router_gets_a_capped_provider_for_each_role_and_takes_nothing_over() -> None:
    file = file_of(contract(), CCR, "~/.config/onprem/ccr/.claude-code-router/config.json")
    cap, budget = ["maxtoken", {"max_tokens": 16384}], {"thinking_token_budget": 2048}
    asked = {
        "api_base_url": "https://agents.example.internal/v1/chat/completions",
        "api_key": "$ONPREM_API_KEY",
    }
    assert json.loads(file.content) == {
        "HOST": "127.0.0.1",
        "PORT": 3456,
        "APIKEY": "$ONPREM_API_KEY",
        "LOG": False,
        "API_TIMEOUT_MS": 1800000,
        "Providers": [
            {
                "name": "coder",
                **asked,
                "models": ["coder"],
                "transformer": {"use": [cap, ["customparams", budget]]},
                "extraBody": budget,
            },
            {"name": "fast", **asked, "models": ["fast"], "transformer": {"use": [cap]}},
        ],
        "Router": {"default": "coder,coder", "background": "fast,fast"},
        "profile": {"enabled": False, "profiles": []},
    }
    starts = [note for note in file.notes if "HOME=~/.config/onprem/ccr" in note]
    assert [note.split(" HOME=")[1].split(maxsplit=1)[1] for note in starts] == [
        "ccr start",
        "ccr serve --no-open",
    ]
    fleet, own = starts
    assert f"{FLEET}, which a fleet runs too, as it keeps nothing" in fleet
    assert f"{NEWER}, for your own machine alone" in own


def test_the_page_of_translations_is_about_the_releases_of_the_router_that_are_run() -> None:
    page = (Path(__file__).parents[2] / "docs" / "translation.md").read_text(encoding="utf-8")
    assert f"## claude-code-router: {FLEET} or {NEWER}\n" in page
    assert f"\n| | {FLEET} | {NEWER} |\n" in page


def test_litellm_gets_hosted_vllm_routes_and_claude_code_its_address() -> None:
    proxy = file_of(contract(), LITELLM, "~/.config/onprem/litellm.yaml")
    assert yaml.safe_load(proxy.content) == {
        "model_list": [
            _litellm_route("coder", 131072, 16384, vision=False, extra_body={"thinking_token_budget": 2048}),
            _litellm_route("fast", 65536, 8192, vision=True),
        ],
        "litellm_settings": {"drop_params": True, "telemetry": False, "request_timeout": 1800},
        "router_settings": {"disable_cooldowns": True, "num_retries": 0},
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
    }
    assert proxy.notes == (
        "Start with: litellm --config ~/.config/onprem/litellm.yaml --host 127.0.0.1 --port 4000",
    )
    settings = file_of(contract(), LITELLM, "~/.claude/settings.json")
    assert json.loads(settings.content)["env"]["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:4000"


def _litellm_route(
    name: str, context_tokens: int, output_tokens: int, *, vision: bool, **thinking: Any
) -> dict[str, Any]:
    return {
        "model_name": name,
        "litellm_params": {
            "model": f"hosted_vllm/{name}",
            "api_base": "https://agents.example.internal/v1",
            "api_key": "os.environ/ONPREM_API_KEY",
            "timeout": 1800,
            "stream_timeout": 900,
            **thinking,
        },
        "model_info": {
            "mode": "chat",
            "max_input_tokens": context_tokens,
            "max_output_tokens": output_tokens,
            "supports_function_calling": True,
            "supports_vision": vision,
        },
    }


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_rendering_gives_the_same_text_each_time(target: Target) -> None:
    assert printed(contract(), target) == printed(contract(), target)


def test_a_model_that_codex_cannot_use_is_refused_with_the_contracts_reason() -> None:
    wire = contract().to_wire()["roles"][0]
    wire |= {
        "modelId": "openai/gpt-oss-120b",
        "supportedAgents": ["opencode", "claude"],
        "unsupportedReasons": {"codex": "its tool calls are lost in the Responses API"},
    }
    connection = contract("roles", 0, value=wire)
    with pytest.raises(InvalidInput) as caught:
        printed(connection, CODEX)
    (problem,) = caught.value.problems
    assert problem.found == "role coder serves openai/gpt-oss-120b"
    assert problem.why == "its tool calls are lost in the Responses API"
    assert obstacle(connection, CLAUDE) is None


@pytest.mark.parametrize("target", [CLAUDE, CCR, LITELLM], ids=lambda target: target.name)
def test_the_proxies_are_refused_wherever_claude_code_is(target: Target) -> None:
    connection = contract("roles", 0, "supportedAgents", value=["opencode", "codex"])
    assert obstacle(connection, target) == "the contract does not list claude for this role"


def test_a_contract_that_promises_too_much_does_not_get_a_looping_agent() -> None:
    wire = contract().to_wire()["roles"][0]
    wire |= {"contextTokens": 32768, "maxOutputTokens": 4096, "compactAtTokens": 26214}
    with pytest.raises(InvalidInput, match="compact at 15672 tokens"):
        printed(contract("roles", 0, value=wire), CLAUDE)
