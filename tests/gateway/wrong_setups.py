"""Wrong set-ups: what is broken of what `onprem-agents setup` wrote, and what `onprem-agents doctor` must say to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.expected_agents import EXPECTED

FILES = {name: expected.places["user"][0].removeprefix("home/") for name, expected in EXPECTED.items()}
SHELL_LINES = ".config/onprem/env.sh"
# Where each agent's address stands; Copilot's is in its environment.
ADDRESSES = FILES | {"copilot": SHELL_LINES}
# They get their key from a variable that a new shell fills from the key file.
BY_VARIABLE = tuple(name for name, expected in EXPECTED.items() if expected.by_variable)
# On Node.js and told of a CA by NODE_EXTRA_CA_CERTS alone; the others go on with SSL_CERT_FILE (run 2026-11-28).
NODE_ALONE = ("qwen", "pi", "cn")
# Told of a CA by other variables than NODE_EXTRA_CA_CERTS.
NO_NODE = ("codex", "aider", "goose")
# What they send as limit of the answer is in no file that setup writes.
WITHOUT_CAP = ("codex", "cline", "aider")
OF_MACHINE = (
    "drift",
    *(probe for agent in FILES for probe in (agent, f"{agent} configuration")),
)
REACH = ("dns", "connection", "tls")
TRUST = tuple(f"{agent} certificate" for agent in FILES)
STRANGERS = ("no key", "wrong key")
ANSWERS = (
    *("chat", "tool call", "streaming", "streamed tool call", "parallel tool calls", "reasoning"),
    *("messages", "messages tool call", "count_tokens", "responses", "namespace tools"),
    *("thinking", "thinking off", "thinking budget", "messages thinking", "responses thinking"),
    *("long body", "context"),
)
NEW_KEY = (
    "ask your platform team for your own key, it is shown once when it is made; then: onprem-agents setup"
)
# What the how-to that many start from says for each agent (2026), at this gateway's address.
DATED_CODEX = """model = "qwen-2"
model_provider = "onprem"

[model_providers.onprem]
name = "On-Prem"
base_url = "https://{place}/v1"
env_key = "ONPREM_API_KEY"
wire_api = "chat"
"""
DATED_OPENCODE: dict[str, Any] = {
    "provider": {
        "onprem": {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": "https://{place}/v1", "apiKey": "{env:ONPREM_API_KEY}"},
            "models": {"qwen-2": {"name": "Qwen2.5-Coder (on-prem)"}},
        }
    }
}
DATED_CLAUDE = {
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:4000",
    "ANTHROPIC_AUTH_TOKEN": "not_set",
    "ANTHROPIC_API_KEY": "not_set_either!",
    "ANTHROPIC_MODEL": "qwen-2",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "64000",
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is broken, and what the doctor must say: (probe, cause) to the beginning of the fix.

    `breaks` are (agent or file, text, text instead); `{place}` stands for the gateway's host and port.
    """

    breaks: tuple[tuple[str, str, str], ...]
    said: Mapping[tuple[str, str], str]
    variables: Mapping[str, str] = field(default_factory=dict)


def of(agent: str) -> str:
    return f"{agent} configuration"


FAULTS = {
    "Codex with wire_api chat": Fault(
        breaks=(("codex", 'wire_api = "responses"', 'wire_api = "chat"'),),
        said={(of("codex"), "wire-api-chat"): 'set model_providers.onprem.wire_api = "responses"'},
    ),
    "/v1 missing for opencode and Codex, and in Claude Code's address": Fault(
        breaks=(
            ("opencode", "https://{place}/v1", "https://{place}"),
            ("codex", "https://{place}/v1", "https://{place}"),
            ("claude", "https://{place}", "https://{place}/v1"),
        ),
        said={
            (of("opencode"), "url-without-v1"): ("set provider.onprem.options.baseURL to https://{place}/v1"),
            (of("codex"), "url-without-v1"): "set model_providers.onprem.base_url to https://{place}/v1",
            (of("claude"), "url-with-v1"): "set ANTHROPIC_BASE_URL to https://{place}",
        },
    ),
    "the repository's name for the model instead of the served one": Fault(
        breaks=(
            ("opencode", '"model": "onprem/coder"', '"model": "onprem/Qwen/Qwen3.6-27B-FP8"'),
            ("codex", 'model = "coder"', 'model = "Qwen/Qwen3.6-27B-FP8"'),
            ("claude", '"ANTHROPIC_MODEL": "coder"', '"ANTHROPIC_MODEL": "Qwen/Qwen3.6-27B-FP8"'),
        ),
        said={
            (of("opencode"), "model"): "set model to onprem/coder: the served name",
            (of("codex"), "model"): "set model to coder: the served name",
            (of("claude"), "model"): "set ANTHROPIC_MODEL to coder: the served name",
        },
    ),
    "an output cap above the window, and one that leaves no room in it": Fault(
        breaks=(
            ("opencode", '"output": 8192', '"output": 100000'),
            ("claude", '"CLAUDE_CODE_MAX_OUTPUT_TOKENS": "8192"', '"CLAUDE_CODE_MAX_OUTPUT_TOKENS": "64000"'),
        ),
        said={
            (of("opencode"), "output-cap"): "set provider.onprem.models.coder.limit.output to 8192",
            (of("claude"), "output-cap"): "set CLAUDE_CODE_MAX_OUTPUT_TOKENS to 8192",
        },
    ),
    "a window that is not served": Fault(
        breaks=(
            (".codex/onprem-models.json", '"context_window": 65536', '"context_window": 200000'),
            (
                "claude",
                '"CLAUDE_CODE_MAX_CONTEXT_TOKENS": "65536"',
                '"CLAUDE_CODE_MAX_CONTEXT_TOKENS": "200000"',
            ),
        ),
        said={
            (of("codex"), "window"): "set models, coder, context_window to 65536",
            (of("claude"), "window"): "set CLAUDE_CODE_MAX_CONTEXT_TOKENS to 65536",
        },
    ),
    "no list of models for Codex": Fault(
        breaks=(("codex", 'model_catalog_json = "onprem-models.json"\n', ""),),
        said={(of("codex"), "window"): "set model_context_window to 65536"},
    ),
    "a key of one's own in the agents' settings": Fault(
        breaks=(
            ("opencode", "{file:~/.config/onprem/key}", "sk-local"),
            ("codex", "[model_providers.onprem.auth]\n", '[model_providers.other]\nenv_key = "X"\n'),
            ("codex", 'wire_api = "responses"', 'wire_api = "responses"\nenv_key = "ONPREM_API_KEY"'),
            ("claude", '"apiKeyHelper": "cat ~/.config/onprem/key"', '"other": 1'),
            ("claude", '"ANTHROPIC_AUTH_TOKEN": ""', '"ANTHROPIC_AUTH_TOKEN": "sk-local"'),
            ("kilo", "{file:~/.config/onprem/key}", "sk-local"),
            ("pi", "!cat ~/.config/onprem/key", "sk-local"),
            ("goose", '"auth": {', '"api_key_env": "ONPREM_API_KEY",\n  "other": {'),
            (SHELL_LINES, "COPILOT_PROVIDER_BEARER_TOKEN=''", "COPILOT_PROVIDER_BEARER_TOKEN=sk-local"),
        ),
        said={
            (
                f"{agent} key",
                "key-refused",
            ): f"take it out and run: onprem-agents setup {agent} --host {{place}}"
            for agent in FILES
        }
        | {
            (of(agent), "drift"): "run: onprem-agents setup --host {place}"
            for agent in ("opencode", "codex", "claude", "kilo", "pi", "goose")
        },
        variables={"ONPREM_API_KEY": "sk-local"},
    ),
    "lesser settings that setup would write otherwise": Fault(
        breaks=(
            ("codex", "stream_idle_timeout_ms = 780000", "stream_idle_timeout_ms = 5000"),
            ("opencode", '"chunkTimeout": 780000', '"chunkTimeout": 5000'),
            ("claude", '"API_TIMEOUT_MS": "780000"', '"API_TIMEOUT_MS": "5000"'),
            ("qwen", '"streamIdleTimeoutMs": 780000', '"streamIdleTimeoutMs": 5000'),
            ("cline", '"timeout": 780000', '"timeout": 5000'),
            ("kilo", '"chunkTimeout": 780000', '"chunkTimeout": 5000'),
            ("copilot", '"autoUpdate": false', '"autoUpdate": true'),
            ("pi", '"supportsStore": false', '"supportsStore": true'),
            ("cn", "provider: vllm", "provider: openai"),
            ("aider", "timeout: 780\n", "timeout: 5\n"),
            ("goose", '"timeout_seconds": 780', '"timeout_seconds": 5'),
        ),
        said={(of(agent), "drift"): "run: onprem-agents setup --host {place}" for agent in FILES},
    ),
}
