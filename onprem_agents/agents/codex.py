"""Codex CLI: config.toml with the platform as model provider (Codex CLI 0.169.0, 2026-11).

Only the Responses API is left in Codex. Sub-agents come as tools of a namespace, as MCP servers do; where the server
takes none they are off, since one such tool makes it refuse every request. Web search is off because vLLM shows it to
no model; unbounded retries would wait for ever for a dead gateway.
Codex sends neither an output cap nor a temperature nor a budget of thinking: they are the server's own defaults there.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

from onprem_agents.agents import causes as known
from onprem_agents.agents.agent import Agent, Limits, Variables, key_in
from onprem_agents.agents.codex_models import MODELS_FILE, effort, models, tool_output_tokens
from onprem_agents.agents.config import READ_KEY, ConfigFile, KeyPath, Release, Values, Wanted, at
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.leftover import Leftover
from onprem_agents.agents.machine import Machine, Place, Scope, Source
from onprem_agents.contract.connection import Connection
from onprem_agents.contract.limits import compact_at_tokens
from onprem_agents.stack.untrusted import shown

PROVIDER = "onprem"
# Codex takes a key from a command since 0.118.0, whose program knows the setting `refresh_interval_ms` as 0.117.0's
# does not (both looked into 2026-11; openai/codex pull request 16288); an older one gets the variable.
KEY_COMMAND_SINCE: Release = (0, 118, 0)
# Of 0.130.0, 0.135.0, 0.139.0, 0.142.0, 0.146.0, 0.150.0, 0.169.0 and 0.171.0 (run 2026-11-28): the first that takes
# our list of models, older ones ask for other fields in it; the first that does not end at `agents.enabled`; and the
# first that ends with exit code 1 at a `profile` in config.toml.
MODELS_SINCE: Release = (0, 150, 0)
AGENTS_SINCE: Release = (0, 146, 0)
NO_PROFILE_SINCE: Release = (0, 135, 0)
# What is said of one model and would hold for every role; the list says it of each.
_OF_ONE_MODEL = (
    ("model_context_window",),
    ("model_auto_compact_token_limit",),
    ("tool_output_token_limit",),
    ("model_reasoning_effort",),
)


LEFTOVERS = (
    Leftover(
        path=("otel", "log_user_prompt"),
        does="sends the text of every prompt to the collector under otel.exporter",
    ),
)


def _files(connection: Connection) -> tuple[ConfigFile, ConfigFile]:
    """Return config.toml and the list of models that it names; the key stays in the environment."""
    values = {
        "model": connection.main.model,
        "model_provider": PROVIDER,
        "model_catalog_json": MODELS_FILE,
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
        "agents": {"enabled": connection.main.namespace_tools},
        "features": {
            "plugins": False,
            "apps": False,
            "image_generation": False,
            "view_image": connection.main.vision,
            "daemon_auto_start": False,
            "unbounded_connection_retries": False,
        },
        "analytics": {"enabled": False},
        "feedback": {"enabled": False},
    }
    return (
        ConfigFile(path_hint="~/.codex/config.toml", format="toml", values=values),
        ConfigFile(path_hint=f"~/.codex/{MODELS_FILE}", format="json", values=models(connection)),
    )


def _for_every_role(connection: Connection) -> Values:
    """Return the settings that stand in for the list of models: those of the main role, for all of them."""
    main, asked = connection.main, effort(connection.main.thinking)
    return {
        "model_context_window": main.context_tokens,
        "model_auto_compact_token_limit": main.compact_at_tokens,
        "tool_output_token_limit": tool_output_tokens(main),
        **({"model_reasoning_effort": asked} if asked is not None else {}),
    }


def _wanted(connection: Connection, release: Release | None, _ca_file: str | None) -> Wanted:
    config, listed = (copy.deepcopy(file.values) for file in _files(connection))
    removed: list[KeyPath] = [item.path for item in LEFTOVERS if item.path]
    notes: list[str] = []
    if _has(release, MODELS_SINCE):
        config |= listed
        removed += _OF_ONE_MODEL
    else:
        del config["model_catalog_json"]
        removed.append(("model_catalog_json",))
        config |= _for_every_role(connection)
        notes.append(f"Codex before {_text(MODELS_SINCE)} has one window for all models, the main role's.")
    if not _has(release, AGENTS_SINCE) and not config.pop("agents")["enabled"]:
        config["features"]["multi_agent"] = False
    if _has(release, NO_PROFILE_SINCE):
        removed.append(("profile",))
    at_provider = ("model_providers", PROVIDER)
    provider = config["model_providers"][PROVIDER]
    if _has(release, KEY_COMMAND_SINCE):
        del provider["env_key"]
        provider["auth"] = {"command": "sh", "args": ["-c", READ_KEY]}
        dated = ["env_key", "env_key_instructions", "experimental_bearer_token"]
    else:
        dated = ["auth", "experimental_bearer_token"]
        notes.append(
            f"Codex before {_text(KEY_COMMAND_SINCE)} takes its key from {connection.auth.key_env} alone:"
            " start it in a new shell."
        )
    removed += [(*at_provider, name) for name in dated]
    by_variable = not _has(release, KEY_COMMAND_SINCE)
    return Wanted(values=config, removed=tuple(removed), by_variable=by_variable, notes=tuple(notes))


def _has(release: Release | None, since: Release) -> bool:
    """Tell whether that release has what came with another one; a release that is not known is today's."""
    return release is None or release >= since


def _text(release: Release) -> str:
    return ".".join(str(part) for part in release)


def _environment(connection: Connection) -> Environment:
    """Return what Codex needs beside its file: the key alone."""
    return Environment(keys={connection.auth.key_env: "key"})


def _places(machine: Machine, scope: Scope) -> tuple[Place, ...]:
    path = {
        "user": machine.folder("CODEX_HOME", ".codex") / "config.toml",
        "project": machine.project / ".codex" / "config.toml",
        "managed": machine.machine_file("codex"),
    }[scope]
    if scope == "project":
        return (Place(path=path, form="toml", within=machine.project),)
    return Place(path=path, form="toml"), _models_of(path)


def _models_of(config: Path) -> Place:
    """Return the file of the models, which Codex looks for beside the one that names it."""
    return Place(path=config.with_name(MODELS_FILE), form="json", keys="models")


def _sources(machine: Machine) -> tuple[Source, ...]:
    """Return all that Codex reads, from weak to strong (0.169.0, run 2026-11-28).

    Of a repository it reads every folder from its root down to the working one.
    """
    repository = machine.repository
    folders = machine.ways_up(repository) if repository else (machine.project,)
    files: list[tuple[Scope, Path]] = [
        ("managed", machine.etc / "codex" / "config.toml"),
        ("user", machine.folder("CODEX_HOME", ".codex") / "config.toml"),
        *(("project", folder / ".codex" / "config.toml") for folder in reversed(folders)),
        ("managed", machine.etc / "codex" / "managed_config.toml"),
    ]
    return tuple(
        Source(origin=scope, place=place)
        for scope, path in files
        for place in (Place(path=path, form="toml"), *(() if scope == "project" else (_models_of(path),)))
    )


def _heeds(source: Source, values: Values, machine: Machine) -> bool:
    """Tell whether Codex takes a repository's file: the user's word for its folder counts, else that for the root."""
    if source.origin != "project":
        return True
    own = source.place.path.parent.parent
    projects = at(values, "projects")
    levels = (
        at(projects, str(name), "trust_level")
        for folder in (own, machine.repository or own)
        for name in (folder, folder.resolve())
    )
    return next((level for level in levels if level is not None), None) == "trusted"


def _decides(values: Values) -> tuple[tuple[KeyPath, ...], str]:
    """Return the settings that say whom Codex asks, and whom they name."""
    name = str(at(values, "model_provider") or "openai")
    base = ("model_providers", name, "base_url")
    return (("model_provider",), base), str(at(values, *base) or "")


def _causes(
    values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    if (profile := at(values, "profile")) is not None:
        yield Diagnosis(
            cause="legacy-profile",
            evidence=f"profile is {shown(profile)}; Codex of today refuses it and exits with code 1",
            fix=f"take that line out, put what [profiles.{shown(profile)}] says into a file of its own and start"
            f" codex --profile with its name; or {known.again(connection)}, which takes the line out",
        )
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
    model = str(at(values, "model") or "")
    yield from known.model("model", model, connection)
    yield from _window(values, model, connection)
    variable = provider.get("env_key")
    command = str(provider.get("auth", ""))
    if "onprem/key" in command and not key_file.exists():
        yield known.no_key(f"{table}.auth reads {key_file}, which is not there", connection)
    elif isinstance(variable, str) and not variables.get(variable):
        evidence = f"{table}.env_key names {shown(variable)}, which is not set in this shell"
        yield known.no_key_in_shell(variable, evidence, key_file, connection)
    elif not command and variable is None and not provider.get("experimental_bearer_token"):
        yield known.no_key(f"{table} says nothing about a key", connection)


def _window(values: Values, model: str, connection: Connection) -> Iterator[Diagnosis]:
    """Yield a wrong window: config.toml's, which holds for every model, or else that of the list of models."""
    where, window = "model_context_window", at(values, "model_context_window")
    catalog = at(values, "model_catalog_json")
    if window is None and catalog is not None:
        listed = at(values, "models")
        entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        entry = next((entry for entry in entries if entry.get("slug") == model), None)
        if catalog != MODELS_FILE or entry is None:
            return
        where, window = f"models, {model}, context_window", entry.get("context_window")
    yield from known.window(where, window if isinstance(window, int) else None, connection)


def _own_key(values: Values, variables: Variables) -> tuple[str, str] | None:
    provider = at(values, "model_providers", str(at(values, "model_provider")))
    variable, bearer = str(at(provider, "env_key") or ""), at(provider, "experimental_bearer_token")
    if bearer:
        return str(bearer), "experimental_bearer_token"
    return key_in(variables, variable)


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
    # It resends about as much as it starts with after each compaction, and loops for ever when the limit is below
    # about 25k.
    limits=Limits(
        first_request_tokens=10_000,
        least_compaction_tokens=25_000,
        compacts_at=lambda context, _output: compact_at_tokens(context),
    ),
    files=_files,
    environment=_environment,
    ca_variables=("CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"),
    places=_places,
    home_variable="CODEX_HOME",
    ignored_in_project=("model_provider", "model_providers"),
    address_at=("model_providers", PROVIDER, "base_url"),
    sources=_sources,
    heeds=_heeds,
    decides=_decides,
    leftovers=LEFTOVERS,
    wanted=_wanted,
    causes=_causes,
    own_key=_own_key,
    headless=_headless,
    says=(
        (r"wire_api", "wire-api-chat", ""),
        (r"legacy `profile", "legacy-profile", ""),
        (
            r"bwrap|sandbox|landlock|(?:user|new) namespace",
            "sandbox",
            "Codex cannot make its sandbox here (a container without user namespaces): run it on a plain machine",
        ),
    ),
)
