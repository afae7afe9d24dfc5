"""Qwen Code: one settings file with the platform as a provider of its own id (qwen-code 0.24.4, 2026-11).

Its custom providers speak a protocol that `providerProtocol` names, and `selectedType` must be that protocol: with the
provider's own id there it dies at start. The key comes from a variable alone. Web fetching is off, since it would
leave the building; usage statistics go to its maker unless they are switched off.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from onprem_agents.agents import causes as known
from onprem_agents.agents.agent import Agent, Limits, Variables, key_in
from onprem_agents.agents.config import ConfigFile, Release, Values, Wanted, at
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.machine import Machine, Place, Scope
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.stack.untrusted import shown

NAME = "qwen"
PROVIDER = "onprem"
PROTOCOL = "openai"
KEY_BY_VARIABLE = (
    "Qwen Code reads its key from a variable and from no file: each new shell exports it from"
    " ~/.config/onprem/key."
)
SERVICES = "Qwen Code's web fetching is off, and its accounts, image and voice models do not work here."
NOTES = (KEY_BY_VARIABLE, SERVICES)
# 15 minutes bound every stream, whatever its limit of silence (its own docs of 0.24.4).
LIFETIME = "QWEN_STREAM_MAX_LIFETIME_MS"


def _file(connection: Connection) -> ConfigFile:
    roles = [role for role in connection.roles if NAME in role.supported_agents]
    small = connection.small if connection.small in roles else connection.main
    values: Values = {
        "modelProviders": {PROVIDER: [_model(role, connection) for role in roles]},
        "providerProtocol": {PROVIDER: PROTOCOL},
        "security": {"auth": {"selectedType": PROTOCOL}},
        "model": {"name": connection.main.model},
        "fastModel": small.model,
        "env": {LIFETIME: str(connection.timeouts.client_timeout_seconds * 1000)},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "general": {"enableAutoUpdate": False},
        "permissions": {"deny": ["WebFetch"]},
    }
    return ConfigFile(path_hint="~/.qwen/settings.json", format="json", values=values, notes=NOTES)


def _model(role: Role, connection: Connection) -> Values:
    """Return one model; sampling parameters go with each request word for word."""
    sampling: Values = {"max_tokens": role.max_output_tokens}
    if role.temperature is not None:
        sampling["temperature"] = role.temperature
    config: Values = {
        "contextWindowSize": role.context_tokens,
        "timeout": connection.timeouts.client_timeout_seconds * 1000,
        "streamIdleTimeoutMs": connection.timeouts.stream_idle_seconds * 1000,
        "samplingParams": sampling,
    }
    if role.thinking is not None and (fields := role.thinking.request_fields()):
        config["extra_body"] = fields
    if role.vision:
        config["modalities"] = {"image": True}
    return {
        "id": role.model,
        "name": f"{role.role} ({role.model_id})",
        "baseUrl": connection.base_url,
        "envKey": connection.auth.key_env,
        "generationConfig": config,
    }


def _wanted(connection: Connection, _release: Release | None, _ca_file: str | None) -> Wanted:
    return Wanted(
        values=copy.deepcopy(_file(connection).values),
        added_to=(("permissions", "deny"),),
        by_variable=True,
        notes=NOTES,
    )


def _environment(connection: Connection) -> Environment:
    return Environment(keys={connection.auth.key_env: "key"})


def _places(machine: Machine, scope: Scope) -> tuple[Place, ...]:
    match scope:
        case "user":
            return (Place(path=machine.folder("QWEN_HOME", ".qwen") / "settings.json", form="jsonc"),)
        case "project":
            path = machine.project / ".qwen" / "settings.json"
            return (Place(path=path, form="jsonc", within=machine.project),)
        case "managed":
            return (Place(path=machine.machine_file(NAME), form="jsonc"),)


def _causes(
    values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    models = _models(values)
    protocol = at(values, "security", "auth", "selectedType")
    if not models or protocol != PROTOCOL:
        missing = f"security.auth.selectedType is {shown(protocol)}, not {PROTOCOL}"
        evidence = missing if models else f"modelProviders has no models of {PROVIDER}"
        yield known.not_set_up(evidence, connection)
        return
    name = str(at(values, "model", "name") or "")
    wrong = tuple(known.model("model.name", name, connection))
    yield from wrong
    number, entry = next((pair for pair in enumerate(models) if pair[1].get("id") == name), (0, models[0]))
    place = f"modelProviders.{PROVIDER}[{number}]"
    yield from known.address(
        f"{place}.baseUrl", str(entry.get("baseUrl") or ""), connection.base_url, connection
    )
    if not wrong:
        config = f"{place}.generationConfig"
        window = at(entry, "generationConfig", "contextWindowSize")
        output = at(entry, "generationConfig", "samplingParams", "max_tokens")
        tokens = window if isinstance(window, int) else None
        yield from known.window(f"{config}.contextWindowSize", tokens, connection)
        cap = output if isinstance(output, int) else known.DEFAULT_OUTPUT_TOKENS
        yield from known.output_cap(f"{config}.samplingParams.max_tokens", cap, connection)
    variable = str(entry.get("envKey") or "")
    if not variable:
        yield known.no_key(f"{place}.envKey is not set", connection)
    elif not variables.get(variable):
        evidence = f"{place}.envKey names {shown(variable)}, which is not set in this shell"
        yield known.no_key_in_shell(variable, evidence, key_file, connection)


def _models(values: Values) -> list[dict[str, Any]]:
    listed = at(values, "modelProviders", PROVIDER)
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _own_key(values: Values, variables: Variables) -> tuple[str, str] | None:
    name = at(values, "model", "name")
    models = _models(values)
    entry = next((entry for entry in models if entry.get("id") == name), models[0] if models else {})
    return key_in(variables, str(entry.get("envKey") or ""))


def _headless(program: str, _connection: Connection, _folder: Path, task: str) -> tuple[str, ...]:
    return (program, "--approval-mode", "auto-edit", "--allowed-tools", "run_shell_command", "-p", task)


def _compacts_at(context_tokens: int, _max_output_tokens: int) -> int:
    """Return where it compacts: 85 % of the window, less where 33,000 tokens would not be left (0.24.4, read)."""
    proportional = context_tokens * 85 // 100
    ceiling = context_tokens - 33_000
    return min(proportional, ceiling) if ceiling > 0 else proportional


QWEN = Agent(
    name=NAME,
    title="Qwen Code",
    package="@qwen-code/qwen-code",
    registry="npm",
    version="0.24.4",
    tried="2026-11-28",
    path="/v1/chat/completions",
    limits=Limits(first_request_tokens=20_000, least_compaction_tokens=28_000, compacts_at=_compacts_at),
    files=lambda connection: (_file(connection),),
    environment=_environment,
    ca_variables=("NODE_EXTRA_CA_CERTS",),
    places=_places,
    home_variable="QWEN_HOME",
    address_at=("modelProviders", PROVIDER, "0", "baseUrl"),
    wanted=_wanted,
    causes=_causes,
    own_key=_own_key,
    headless=_headless,
    says=(
        (r"No auth type is selected|Please configure an Auth method", "not-set-up", ""),
        (
            r"Unsupported engine|requires Node|SyntaxError",
            "agent-broken",
            "install Node.js 22 or later",
        ),
    ),
)
