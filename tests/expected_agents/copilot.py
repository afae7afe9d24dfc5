"""GitHub Copilot CLI: what its object must say of the sample contract and of a machine."""

from __future__ import annotations

from onprem_agents.agents.environment import Environment
from tests.expected_agents import Expected, Fault

EXPECTED = Expected(
    says_version="GitHub Copilot CLI 1.0.102.",
    values={"autoUpdate": False},
    least_context_tokens=32768,
    environment=Environment(
        values={
            "COPILOT_PROVIDER_BASE_URL": "https://agents.example.internal/v1",
            "COPILOT_PROVIDER_TYPE": "openai",
            "COPILOT_PROVIDER_WIRE_API": "completions",
            "COPILOT_PROVIDER_TRANSPORT": "http",
            "COPILOT_PROVIDER_API_KEY_COMMAND": "cat ~/.config/onprem/key",
            "COPILOT_PROVIDER_BEARER_TOKEN": "",
            "COPILOT_PROVIDER_HEADERS": "",
            "COPILOT_MODEL": "coder",
            "COPILOT_PROVIDER_MODEL_ID": "coder",
            "COPILOT_PROVIDER_WIRE_MODEL": "coder",
            "COPILOT_PROVIDER_MAX_PROMPT_TOKENS": "114688",
            "COPILOT_PROVIDER_MAX_OUTPUT_TOKENS": "16384",
            "COPILOT_OFFLINE": "true",
            "COPILOT_AUTO_UPDATE": "false",
        }
    ),
    places={"user": ("home/.copilot/settings.json",)},
    moved="/moved/settings.json",
    headless=("p", "-p", "do it", "--allow-all-tools", "--no-color"),
    faults=(
        Fault(
            path=("COPILOT_PROVIDER_BASE_URL",),
            value="https://agents.example.internal",
            cause="url-without-v1",
            fix="set COPILOT_PROVIDER_BASE_URL to https://agents.example.internal/v1",
        ),
        Fault(
            path=("COPILOT_PROVIDER_BASE_URL",),
            value="",
            cause="not-set-up",
            fix="run: onprem-agents setup --host agents.example.internal",
        ),
        Fault(path=("COPILOT_MODEL",), value="gpt-6-sol", cause="model", fix="set COPILOT_MODEL to coder"),
        Fault(
            path=("COPILOT_PROVIDER_WIRE_MODEL",),
            value="Qwen/Qwen3.6-27B",
            cause="model",
            fix="set COPILOT_PROVIDER_WIRE_MODEL to coder",
        ),
        Fault(
            path=("COPILOT_PROVIDER_MAX_PROMPT_TOKENS",),
            value="131072",
            cause="window",
            fix="set COPILOT_PROVIDER_MAX_PROMPT_TOKENS to 114688",
        ),
        Fault(
            path=("COPILOT_PROVIDER_MAX_OUTPUT_TOKENS",),
            value="64000",
            cause="output-cap",
            fix="set COPILOT_PROVIDER_MAX_OUTPUT_TOKENS to 16384",
        ),
        Fault(
            path=("COPILOT_OFFLINE",),
            value="",
            cause="reaches-outside",
            fix="run: onprem-agents setup --host agents.example.internal, then start a new shell",
        ),
    ),
    keyless=({"COPILOT_PROVIDER_API_KEY_COMMAND": ""}, ("no",)),
    own_keys=(({}, None),),
    unattended='copilot -p "$TASK" --allow-all-tools --no-color',
    developer="ivan",
)
