"""Claude Code: what its object must say of the sample contract and of a machine."""

from __future__ import annotations

from onprem_agents.agents.environment import Environment
from tests.expected_agents import Expected, Fault

EXPECTED = Expected(
    says_version="2.1.330 (Claude Code)",
    values={
        "env": {
            "ANTHROPIC_BASE_URL": "https://agents.example.internal",
            "ANTHROPIC_MODEL": "coder",
            "ANTHROPIC_DEFAULT_OPUS_MODEL": "coder",
            "ANTHROPIC_DEFAULT_SONNET_MODEL": "coder",
            "ANTHROPIC_DEFAULT_FABLE_MODEL": "coder",
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": "fast",
            "CLAUDE_CODE_SUBAGENT_MODEL": "coder",
            "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "131072",
            "CLAUDE_CODE_DISABLE_1M_CONTEXT": "1",
            "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "16384",
            "CLAUDE_CODE_MAX_RETRIES": "4",
            "API_TIMEOUT_MS": "1800000",
            "CLAUDE_STREAM_IDLE_TIMEOUT_MS": "900000",
            "CLAUDE_CODE_MODEL_CAPABILITIES": (
                "coder=-mid_conv_system,-mid_conv_tool_change,-effort,-context_management,-adaptive_thinking;"
                "fast=-mid_conv_system;"
                "claude-*=-mid_conv_system,-mid_conv_tool_change,-effort,-context_management,-adaptive_thinking;"
                "gpt-*=-mid_conv_system,-mid_conv_tool_change,-effort,-context_management,-adaptive_thinking"
            ),
            "MAX_THINKING_TOKENS": "2048",
            "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "1",
            "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
            "DISABLE_AUTOUPDATER": "1",
        },
        "disableAutoMode": "disable",
        "skipWebFetchPreflight": True,
        "permissions": {
            "deny": [
                *("WebSearch", "WebFetch", "Read(**/*.png)", "Read(**/*.jpg)", "Read(**/*.jpeg)"),
                *("Read(**/*.gif)", "Read(**/*.webp)"),
            ]
        },
    },
    least_context_tokens=65536,
    environment=Environment(
        keys={"ONPREM_API_KEY": "key"},
        copies={"ANTHROPIC_AUTH_TOKEN": "ONPREM_API_KEY"},
        removed=("ANTHROPIC_API_KEY",),
    ),
    places={
        "user": ("home/.claude/settings.json",),
        "project": ("work/.claude/settings.json", "work/.claude/settings.local.json"),
        "managed": ("root/etc/claude-code/managed-settings.json",),
    },
    moved="/moved/settings.json",
    headless=(
        *("p", "-p", "do it", "--output-format", "json"),
        *("--permission-mode", "acceptEdits", "--allowedTools", "Bash"),
    ),
    faults=(
        Fault(
            path=("env", "ANTHROPIC_BASE_URL"),
            value="https://agents.example.internal/v1",
            cause="url-with-v1",
            fix="set ANTHROPIC_BASE_URL to https://agents.example.internal",
        ),
        Fault(
            path=("env", "ANTHROPIC_MODEL"),
            value="Qwen/Qwen3.6-27B",
            cause="model",
            fix="set ANTHROPIC_MODEL to coder",
        ),
        Fault(
            path=("env", "CLAUDE_CODE_MAX_OUTPUT_TOKENS"),
            value="64000",
            cause="output-cap",
            fix="set CLAUDE_CODE_MAX_OUTPUT_TOKENS to 16384",
        ),
        Fault(
            path=("env", "CLAUDE_CODE_MAX_CONTEXT_TOKENS"),
            value="1000000",
            cause="window",
            fix="set CLAUDE_CODE_MAX_CONTEXT_TOKENS to 131072",
        ),
        Fault(
            path=("env", "ANTHROPIC_API_KEY"),
            value="not_set_either!",
            cause="two-keys",
            fix="unset ANTHROPIC_API_KEY",
        ),
    ),
    keyless=({"x": "y"}, ("apiKeyHelper",)),
    own_keys=(
        ({"env": {"ANTHROPIC_AUTH_TOKEN": "k"}}, ("k", "ANTHROPIC_AUTH_TOKEN")),
        ({}, ("from-shell", "ANTHROPIC_API_KEY")),
        ({"env": {"ANTHROPIC_API_KEY": ""}}, None),
        ({"apiKeyHelper": "cat key"}, None),
    ),
    introduction={"home/.claude.json": {"hasCompletedOnboarding": True}},
    unattended=('claude -p "$TASK" --output-format json --permission-mode acceptEdits --allowedTools Bash'),
    withheld=("WebFetch", "WebSearch"),
    developer="carol",
)
