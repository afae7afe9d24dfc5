"""goose: the platform as a provider in a file of its own, and config.yaml that starts with it (goose 1.52.0, 2026-11).

The key is read by a command, once an hour and after a 401. What a model's entry has as `request_params` goes with each
request word for word, before GOOSE_MAX_TOKENS and GOOSE_TEMPERATURE. It reads no settings of a repository; the file of
a whole machine is weaker than the user's. Variables of the shell beat both: those that lead elsewhere were run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onprem_agents.agents import causes as known
from onprem_agents.agents.agent import Agent, Limits, Variables, key_in
from onprem_agents.agents.config import READ_KEY, ConfigFile, Release, Values, Wanted, at, united
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.leftover import Leftover
from onprem_agents.agents.machine import Machine, Place, Scope
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.stack.untrusted import shown

NAME = "goose"
PROVIDER = "onprem"
SETTINGS = "active_provider|providers|GOOSE_.+"
# The oldest release that was looked into (2026-11) knows the setting; one before it gets the variable.
_KEY_BY_COMMAND: Release = (1, 50, 0)
LEFTOVERS = (
    *(
        Leftover(variable=name, does="makes goose ask that provider instead, whatever its file says")
        for name in ("GOOSE_PROVIDER", "ACTIVE_PROVIDER")
    ),
    Leftover(variable="GOOSE_MODEL", does="makes goose ask for that model, whatever its file says"),
    *(
        Leftover(path=(name,), variable=name, emptied=False, does=does)
        for name, does in (
            ("GOOSE_SUBAGENT_PROVIDER", "makes goose ask that provider for the work that it delegates"),
            ("GOOSE_SUBAGENT_MODEL", "makes goose ask for that model for the work that it delegates"),
            ("GOOSE_CONTEXT_LIMIT", "is the window of every model to goose"),
        )
    ),
)
PICTURES = "goose sends no picture: it leaves them out for a model of a provider of one's own."
ASKS = (
    "It asks nobody before it edits a file or runs a command, unless GOOSE_MODE in config.yaml says approve."
)
NOTES = (PICTURES, ASKS)


def _files(connection: Connection) -> tuple[ConfigFile, ...]:
    """Return the provider's file and config.yaml; the key stays in the environment."""
    main = connection.main
    provider: Values = {
        "name": PROVIDER,
        "engine": "openai",
        "display_name": "On-Prem",
        "base_url": connection.base_url,
        "api_key_env": connection.auth.key_env,
        "timeout_seconds": connection.timeouts.client_timeout_seconds,
        "dynamic_models": False,
        "models": [_model(role) for role in connection.roles if NAME in role.supported_agents],
    }
    config: Values = {
        "active_provider": PROVIDER,
        "providers": {PROVIDER: {"enabled": True, "configured": True, "model": main.model}},
        "GOOSE_TELEMETRY_ENABLED": False,
    }
    folder = "~/.config/goose"
    return (
        ConfigFile(
            path_hint=f"{folder}/custom_providers/{PROVIDER}.json",
            format="json",
            values=provider,
            notes=NOTES,
        ),
        ConfigFile(path_hint=f"{folder}/config.yaml", format="yaml", values=config),
    )


def _model(role: Role) -> Values:
    request: Values = {"max_tokens": role.max_output_tokens}
    if role.temperature is not None:
        request["temperature"] = role.temperature
    if role.thinking is not None:
        request |= role.thinking.request_fields()
    return {"name": role.model, "context_limit": role.context_tokens, "request_params": request}


def _wanted(connection: Connection, release: Release | None, _ca_file: str | None) -> Wanted:
    by_variable = release is not None and release < _KEY_BY_COMMAND
    values = united(_files(connection))
    if not by_variable:
        del values["api_key_env"]
        values["auth"] = {"command": "sh", "args": ["-c", READ_KEY]}
    return Wanted(
        values=values,
        removed=(
            ("auth",) if by_variable else ("api_key_env",),
            *(item.path for item in LEFTOVERS if item.path is not None),
        ),
        by_variable=by_variable,
        notes=NOTES,
    )


def _environment(connection: Connection) -> Environment:
    return Environment(keys={connection.auth.key_env: "key"})


def _places(machine: Machine, _scope: Scope) -> tuple[Place, ...]:
    folder = _folder(machine)
    return (
        Place(path=folder / "custom_providers" / f"{PROVIDER}.json", form="json"),
        Place(path=folder / "config.yaml", form="yaml", keys=SETTINGS),
    )


def _folder(machine: Machine) -> Path:
    """Return its folder of settings (documentation of 1.52.0 for macOS and Windows, where nobody ran it)."""
    root = Path(machine.variables.get("GOOSE_PATH_ROOT", ""))
    if root.is_absolute():
        return root / "config"
    if machine.system == "windows":
        return machine.folder("APPDATA", "AppData/Roaming") / "Block" / "goose" / "config"
    return machine.folder("XDG_CONFIG_HOME", ".config") / "goose"


def _causes(
    values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    name = str(at(values, "active_provider") or "")
    if name != PROVIDER or not at(values, "base_url"):
        found = f"active_provider is {shown(name)}" if name else "active_provider is not set"
        yield known.not_set_up(found if name != PROVIDER else f"{found}, which has no address", connection)
        return
    yield from known.address("base_url", str(at(values, "base_url")), connection.base_url, connection)
    where = f"providers.{PROVIDER}.model"
    model = str(at(values, "providers", PROVIDER, "model") or "")
    wrong = tuple(known.model(where, model, connection))
    yield from wrong
    if not wrong:
        listed = at(values, "models")
        entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        entry = next((entry for entry in entries if entry.get("name") == model), {})
        window, output = entry.get("context_limit"), at(entry, "request_params", "max_tokens")
        tokens = window if isinstance(window, int) else None
        yield from known.window(f"models, {model}, context_limit", tokens, connection)
        if isinstance(output, int):  # without one it sends none
            where = f"models, {model}, request_params.max_tokens"
            yield from known.output_cap(where, output, connection)
    yield from _keys(values, connection, variables, key_file)


def _keys(
    values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    variable, command = str(at(values, "api_key_env") or ""), str(at(values, "auth") or "")
    if "onprem/key" in command and not key_file.exists():
        yield known.no_key(f"auth reads {key_file}, which is not there", connection)
    elif variable and not variables.get(variable):
        evidence = f"api_key_env names {shown(variable)}, which is not set in this shell"
        yield known.no_key_in_shell(variable, evidence, key_file, connection)
    elif not variable and not command:
        yield known.no_key("neither auth nor api_key_env is set", connection)


def _own_key(values: Values, variables: Variables) -> tuple[str, str] | None:
    return key_in(variables, str(at(values, "api_key_env") or ""))


def _headless(program: str, _connection: Connection, _folder: Path, task: str) -> tuple[str, ...]:
    return (program, "run", "--no-session", "--quiet", "--text", task)


GOOSE = Agent(
    name=NAME,
    title="goose",
    # Its makers publish the program itself, a package for each system; this one is for Linux.
    package="@aaif/goose-binary-linux-x64",
    packaged_as="goose-binary-linux-x64",
    registry="npm",
    version="1.52.0",
    tried="2026-11-28",
    path="/v1/chat/completions",
    # It compacts at four fifths of the window, as it says when it does.
    limits=Limits(
        first_request_tokens=5_000,
        least_compaction_tokens=12_000,
        compacts_at=lambda context, _output: context * 8 // 10,
    ),
    files=_files,
    environment=_environment,
    ca_variables=("SSL_CERT_FILE",),
    places=_places,
    scopes=("user",),
    home_variable="GOOSE_PATH_ROOT",
    address_at=("base_url",),
    leftovers=LEFTOVERS,
    wanted=_wanted,
    causes=_causes,
    own_key=_own_key,
    headless=_headless,
    says=(
        (r"No (provider|model) configured", "not-set-up", ""),
        (
            r"Tool approval required in non-interactive mode",
            "agent-asks",
            "GOOSE_MODE=auto onprem-agents doctor --agent goose",
        ),
    ),
)
