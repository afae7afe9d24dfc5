"""aider: what its object must say of the sample contract and of a machine."""

from __future__ import annotations

from onprem_agents.agents.environment import Environment
from tests.expected_agents import Expected, Fault

EXPECTED = Expected(
    says_version="aider 0.86.2",
    values={
        "model": "openai/coder",
        "weak-model": "openai/fast",
        "editor-model": "openai/coder",
        "openai-api-base": "https://agents.example.internal/v1",
        "set-env": ["OPENAI_BASE_URL=https://agents.example.internal/v1"],
        "edit-format": "diff",
        "timeout": 1800,
        "analytics": False,
        "check-update": False,
        "show-release-notes": False,
        "show-model-warnings": False,
        "detect-urls": False,
        "disable-playwright": True,
        "openai/coder": {
            "litellm_provider": "openai",
            "mode": "chat",
            "max_input_tokens": 114688,
            "max_output_tokens": 16384,
            "max_tokens": 16384,
            "input_cost_per_token": 0,
            "output_cost_per_token": 0,
            "supports_vision": False,
        },
        "openai/fast": {
            "litellm_provider": "openai",
            "mode": "chat",
            "max_input_tokens": 57344,
            "max_output_tokens": 8192,
            "max_tokens": 8192,
            "input_cost_per_token": 0,
            "output_cost_per_token": 0,
            "supports_vision": True,
        },
    },
    least_context_tokens=16384,
    environment=Environment(
        keys={"AIDER_OPENAI_API_KEY": "key"}, values={"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    ),
    places={
        "user": ("home/.aider.conf.yml", "home/.aider.model.metadata.json"),
        "project": ("work/.aider.conf.yml",),
    },
    also_written={"user": ("home/.aider.model.metadata.json",)},
    moved=None,
    by_variable=True,
    headless=("p", "--yes-always", "--no-pretty", "--no-auto-commits", "--message", "do it"),
    faults=(
        Fault(
            path=("set-env",),
            value=["OPENAI_BASE_URL=https://agents.example.internal"],
            cause="url-without-v1",
            fix="set OPENAI_BASE_URL in set-env to https://agents.example.internal/v1",
        ),
        Fault(path=("model",), value="openai/qwen3", cause="model", fix="set model to openai/coder"),
        Fault(
            path=("model",),
            value="sonnet",
            cause="not-set-up",
            fix="run: onprem-agents setup --host agents.example.internal",
        ),
        Fault(
            path=("openai/coder", "max_input_tokens"),
            value=200_000,
            cause="window",
            fix="set openai/coder, max_input_tokens to 114688",
        ),
    ),
    keyless=({"AIDER_OPENAI_API_KEY": ""}, ("no",)),
    own_keys=(({"openai-api-key": "k"}, ("k", "openai-api-key")), ({}, None)),
    # aider runs no command without an answer, and so it gets one.
    unattended='yes | aider --no-pretty --no-auto-commits --message "$TASK"',
    developer="heidi",
)
