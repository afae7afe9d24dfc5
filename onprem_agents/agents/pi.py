"""pi: models.json with the platform as a provider, and settings.json that starts with it (pi 1.6.0, 2026-11).

The key is read by a command before each request. pi guesses from the address what a server understands, so it is told
what vLLM does. It compacts at the window less `reserveTokens`, and sends the limit of the answer as `max_tokens`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onprem_agents.agents import causes as known
from onprem_agents.agents.agent import Agent, Limits, Variables, key_in
from onprem_agents.agents.config import READ_KEY, ConfigFile, Release, Values, Wanted, at, united
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.machine import Machine, Place, Scope
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.stack.untrusted import shown

NAME = "pi"
PROVIDER = "onprem"
SETTINGS = r"default\w+|compaction|retry|httpIdleTimeoutMs|enable\w+"
# What is kept word for word after a compaction; pi's own 20,000 would fill a small window again.
KEPT_TOKENS = 20_000
NOTES = (
    "pi needs Node.js 22.19 or later, and asks nobody before it edits a file or runs a command: use it in a container.",
)


def _files(connection: Connection) -> tuple[ConfigFile, ...]:
    """Return models.json and settings.json; the key stays in the environment."""
    main, timeouts = connection.main, connection.timeouts
    provider: Values = {
        "name": "On-Prem",
        "baseUrl": connection.base_url,
        "api": "openai-completions",
        "apiKey": f"${connection.auth.key_env}",
        "compat": {
            "supportsStore": False,
            "supportsDeveloperRole": False,
            "supportsReasoningEffort": False,
            "maxTokensField": "max_tokens",
        },
        "models": [_model(role) for role in connection.roles if NAME in role.supported_agents],
    }
    settings: Values = {
        "defaultProvider": PROVIDER,
        "defaultModel": main.model,
        "compaction": {
            "reserveTokens": main.max_output_tokens,
            "keepRecentTokens": min(KEPT_TOKENS, main.context_tokens // 4),
        },
        "httpIdleTimeoutMs": timeouts.stream_idle_seconds * 1000,
        "retry": {"provider": {"timeoutMs": timeouts.client_timeout_seconds * 1000}},
        "enableInstallTelemetry": False,
        "enableAnalytics": False,
    }
    return (
        ConfigFile(
            path_hint="~/.pi/agent/models.json",
            format="json",
            values={"providers": {PROVIDER: provider}},
            notes=NOTES,
        ),
        ConfigFile(path_hint="~/.pi/agent/settings.json", format="json", values=settings),
    )


def _model(role: Role) -> Values:
    """Return one model; what it says of thinking goes with every request, for pi has no field for all of it."""
    fields = role.thinking.request_fields() if role.thinking is not None else {}
    sampling = ({"temperature": role.temperature} if role.temperature is not None else {}) | fields
    return {
        "id": role.model,
        "name": f"{role.role} ({role.model_id})",
        "reasoning": role.reasoning,
        "input": ["text", "image"] if role.vision else ["text"],
        "contextWindow": role.context_tokens,
        "maxTokens": role.max_output_tokens,
        **({"samplingParams": sampling} if sampling else {}),
    }


def _wanted(connection: Connection, _release: Release | None, _ca_file: str | None) -> Wanted:
    values = united(_files(connection))
    values["providers"][PROVIDER]["apiKey"] = f"!{READ_KEY}"
    return Wanted(values=values, notes=NOTES)


def _environment(connection: Connection) -> Environment:
    """Return the switches that keep pi from looking for releases, model lists and tools outside."""
    return Environment(
        keys={connection.auth.key_env: "key"},
        values={"PI_OFFLINE": "1", "PI_SKIP_VERSION_CHECK": "1", "PI_TELEMETRY": "0"},
    )


def _places(machine: Machine, scope: Scope) -> tuple[Place, ...]:
    """Return where the provider stands, and the settings; a project has settings alone."""
    if scope == "project":
        path = machine.project / ".pi" / "settings.json"
        return (Place(path=path, form="json", within=machine.project),)
    folder = machine.folder("PI_CODING_AGENT_DIR", ".pi/agent")
    return (
        Place(path=folder / "models.json", form="jsonc"),
        Place(path=folder / "settings.json", form="json", keys=SETTINGS),
    )


def _causes(
    values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    name = str(at(values, "defaultProvider") or "")
    provider = at(values, "providers", name)
    if not isinstance(provider, dict):
        found = f"defaultProvider is {shown(name)}" if name else "defaultProvider is not set"
        yield known.not_set_up(f"{found}, and models.json has no provider of that name", connection)
        return
    place = f"providers.{name}"
    yield from known.address(
        f"{place}.baseUrl", str(provider.get("baseUrl") or ""), connection.base_url, connection
    )
    model = str(at(values, "defaultModel") or "")
    wrong = tuple(known.model("defaultModel", model, connection))
    yield from wrong
    if not wrong:
        listed = provider.get("models")
        entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        entry = next((entry for entry in entries if entry.get("id") == model), {})
        window, output = entry.get("contextWindow"), entry.get("maxTokens")
        where = f"{place}.models, {model},"
        tokens = window if isinstance(window, int) else None
        yield from known.window(f"{where} contextWindow", tokens, connection)
        cap = output if isinstance(output, int) else known.DEFAULT_OUTPUT_TOKENS
        yield from known.output_cap(f"{where} maxTokens", cap, connection)
    key = str(provider.get("apiKey") or "")
    if not key:
        yield known.no_key(f"{place}.apiKey is not set", connection)
    elif (variable := _variable(key)) and not variables.get(variable):
        evidence = f"{place}.apiKey names {variable}, which is not set in this shell"
        yield known.no_key_in_shell(variable, evidence, key_file, connection)
    elif "onprem/key" in key and not key_file.exists():
        yield known.no_key(f"{place}.apiKey reads {key_file}, which is not there", connection)


def _variable(key: str) -> str | None:
    """Return the variable that a key of pi's names, or None."""
    bare = key[1:].removeprefix("{").removesuffix("}")
    return bare if key.startswith("$") and bare.isidentifier() else None


def _own_key(values: Values, variables: Variables) -> tuple[str, str] | None:
    key = str(at(values, "providers", str(at(values, "defaultProvider") or PROVIDER), "apiKey") or "")
    if variable := _variable(key):
        return key_in(variables, variable)
    return (key, "apiKey") if key and not key.startswith("!") else None


def _headless(program: str, _connection: Connection, _folder: Path, task: str) -> tuple[str, ...]:
    return (program, "--print", "--no-approve", "--no-session", task)


PI = Agent(
    name=NAME,
    title="pi",
    package="@earendil-works/pi-coding-agent",
    registry="npm",
    version="1.6.0",
    tried="2026-11-28",
    path="/v1/chat/completions",
    # After a compaction the summary of what was left out and what is kept come back.
    limits=Limits(
        first_request_tokens=2_000,
        least_compaction_tokens=12_000,
        compacts_at=lambda context, output: context - output,
    ),
    files=_files,
    environment=_environment,
    ca_variables=("NODE_EXTRA_CA_CERTS",),
    places=_places,
    scopes=("user", "project"),
    home_variable="PI_CODING_AGENT_DIR",
    ignored_in_project=("providers",),
    address_at=("providers", PROVIDER, "baseUrl"),
    wanted=_wanted,
    causes=_causes,
    own_key=_own_key,
    headless=_headless,
    says=(
        (r"Unsupported engine|requires Node|SyntaxError", "agent-broken", "install Node.js 22.19 or later"),
    ),
)
