"""claude-code-router 2.0.0 on the developer's own machine, for Claude Code (2026-11).

Pinned to 2.0.0: 3.x rewrites the user's own agent settings at its first start and keeps keys in clear.
2.0.0 drops system messages in mid-conversation (working directory, tools), hence the capability switches, and
asks for 128000 tokens of output unless told otherwise, hence the `maxtoken` transformer and the cap.
"""

from __future__ import annotations

from onprem_agents.agents import claude
from onprem_agents.agents.agent import Proxy
from onprem_agents.agents.config import ConfigFile
from onprem_agents.agents.environment import Environment
from onprem_agents.contract.connection import Connection
from onprem_agents.stack.thinking import ServedThinking

PROVIDER = "onprem"
PORT = 3456
_ALWAYS = ("-mid_conv_system", "-mid_conv_tool_change")


def _files(connection: Connection) -> tuple[ConfigFile, ...]:
    """Return the router's config.json; it takes the key from the environment at start."""
    main, small = connection.main, claude.small_role(connection)
    config = {
        "HOST": "127.0.0.1",
        "PORT": PORT,
        "LOG": False,
        "API_TIMEOUT_MS": connection.timeouts.client_timeout_seconds * 1000,
        "Providers": [
            {
                "name": PROVIDER,
                "api_base_url": f"{connection.base_url}/chat/completions",
                "api_key": f"${connection.auth.key_env}",
                "models": list(dict.fromkeys((main.model, small.model))),
                "transformer": {
                    "use": [["maxtoken", {"max_tokens": claude.output_tokens(connection)}]],
                    **{
                        role.model: {"use": fields}
                        for role in (main, small)
                        if (fields := custom_fields(role.thinking))
                    },
                },
            }
        ],
        "Router": {
            "default": f"{PROVIDER},{main.model}",
            "background": f"{PROVIDER},{small.model}",
        },
    }
    return (
        ConfigFile(
            path_hint="~/.claude-code-router/config.json",
            format="json",
            values=config,
            notes=(
                "For claude-code-router 2.0.0, not 3.x, which takes over your agents. Start with: ccr code",
                "The env block of ~/.claude/settings.json must not set ANTHROPIC_BASE_URL: it would win.",
                "Compaction sees no token counts unless vLLM runs with --enable-force-include-usage.",
            ),
        ),
    )


def _environment(connection: Connection) -> Environment:
    """Return the variables with which Claude Code stays within the model's limits behind the router."""
    main, small = connection.main, claude.small_role(connection)
    model = f"{PROVIDER},{main.model}"
    effort = main.thinking.effort if main.thinking is not None else None
    return Environment(
        keys={connection.auth.key_env: "key"},
        values={
            "ANTHROPIC_MODEL": model,
            "ANTHROPIC_DEFAULT_OPUS_MODEL": model,
            "ANTHROPIC_DEFAULT_SONNET_MODEL": model,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": f"{PROVIDER},{small.model}",
            "CLAUDE_CODE_SUBAGENT_MODEL": model,
            **claude.limits(connection),
            "CLAUDE_CODE_MODEL_CAPABILITIES": ",".join(dict.fromkeys((*_ALWAYS, *main.claude_capabilities))),
            **claude.budget(connection),
            **({claude.EFFORT: effort} if effort is not None else {}),
            **claude.quiet(),
        },
        removed=("ANTHROPIC_API_KEY",),
        no_proxy=("127.0.0.1",),
    )


def custom_fields(thinking: ServedThinking | None) -> list[list[object]]:
    """Return the transformer that keeps a model's requests to its thinking.

    Of what Claude Code says the router makes a field that vLLM does not read (2.0.0, run 2026-11-28).
    """
    fields = thinking.request_fields() if thinking is not None else {}
    return [["customparams", fields]] if fields else []


CCR = Proxy(
    name="ccr",
    title="claude-code-router",
    package="@musistudio/claude-code-router",
    registry="npm",
    version="2.0.0",
    tried="2026-11-24",
    ca_variables=("NODE_EXTRA_CA_CERTS",),
    files=_files,
    environment=_environment,
    behind=claude.CLAUDE,
)
