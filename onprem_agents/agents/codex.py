"""Codex CLI: config.toml with the platform as model provider (Codex CLI 0.169.0, 2026-11).

Only the Responses API is left in Codex. `agents` and web search are off because their tool types (namespace,
web_search) are not functions, which vLLM refuses; unbounded retries would wait for ever for a dead gateway.
Codex sends neither an output cap nor a temperature nor a budget of thinking: they are the server's own defaults there.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

from onprem_agents.agents import causes as known
from onprem_agents.agents.agent import Agent, Limits, Variables
from onprem_agents.agents.config import READ_KEY, ConfigFile, Release, Values, Wanted, at
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.machine import Machine, Place, Scope
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.limits import compact_at_tokens
from onprem_agents.stack.thinking import ServedThinking
from onprem_agents.stack.untrusted import shown

PROVIDER = "onprem"
TOOL_OUTPUT_TOKENS = (
    16_000  # what one command may print into the context; seen working in a 64k window, 2026-11
)

# Codex takes a key from a command since 0.118.0, whose program knows the setting `refresh_interval_ms` as 0.117.0's
# does not (both looked into 2026-11; openai/codex pull request 16288); an older one gets the variable.
KEY_COMMAND_SINCE: Release = (0, 118, 0)


def _file(connection: Connection) -> ConfigFile:
    """Return config.toml; the key stays in the environment."""
    main = connection.main
    values = {
        "model": main.model,
        "model_provider": PROVIDER,
        "model_context_window": main.context_tokens,
        "model_auto_compact_token_limit": main.compact_at_tokens,
        "tool_output_token_limit": min(TOOL_OUTPUT_TOKENS, main.context_tokens // 4),
        **_effort(main.thinking),
        "web_search": "disabled",
        "check_for_update_on_startup": False,
        "model_providers": {
            PROVIDER: {
                "name": "On-Prem",
                "base_url": connection.base_url,
                "env_key": connection.auth.key_env,
                "wire_api": "responses",
                "requires_openai_auth": False,
                "supports_websockets": False,
                "request_max_retries": 4,
                "stream_max_retries": 3,
                "stream_idle_timeout_ms": connection.timeouts.stream_idle_seconds * 1000,
            }
        },
        "agents": {"enabled": False},
        "features": {
            "plugins": False,
            "apps": False,
            "image_generation": False,
            "view_image": main.vision,
            "daemon_auto_start": False,
            "unbounded_connection_retries": False,
        },
        "analytics": {"enabled": False},
        "feedback": {"enabled": False},
    }
    return ConfigFile(path_hint="~/.codex/config.toml", format="toml", values=values)


def _effort(thinking: ServedThinking | None) -> Values:
    """Return the effort that Codex sends; `none` switches thinking off (0.169.0 sends each as it stands, 2026-11)."""
    if thinking is None:
        return {}
    effort = thinking.effort if thinking.default == "on" else "none"
    return {"model_reasoning_effort": effort} if effort is not None else {}


def _wanted(connection: Connection, release: Release | None, _ca_file: str | None) -> Wanted:
    values = copy.deepcopy(_file(connection).values)
    at_provider = ("model_providers", PROVIDER)
    if release is not None and release < KEY_COMMAND_SINCE:
        since = ".".join(str(part) for part in KEY_COMMAND_SINCE)
        hint = f"Codex before {since} takes its key from {connection.auth.key_env} alone: start it in a new shell."
        other_ways = ((*at_provider, "auth"), (*at_provider, "experimental_bearer_token"))
        return Wanted(values=values, removed=other_ways, by_variable=True, notes=(hint,))
    provider = values["model_providers"][PROVIDER]
    del provider["env_key"]
    provider["auth"] = {"command": "sh", "args": ["-c", READ_KEY]}
    dated = ("env_key", "env_key_instructions", "experimental_bearer_token")
    return Wanted(values=values, removed=tuple((*at_provider, name) for name in dated))


def _environment(connection: Connection) -> Environment:
    """Return what Codex needs beside its file: the key alone."""
    return Environment(keys={connection.auth.key_env: "key"})


def _places(machine: Machine, scope: Scope) -> tuple[Place, ...]:
    path = {
        "user": machine.folder("CODEX_HOME", ".codex") / "config.toml",
        "project": machine.project / ".codex" / "config.toml",
        "managed": machine.machine_file("codex"),
    }[scope]
    within = machine.project if scope == "project" else None
    return (Place(path=path, form="toml", within=within),)


def _causes(
    values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    name = str(at(values, "model_provider") or "")
    provider = at(values, "model_providers", name) if name else None
    if not isinstance(provider, dict):
        found = f"model_provider is {shown(name)}" if name else "model_provider is not set"
        yield known.not_set_up(f"{found}, and no model_providers table of that name is there", connection)
        return
    table = f"model_providers.{name}"
    if str(provider.get("wire_api", "responses")) != "responses":
        # The refusal stands in the program of 0.95.0 and not in that of 0.94.0 (both looked into 2026-11).
        yield Diagnosis(
            cause="wire-api-chat",
            evidence=f"{table}.wire_api is {shown(provider['wire_api'])}; since 0.95 Codex refuses it and exits",
            fix=f'set {table}.wire_api = "responses"; or {known.again(connection)}',
        )
    url = str(provider.get("base_url") or "")
    yield from known.address(f"{table}.base_url", url, connection.base_url, connection)
    yield from known.model("model", str(at(values, "model") or ""), connection)
    window = at(values, "model_context_window")
    yield from known.window("model_context_window", window if isinstance(window, int) else None, connection)
    variable = provider.get("env_key")
    command = str(provider.get("auth", ""))
    if "onprem/key" in command and not key_file.exists():
        yield known.no_key(f"{table}.auth reads {key_file}, which is not there", connection)
    elif isinstance(variable, str) and not variables.get(variable):
        evidence = f"{table}.env_key names {shown(variable)}, which is not set in this shell"
        yield known.no_key(evidence, connection)
    elif not command and variable is None and not provider.get("experimental_bearer_token"):
        yield known.no_key(f"{table} says nothing about a key", connection)


def _own_key(values: Values, variables: Variables) -> tuple[str, str] | None:
    provider = at(values, "model_providers", str(at(values, "model_provider")))
    variable, bearer = str(at(provider, "env_key") or ""), at(provider, "experimental_bearer_token")
    if bearer:
        return str(bearer), "experimental_bearer_token"
    return (variables[variable], f"the variable {variable}") if variables.get(variable) else None


def _headless(program: str, _connection: Connection, folder: Path, task: str) -> tuple[str, ...]:
    options = ("--json", "--skip-git-repo-check", "-s", "workspace-write", "-C", str(folder))
    return (program, "exec", *options, task)


CODEX = Agent(
    name="codex",
    title="Codex CLI",
    package="@openai/codex",
    registry="npm",
    version="0.169.0",
    tried="2026-11-24",
    path="/v1/responses",
    # It resends about 10k tokens after each compaction and loops for ever when the limit is below about 25k.
    limits=Limits(
        least_compaction_tokens=25_000, compacts_at=lambda context, _output: compact_at_tokens(context)
    ),
    files=lambda connection: (_file(connection),),
    environment=_environment,
    ca_variables=("CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"),
    places=_places,
    home_variable="CODEX_HOME",
    ignored_in_project=("model_provider", "model_providers"),
    address_at=("model_providers", PROVIDER, "base_url"),
    wanted=_wanted,
    causes=_causes,
    own_key=_own_key,
    headless=_headless,
    says=(
        (r"wire_api", "wire-api-chat", ""),
        (
            r"bwrap|sandbox|landlock|namespace",
            "sandbox",
            "Codex cannot make its sandbox here (a container without user namespaces): run it on a plain machine",
        ),
    ),
)
