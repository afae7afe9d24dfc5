"""Continue CLI: what its object must say of the sample contract and of a machine."""

from __future__ import annotations

from onprem_agents.agents.environment import Environment
from tests.expected_agents import Expected, Fault

_OURS = {
    "name": "On-Prem coder",
    "model": "coder",
    "apiBase": "https://agents.example.internal/v1",
    "apiKey": "${{ secrets.ONPREM_API_KEY }}",
    "defaultCompletionOptions": {"contextLength": 131072, "maxTokens": 16384},
}

EXPECTED = Expected(
    says_version="1.5.47",
    values={
        "name": "On-Prem",
        "version": "1.0.0",
        "schema": "v1",
        "models": [
            {
                "name": "On-Prem coder",
                "provider": "vllm",
                "model": "coder",
                "apiBase": "https://agents.example.internal/v1",
                "apiKey": "${{ secrets.ONPREM_API_KEY }}",
                "roles": ["chat", "edit", "apply"],
                "capabilities": ["tool_use"],
                "defaultCompletionOptions": {"contextLength": 131072, "maxTokens": 16384, "temperature": 0.2},
                "requestOptions": {"extraBodyProperties": {"thinking_token_budget": 2048}},
            },
            {
                "name": "On-Prem fast",
                "provider": "vllm",
                "model": "fast",
                "apiBase": "https://agents.example.internal/v1",
                "apiKey": "${{ secrets.ONPREM_API_KEY }}",
                "roles": ["chat", "edit", "apply"],
                "capabilities": ["tool_use", "image_input"],
                "defaultCompletionOptions": {"contextLength": 65536, "maxTokens": 8192},
            },
        ],
        "cliSelectedModel": "On-Prem coder",
        "autoUpdateCli": False,
    },
    least_context_tokens=32768,
    environment=Environment(
        keys={"ONPREM_API_KEY": "key"},
        values={"CONTINUE_API_BASE": "http://127.0.0.1:9/", "CONTINUE_METRICS_ENABLED": "0"},
    ),
    places={"user": ("home/.continue/config.yaml", "home/.continue/index/globalContext.json")},
    also_written={"user": ("home/.continue/index/globalContext.json",)},
    moved="/moved/config.yaml",
    by_variable=True,
    headless=("p", "-p", "--auto", "do it"),
    faults=(
        Fault(
            path=("models",),
            value=[_OURS | {"apiBase": "https://agents.example.internal"}],
            cause="url-without-v1",
            fix="set models, On-Prem coder, apiBase to https://agents.example.internal/v1",
        ),
        Fault(
            path=("cliSelectedModel",),
            value="On-Prem gone",
            cause="drift",
            fix="run: onprem-agents setup --host agents.example.internal",
        ),
        Fault(
            path=("models",),
            value=[_OURS | {"model": "qwen3"}],
            cause="model",
            fix="set models, On-Prem coder, model to coder",
        ),
        Fault(
            path=("models",),
            value=[_OURS | {"defaultCompletionOptions": {"maxTokens": 8192}}],
            cause="window",
            fix="set models, On-Prem coder, contextLength to 131072",
        ),
        Fault(
            path=("models",),
            value=[_OURS | {"defaultCompletionOptions": {"contextLength": 131072}}],
            cause="output-cap",
            fix="set models, On-Prem coder, maxTokens to 16384",
        ),
        Fault(
            path=("models",),
            value=None,
            cause="not-set-up",
            fix="run: onprem-agents setup --host agents.example.internal",
        ),
    ),
    keyless=({"models": [_OURS | {"apiKey": "${{ secrets.NOBODYS }}"}]}, ("no",)),
    own_keys=(
        ({"models": [{"name": "x", "apiKey": "k"}], "cliSelectedModel": "x"}, ("k", "apiKey")),
        (
            {"models": [{"name": "x", "apiKey": "${{ secrets.MINE }}"}], "cliSelectedModel": "x"},
            ("from-mine", "the variable MINE"),
        ),
        ({"models": "none"}, None),
    ),
    unattended='cn -p --auto "$TASK"',
    looks_for=("api.continue.dev",),
    developer="grace",
)
