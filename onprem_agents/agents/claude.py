"""Claude Code: the `env` block of settings.json (Claude Code 2.1.330, 2026-11).

The key is exported in the shell as ANTHROPIC_AUTH_TOKEN (one Bearer header) and is in no file. `apiKeyHelper`
is not used: it sends the key in two headers, and beside a stale token the two would differ.
ANTHROPIC_API_KEY is unset, or a key for the public service would travel along. An entry of `env` beats the
variable of the shell.
Opus, Sonnet and sub-agents are the main role, Haiku (titles, summaries) the small one.
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
from onprem_agents.agents.leftover import Leftover, of_variables
from onprem_agents.agents.machine import Machine, Origin, Place, Scope, Source
from onprem_agents.contract.connection import Connection, Role

NAME = "claude"

REDIRECTION = (
    "A repository's own .claude/settings.json beats this file and could send prompts elsewhere; where that"
    " matters, put the same content into /etc/claude-code/managed-settings.json."
)
AUTO_MODE = (
    "Auto mode is off: it asks the model about each command first, up to ten times with 145 KB each, and a local"
    " model often blocks what is harmless. Take disableAutoMode out to have it."
)
# What answers "API Error 400" on a server without a vision tower, for good, once it is in the conversation; those
# that Read hands over as pictures (2.1.330, 2026-11-28).
PICTURES = ("png", "jpg", "jpeg", "gif", "webp")
# Each of these was run with an address of ours in settings.json, which then was not asked (2.1.330, 2026-11-28). An
# empty entry in settings.json beats the shell's variable; it is not so for the socket, which the file cannot name.
_ASKS = "sends prompts and key to {}, whatever ANTHROPIC_BASE_URL says"
LEFTOVERS = (
    *of_variables(
        _ASKS.format("Amazon Bedrock"), "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_MANTLE", switch=True
    ),
    *of_variables(_ASKS.format("Google Vertex AI"), "CLAUDE_CODE_USE_VERTEX", switch=True),
    *of_variables(_ASKS.format("Microsoft Foundry"), "CLAUDE_CODE_USE_FOUNDRY", switch=True),
    *of_variables(_ASKS.format("Anthropic on AWS"), "CLAUDE_CODE_USE_ANTHROPIC_AWS", switch=True),
    *of_variables(
        _ASKS.format("Anthropic on Google Cloud"), "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD", switch=True
    ),
    *of_variables(_ASKS.format("the gateway of a login"), "CLAUDE_CODE_USE_GATEWAY", switch=True),
    *of_variables("goes along with each request, and may replace the key", "ANTHROPIC_CUSTOM_HEADERS"),
    *of_variables(
        "sends the text of prompts to the collector under OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_LOG_USER_PROMPTS",
        "OTEL_LOG_ASSISTANT_RESPONSES",
        "OTEL_LOG_TOOL_CONTENT",
        "OTEL_LOG_RAW_API_BODIES",
        switch=True,
    ),
    Leftover(
        variable="ANTHROPIC_UNIX_SOCKET",
        does="sends prompts and key into that socket, whatever ANTHROPIC_BASE_URL says",
    ),
)
EFFORT = "CLAUDE_CODE_EFFORT_LEVEL"
MAX_RETRIES = 4  # the default, 10, makes a wrong key look like a hang of three minutes; 2026-11


def settings_file(connection: Connection, *, base_url: str) -> ConfigFile:
    """Return settings.json for that address, which is the gateway or a translation proxy before it."""
    main, small = connection.main, small_role(connection)
    values = {
        "ANTHROPIC_BASE_URL": base_url,
        "ANTHROPIC_MODEL": main.model,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": main.model,
        "ANTHROPIC_DEFAULT_SONNET_MODEL": main.model,
        "ANTHROPIC_DEFAULT_FABLE_MODEL": main.model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": small.model,
        "CLAUDE_CODE_SUBAGENT_MODEL": main.model,
        **limits(connection),
    }
    capabilities = {role.model: ",".join(role.claude_capabilities) for role in (main, small)}
    # A repository's agent may name a model of the maker's, of which Claude Code knows more than the main role can.
    capabilities |= dict.fromkeys(connection.model_aliases, ",".join(main.claude_capabilities))
    if switches := ";".join(f"{model}={names}" for model, names in capabilities.items() if names):
        values["CLAUDE_CODE_MODEL_CAPABILITIES"] = switches
    values |= budget(connection) | quiet()
    settings: Values = {
        "env": values,
        "disableAutoMode": "disable",
        "skipWebFetchPreflight": True,
        "permissions": {"deny": denied(main)},
    }
    effort = main.thinking.effort if main.thinking is not None else None
    if effort == "max":  # the setting takes no more than xhigh
        values[EFFORT] = effort
    elif effort is not None:
        settings["effortLevel"] = effort  # unlike the variable, it leaves /effort to the developer
    notes = (REDIRECTION, *_haiku_notes(connection), AUTO_MODE)
    return ConfigFile(path_hint="~/.claude/settings.json", format="json", values=settings, notes=notes)


def denied(role: Role) -> list[str]:
    """Return what Claude Code may not do: leave the building, and show pictures to a model that reads text alone."""
    pictures = [] if role.vision else [f"Read(**/*.{ending})" for ending in PICTURES]
    return ["WebSearch", "WebFetch", *pictures]


def _haiku_notes(connection: Connection) -> tuple[str, ...]:
    main, small = connection.main, small_role(connection)
    if small.context_tokens >= main.context_tokens:
        return ()
    note = (
        f"The Haiku slot ({small.model}) has a window of {small.context_tokens} tokens, less than the"
        f" {main.context_tokens} that Claude Code assumes for every model: do not work in it."
    )
    return (note,)


def _file(connection: Connection) -> ConfigFile:
    return settings_file(connection, base_url=connection.anthropic_base_url)


def _wanted(connection: Connection, _release: Release | None, ca_file: str | None) -> Wanted:
    values = copy.deepcopy(_file(connection).values)
    # Empty entries beat what the shell exports, so a stale token or a key for the public service stays at home.
    emptied = [item.variable for item in LEFTOVERS if item.path and item.variable]
    values["env"] |= dict.fromkeys(("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY", *emptied), "")
    if ca_file:
        values["env"]["NODE_EXTRA_CA_CERTS"] = ca_file
    return Wanted(
        values={"apiKeyHelper": READ_KEY, **values},
        added_to=(("permissions", "deny"),),
        notes=(*_haiku_notes(connection), AUTO_MODE),
    )


def _environment(connection: Connection) -> Environment:
    """Return the key's way into Claude Code."""
    key = connection.auth.key_env
    return Environment(
        keys={key: "key"}, copies={"ANTHROPIC_AUTH_TOKEN": key}, removed=("ANTHROPIC_API_KEY",)
    )


def small_role(connection: Connection) -> Role:
    """Return the role for the Haiku slot: the small one if it serves Claude Code, else the main one."""
    return connection.small if NAME in connection.small.supported_agents else connection.main


def output_tokens(connection: Connection) -> int:
    """Return the one output cap, in tokens, that Claude Code sends to main and small role alike."""
    return min(connection.main.max_output_tokens, small_role(connection).context_tokens // 4)


def limits(connection: Connection) -> dict[str, str]:
    """Return the variables for window, output cap and time limits."""
    return {
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(connection.main.context_tokens),
        # Without it, Default in /model is a model of one million tokens (2.1.330, 2026-11-28).
        "CLAUDE_CODE_DISABLE_1M_CONTEXT": "1",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(output_tokens(connection)),
        "CLAUDE_CODE_MAX_RETRIES": str(MAX_RETRIES),
        "API_TIMEOUT_MS": str(connection.timeouts.client_timeout_seconds * 1000),
        "CLAUDE_STREAM_IDLE_TIMEOUT_MS": str(connection.timeouts.stream_idle_seconds * 1000),
    }


def budget(connection: Connection) -> dict[str, str]:
    """Return the variable for the budget of thinking (2.1.330, run 2026-11-28).

    It holds for all models, and goes with the requests of those whose capabilities lack adaptive thinking; 0 switches
    thinking off for all, so no role may think.
    """
    main, small = connection.main.thinking, small_role(connection).thinking
    if main is None:
        return {}
    if main.budget_tokens is not None:
        return {"MAX_THINKING_TOKENS": str(main.budget_tokens)}
    quiet_too = small is None or small.default == "off"
    return {"MAX_THINKING_TOKENS": "0"} if main.default == "off" and quiet_too else {}


def quiet() -> dict[str, str]:
    """Return the variables that keep everything in the building and prompts cacheable across tasks."""
    return {
        "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "1",
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
        "DISABLE_AUTOUPDATER": "1",
    }


def compacts_at_tokens(context_tokens: int, max_output_tokens: int) -> int:
    """Return where Claude Code compacts by itself, in tokens (2.1.330, measured 2026-11)."""
    return context_tokens - min(max_output_tokens, 20_000) - 13_000


def _places(machine: Machine, scope: Scope) -> tuple[Place, ...]:
    match scope:
        case "user":
            folder = machine.folder("CLAUDE_CONFIG_DIR", ".claude")
            return (Place(path=folder / "settings.json", form="json"),)
        case "project":
            folder = machine.project / ".claude"
            own = Place(path=folder / "settings.json", form="json", within=machine.project)
            return own, Place(path=folder / "settings.local.json", form="json")
        case "managed":
            return (Place(path=machine.machine_file(NAME), form="json"),)


def _sources(machine: Machine) -> tuple[Source, ...]:
    """Return all that Claude Code reads, from weak to strong (2.1.330, run 2026-11-28).

    In a folder of a repository it reads settings.json of that folder alone, but settings.local.json of the root too.
    """
    project = machine.project / ".claude"
    root = machine.repository or machine.project
    managed = machine.etc / "claude-code"
    files: list[tuple[Origin, Path]] = [
        ("user", machine.folder("CLAUDE_CONFIG_DIR", ".claude") / "settings.json"),
        ("project", project / "settings.json"),
        ("project", root / ".claude" / "settings.local.json"),
        ("project", project / "settings.local.json"),
        ("managed", managed / "managed-settings.json"),
        *(("managed", path) for path in sorted((managed / "managed-settings.d").glob("*.json"))),
    ]
    places = {path: (origin, Place(path=path, form="json")) for origin, path in files}
    return tuple(Source(origin=origin, place=place) for origin, place in places.values())


def _introduction(machine: Machine) -> tuple[Place, Values]:
    """Return what spares the choice of colours and the page after it; a folder's trust stays to be asked for.

    With this key alone 2.1.330 goes on to the prompt (run 2026-11-28).
    """
    place = Place(path=machine.folder("CLAUDE_CONFIG_DIR", "") / ".claude.json", form="json")
    return place, {"hasCompletedOnboarding": True}


def _causes(
    values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    env = at(values, "env") if isinstance(at(values, "env"), dict) else {}

    def setting(name: str) -> str:
        return str(env[name]) if name in env else variables.get(name, "")

    url = setting("ANTHROPIC_BASE_URL")
    if not url:
        evidence = "ANTHROPIC_BASE_URL is set nowhere, so Claude Code asks the public service"
        yield known.not_set_up(evidence, connection)
        return
    yield from known.address("ANTHROPIC_BASE_URL", url, connection.anthropic_base_url, connection)
    yield from known.model("ANTHROPIC_MODEL", setting("ANTHROPIC_MODEL"), connection)
    window = known.number(setting("CLAUDE_CODE_MAX_CONTEXT_TOKENS"), 0) or None
    yield from known.window("CLAUDE_CODE_MAX_CONTEXT_TOKENS", window, connection)
    output = known.number(setting("CLAUDE_CODE_MAX_OUTPUT_TOKENS"), known.DEFAULT_OUTPUT_TOKENS)
    yield from known.output_cap("CLAUDE_CODE_MAX_OUTPUT_TOKENS", output, connection)
    helper = str(at(values, "apiKeyHelper") or "")
    token, api_key = setting("ANTHROPIC_AUTH_TOKEN"), setting("ANTHROPIC_API_KEY")
    if "onprem/key" in helper and not key_file.exists():
        yield known.no_key(f"apiKeyHelper reads {key_file}, which is not there", connection)
    elif not helper and not token and not api_key:
        yield known.no_key("neither apiKeyHelper nor ANTHROPIC_AUTH_TOKEN is set", connection)
    elif (helper and (token or api_key)) or (token and api_key and token != api_key):
        stale = "ANTHROPIC_AUTH_TOKEN" if helper and token else "ANTHROPIC_API_KEY"
        yield Diagnosis(
            cause="two-keys",
            evidence=f"{stale} is sent beside the key that is meant, and the gateway may look at it first",
            fix=f"unset {stale} in the shell and the settings; {known.again(connection)}",
        )


def _own_key(values: Values, variables: Variables) -> tuple[str, str] | None:
    env = at(values, "env") if isinstance(at(values, "env"), dict) else {}
    for name in () if at(values, "apiKeyHelper") else ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"):
        if key := str(env[name]) if name in env else variables.get(name, ""):
            return key, name
    return None


def _headless(program: str, _connection: Connection, _folder: Path, task: str) -> tuple[str, ...]:
    options = ("--output-format", "json", "--permission-mode", "acceptEdits", "--allowedTools", "Bash")
    return (program, "-p", task, *options)


CLAUDE = Agent(
    name=NAME,
    title="Claude Code",
    package="@anthropic-ai/claude-code",
    registry="npm",
    version="2.1.330",
    tried="2026-11-24",
    path="/v1/messages",
    # Its first request has 20k to 22k tokens with our switches.
    limits=Limits(
        first_request_tokens=22_000, least_compaction_tokens=24_000, compacts_at=compacts_at_tokens
    ),
    files=lambda connection: (_file(connection),),
    environment=_environment,
    ca_variables=("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"),
    places=_places,
    home_variable="CLAUDE_CONFIG_DIR",
    address_at=("env", "ANTHROPIC_BASE_URL"),
    env_table="env",
    sources=_sources,
    leftovers=LEFTOVERS,
    wanted=_wanted,
    causes=_causes,
    own_key=_own_key,
    headless=_headless,
    introduction=_introduction,
    says=(
        (r"Not logged in", "key-refused", ""),
        (r"issue with the selected model", "model", ""),
    ),
)
