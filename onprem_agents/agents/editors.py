"""Editors: what to paste, or to type where an editor keeps its settings in no file (read 2026-11-28).

Not run: editors need a screen. The keys of each snippet are compared in the tests with those of its published schema.
A key is typed into the editor, which keeps it in its own store, or comes from a variable.
"""

from __future__ import annotations

from onprem_agents.agents import cn
from onprem_agents.agents.agent import Client
from onprem_agents.agents.config import KEY_PATH, ConfigFile, Values
from onprem_agents.agents.environment import Environment
from onprem_agents.contract.connection import Connection, Role

PROVIDER = "onprem"
PASTE_KEY = (
    f"Paste the key that {KEY_PATH} holds where the editor asks for it; it belongs in no settings file."
)
READ = "2026-11-28"


def _zed(connection: Connection) -> tuple[ConfigFile, ...]:
    """Return settings.json; Zed reads the key from a variable named after the provider."""
    main, small = connection.main, connection.small
    chosen = {"provider": PROVIDER, "model": main.model}
    minor = {"provider": PROVIDER, "model": small.model}
    settings: Values = {
        "language_models": {
            "openai_compatible": {
                PROVIDER: {
                    "api_url": connection.base_url,
                    "available_models": [_zed_model(role) for role in connection.roles],
                }
            }
        },
        "agent": {
            "default_model": chosen,
            "inline_assistant_model": chosen,
            "commit_message_model": minor,
            "thread_summary_model": minor,
        },
        "edit_predictions": {"provider": "none"},
        "telemetry": {"diagnostics": False, "metrics": False},
    }
    return (ConfigFile(path_hint="~/.config/zed/settings.json", format="json", values=settings),)


def _zed_model(role: Role) -> Values:
    return {
        "name": role.model,
        "display_name": f"{role.role} ({role.model_id})",
        "max_tokens": role.context_tokens,
        "max_output_tokens": role.max_output_tokens,
        "capabilities": {
            "tools": role.tool_calling,
            "images": role.vision,
            "parallel_tool_calls": role.parallel_tool_calls,
            "prompt_cache_key": False,
            "max_tokens_parameter": True,
        },
    }


def _zed_environment(connection: Connection) -> Environment:
    """Return the key under the name that Zed makes of the provider's, and the one of the contract beside it."""
    own, key = f"{PROVIDER.upper()}_API_KEY", connection.auth.key_env
    return Environment(
        keys={key: "key"},
        copies={} if own == key else {own: key},
        notes=(
            f"Zed reads {own} when it is started from this shell; else paste the key in its agent settings.",
        ),
    )


def _vscode(connection: Connection) -> tuple[ConfigFile, ...]:
    """Return one provider of VS Code's chat (1.122 and later), which needs no login for it."""
    group: Values = {
        "name": "On-Prem",
        "vendor": "customendpoint",
        "apiType": "chat-completions",
        "apiKey": f"${{input:{PROVIDER}-key}}",
        "models": [_vscode_model(connection, role) for role in connection.roles],
    }
    return (
        ConfigFile(
            path_hint="chatLanguageModels.json in VS Code's user folder, as an item of its list",
            format="json",
            values=group,
            notes=(
                "Chat: Manage Language Models, Add, Custom Endpoint opens the file.",
                PASTE_KEY,
                "Completions while typing stay GitHub's: switch them off with github.copilot.enable.",
            ),
        ),
    )


def _vscode_model(connection: Connection, role: Role) -> Values:
    return {
        "id": role.model,
        "name": f"On-Prem {role.model}",
        "url": f"{connection.base_url}/chat/completions",
        "toolCalling": role.tool_calling,
        "vision": role.vision,
        "thinking": role.reasoning,
        "maxInputTokens": role.context_tokens - role.max_output_tokens,
        "maxOutputTokens": role.max_output_tokens,
    }


def _continue(connection: Connection) -> tuple[ConfigFile, ...]:
    """Return the file of Continue in VS Code and JetBrains; the key lies beside it."""
    values: Values = {"name": "On-Prem", "version": "1.0.0", "schema": "v1", "models": cn.models(connection)}
    note = f"Continue in an editor reads {connection.auth.key_env}=… from ~/.continue/.env (mode 600)."
    quiet = "In its settings, switch off telemetry and, where it is on, codebase indexing."
    return (
        ConfigFile(path_hint="~/.continue/config.yaml", format="yaml", values=values, notes=(note, quiet)),
    )


def _cline(connection: Connection) -> tuple[ConfigFile, ...]:
    """Return what to type into Cline's settings."""
    main = connection.main
    fields: Values = {
        "API Provider": "OpenAI Compatible",
        "Base URL": connection.base_url,
        "Model ID": main.model,
        "Context Window Size": main.context_tokens,
        "Max Output Tokens": main.max_output_tokens,
        "Supports Images": main.vision,
        **({"Temperature": main.temperature} if main.temperature is not None else {}),
    }
    return (
        ConfigFile(
            path_hint="Cline's settings (the gear of its panel), to type: it keeps them in no file",
            format="yaml",
            values=fields,
            notes=(
                PASTE_KEY,
                "Switch off the telemetry of Cline and of VS Code (telemetry.telemetryLevel: off).",
            ),
        ),
    )


def _jetbrains(connection: Connection) -> tuple[ConfigFile, ...]:
    """Return what to type into the AI Assistant's settings."""
    fields: Values = {
        "Provider": "OpenAI-compatible",
        "URL": connection.base_url,
        "Model": connection.main.model,
        "Tool calling": connection.main.tool_calling,
    }
    return (
        ConfigFile(
            path_hint="Settings, Tools, AI Assistant, Providers & API keys, to type: there is no file for it",
            format="yaml",
            values=fields,
            notes=(
                PASTE_KEY,
                "Cloud completion and a few features go to JetBrains: switch them off in the same settings.",
                "A certificate of your own CA: Settings, Tools, Server Certificates.",
            ),
        ),
    )


def _nothing(_connection: Connection) -> Environment:
    return Environment()


EDITORS: tuple[Client, ...] = (
    Client(
        name="zed",
        title="Zed",
        tried=READ,
        source="zed-industries/zed, crates/settings_content, language_model/openai.rs",
        ca_variables=("SSL_CERT_FILE",),
        files=_zed,
        environment=_zed_environment,
    ),
    Client(
        name="vscode",
        title="VS Code's own chat",
        tried=READ,
        source="microsoft/vscode, extensions/copilot/package.json, languageModelChatProviders",
        ca_variables=("NODE_EXTRA_CA_CERTS",),
        files=_vscode,
        environment=_nothing,
    ),
    Client(
        name="vscode-continue",
        title="Continue in VS Code or JetBrains",
        tried=READ,
        source="continuedev/continue, packages/config-yaml, schemas/models.ts",
        ca_variables=("NODE_EXTRA_CA_CERTS",),
        files=_continue,
        environment=_nothing,
    ),
    Client(
        name="vscode-cline",
        title="Cline in VS Code",
        tried=READ,
        source="Cline's documentation, OpenAI Compatible",
        ca_variables=("NODE_EXTRA_CA_CERTS",),
        files=_cline,
        environment=_nothing,
    ),
    Client(
        name="jetbrains",
        title="JetBrains AI Assistant",
        tried=READ,
        source="JetBrains AI Assistant 2026.1, bring your own key",
        ca_variables=(),
        files=_jetbrains,
        environment=_nothing,
    ),
)
