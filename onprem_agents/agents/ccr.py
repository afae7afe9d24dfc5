"""claude-code-router on the developer's own machine, for Claude Code: 2.0.0 and 3.1.1 (both run 2026-11-28).

One config.json serves both. 2.0.0 reads it at each start; 3.1.1 takes it into a database at its first one, with the
keys in clear, and removes the file; a later one it passes over while that database is there. Left to itself 3.1.1 then
writes Claude Code's, Codex's and Claude Desktop's own settings (`profile`), keeps prompts on disk and asks three hosts
for prices (one variable for both): all of it is off here, and it runs in a home of its own.
npm installs 2.0.0 for Node.js 20 and 3.1.1 for 22 and later.

2.0.0 drops system messages in mid-conversation (working directory, tools), hence the capability switches, and asks for
128000 tokens of output unless told otherwise, hence the `maxtoken` transformer and the cap. It knows the transformers,
3.1.1 `extraBody`, and each passes over what it does not know.
"""

from __future__ import annotations

from onprem_agents.agents import claude
from onprem_agents.agents.agent import Proxy
from onprem_agents.agents.config import ConfigFile, Values
from onprem_agents.agents.environment import KEY_FOLDER, Environment
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.stack.thinking import ServedThinking

PORT = 3456
FLEET, NEWER = "2.0.0", "3.1.1"
"""The releases that npm installs for Node.js 20 and for 22 and later; a stack runs the first."""
OWN_HOME = f"~/{KEY_FOLDER}/ccr"
NO_TAKEOVER: Values = {"profile": {"enabled": False, "profiles": []}}
_ALWAYS = ("-mid_conv_system", "-mid_conv_tool_change")


def provider(
    name: str, *, url: str, key: str, model: str, output_tokens: int | None, thinking: ServedThinking | None
) -> Values:
    """Return the way to one model; its requests keep to its thinking, of which the router itself drops all."""
    fields = thinking.request_fields() if thinking is not None else {}
    transformers: list[list[object]] = []
    if output_tokens is not None:
        transformers.append(["maxtoken", {"max_tokens": output_tokens}])
    if fields:
        transformers.append(["customparams", fields])
    return {
        "name": name,
        "api_base_url": url,
        "api_key": key,
        "models": [model],
        **({"transformer": {"use": transformers}} if transformers else {}),
        **({"extraBody": fields} if fields else {}),
    }


def _files(connection: Connection) -> tuple[ConfigFile, ...]:
    """Return the router's config.json; it takes the key from the environment at start, and asks for the same one."""
    main, small = connection.main, claude.small_role(connection)
    key = f"${connection.auth.key_env}"
    config = {
        "HOST": "127.0.0.1",
        "PORT": PORT,
        "APIKEY": key,
        "LOG": False,
        "API_TIMEOUT_MS": connection.timeouts.client_timeout_seconds * 1000,
        "Providers": [
            provider(
                role.role,
                url=f"{connection.base_url}/chat/completions",
                key=key,
                model=role.model,
                output_tokens=claude.output_tokens(connection),
                thinking=role.thinking,
            )
            for role in {role.role: role for role in (main, small)}.values()
        ],
        "Router": {"default": _route(main), "background": _route(small)},
        **NO_TAKEOVER,
    }
    return (
        ConfigFile(
            path_hint=f"{OWN_HOME}/.claude-code-router/config.json",
            format="json",
            values=config,
            notes=(
                f"claude-code-router {FLEET}, which a fleet runs too, as it keeps nothing: HOME={OWN_HOME} ccr start",
                f"{NEWER}, for your own machine alone: HOME={OWN_HOME} ccr serve --no-open",
                f"{NEWER} takes this file into a database, with your key in clear, and removes it.",
                "For another file or key later, remove config.sqlite* beside it first.",
                f"`profile` keeps {NEWER} from rewriting Claude Code's, Codex's and Claude Desktop's settings.",
                "Then, in another shell, start: claude",
                "The env block of ~/.claude/settings.json must not set ANTHROPIC_BASE_URL: it would win.",
                f"With {FLEET} compaction sees no token counts unless vLLM runs with --enable-force-include-usage.",
            ),
        ),
    )


def _route(role: Role) -> str:
    return f"{role.role},{role.model}"


def _environment(connection: Connection) -> Environment:
    """Return the variables with which Claude Code stays within the model's limits behind the router."""
    main, small = connection.main, claude.small_role(connection)
    model = _route(main)
    effort = main.thinking.effort if main.thinking is not None else None
    return Environment(
        keys={connection.auth.key_env: "key"},
        values={
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{PORT}",
            "ANTHROPIC_MODEL": model,
            "ANTHROPIC_DEFAULT_OPUS_MODEL": model,
            "ANTHROPIC_DEFAULT_SONNET_MODEL": model,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": _route(small),
            "CLAUDE_CODE_SUBAGENT_MODEL": model,
            **claude.limits(connection),
            "CLAUDE_CODE_MODEL_CAPABILITIES": ",".join(dict.fromkeys((*_ALWAYS, *main.claude_capabilities))),
            **claude.budget(connection),
            **({claude.EFFORT: effort} if effort is not None else {}),
            **claude.quiet(),
            "CCR_RAW_TRACE_ENABLED": "false",
        },
        copies={"ANTHROPIC_AUTH_TOKEN": connection.auth.key_env},
        removed=("ANTHROPIC_API_KEY",),
        no_proxy=("127.0.0.1",),
    )


CCR = Proxy(
    name="ccr",
    title="claude-code-router",
    package="@musistudio/claude-code-router",
    registry="npm",
    version=FLEET,
    tried="2026-11-28",
    ca_variables=("NODE_EXTRA_CA_CERTS",),
    files=_files,
    environment=_environment,
    behind=claude.CLAUDE,
)
