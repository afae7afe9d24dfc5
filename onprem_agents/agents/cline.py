"""Cline CLI: a provider and its maker's switches in two files, the key in a variable (cline 3.0.65, 2026-11).

Of its providers only `litellm` fits a gateway of one's own: that one takes an address and, without a key in the file, a
variable that stands for no cloud (`openai-compatible` would take OPENAI_API_KEY). It throws the whole file away, and
asks its maker's service instead, when an entry has no `updatedAt`, and writes the file anew at each start.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onprem_agents.agents import causes as known
from onprem_agents.agents.agent import Agent, Limits, Variables, key_in
from onprem_agents.agents.config import ConfigFile, Release, Values, Wanted, at, united
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.machine import Machine, Place, Scope
from onprem_agents.contract.connection import Connection
from onprem_agents.stack.untrusted import shown

NAME = "cline"
PROVIDER = "litellm"
KEY = "LITELLM_API_KEY"
# Any moment will do; Cline puts its own there.
UPDATED_AT = "2026-01-01T00:00:00.000Z"
SETTINGS = "telemetryOptOut|autoUpdateEnabled|disabledTools|tools"
_ENTRY = ("providers", PROVIDER)
LIMITS = (
    "Cline has one model at a time and takes no temperature, no budget of thinking and no limit of the answer: it asks"
    " for 32,000 tokens, or what the window leaves."
)
SERVICES = (
    "At start Cline looks for feature flags at data.cline.bot and works without them: block that name. Its account,"
    " its cloud and its web search do not work here."
)
NOTES = (LIMITS, SERVICES)


def _files(connection: Connection) -> tuple[ConfigFile, ...]:
    """Return providers.json and global-settings.json; the key stays in the environment."""
    main = connection.main
    settings: Values = {
        "provider": PROVIDER,
        "model": main.model,
        "baseUrl": connection.base_url,
        "contextWindow": main.context_tokens,
        "timeout": connection.timeouts.client_timeout_seconds * 1000,
    }
    providers: Values = {
        "version": 1,
        "lastUsedProvider": PROVIDER,
        "modes": {},
        "providers": {PROVIDER: {"settings": settings, "updatedAt": UPDATED_AT, "tokenSource": "manual"}},
    }
    switches: Values = {
        "telemetryOptOut": True,
        "autoUpdateEnabled": False,
        "disabledTools": ["fetch_web_content"],
        "tools": {"web_search": {"enabled": False}},
    }
    folder = "~/.cline/data/settings"
    return (
        ConfigFile(path_hint=f"{folder}/providers.json", format="json", values=providers, notes=NOTES),
        ConfigFile(path_hint=f"{folder}/global-settings.json", format="json", values=switches),
    )


def _wanted(connection: Connection, _release: Release | None, _ca_file: str | None) -> Wanted:
    values = united(_files(connection))
    return Wanted(
        values=values,
        removed=((*_ENTRY, "settings", "apiKey"), (*_ENTRY, "settings", "auth")),
        added_to=(("disabledTools",),),
        kept=((*_ENTRY, "updatedAt"), ("modes",)),
        by_variable=True,
        notes=NOTES,
    )


def _environment(_connection: Connection) -> Environment:
    """Return its key under the only name that it takes, and the switch that keeps it from leaving a daemon behind."""
    return Environment(keys={KEY: "key"}, values={"CLINE_SESSION_BACKEND_MODE": "local"})


def _places(machine: Machine, _scope: Scope) -> tuple[Place, ...]:
    folder = machine.folder("CLINE_DATA_DIR", ".cline/data") / "settings"
    return (
        Place(path=folder / "providers.json", form="json"),
        Place(path=folder / "global-settings.json", form="json", keys=SETTINGS),
    )


def _causes(
    values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    used = str(at(values, "lastUsedProvider") or "")
    settings = at(values, "providers", used, "settings")
    if not isinstance(settings, dict) or not used or not settings.get("baseUrl"):
        found = f"lastUsedProvider is {shown(used)}" if used else "lastUsedProvider is not set"
        yield known.not_set_up(f"{found}, and no address of one's own belongs to it", connection)
        return
    place = f"providers.{used}.settings"
    yield from known.address(f"{place}.baseUrl", str(settings["baseUrl"]), connection.base_url, connection)
    yield from known.model(f"{place}.model", str(settings.get("model") or ""), connection)
    window = settings.get("contextWindow")
    tokens = window if isinstance(window, int) else None
    yield from known.window(f"{place}.contextWindow", tokens, connection)
    if not settings.get("apiKey") and not variables.get(KEY):
        evidence = f"{KEY} is not set in this shell"
        yield known.no_key_in_shell(KEY, evidence, key_file, connection)


def _own_key(values: Values, variables: Variables) -> tuple[str, str] | None:
    used = str(at(values, "lastUsedProvider") or PROVIDER)
    if key := at(values, "providers", used, "settings", "apiKey"):
        return str(key), f"providers.{used}.settings.apiKey"
    return key_in(variables, KEY)


def _headless(program: str, _connection: Connection, folder: Path, task: str) -> tuple[str, ...]:
    return (program, "--auto-approve", "true", "--cwd", str(folder), task)


CLINE = Agent(
    name=NAME,
    title="Cline CLI",
    package="cline",
    registry="npm",
    version="3.0.65",
    tried="2026-11-28",
    path="/v1/chat/completions",
    # It compacts at nine tenths of the window (read in 3.0.65).
    limits=Limits(
        first_request_tokens=6_000,
        least_compaction_tokens=12_000,
        compacts_at=lambda context, _output: context * 9 // 10,
    ),
    files=_files,
    environment=_environment,
    ca_variables=("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"),
    places=_places,
    scopes=("user",),
    home_variable="CLINE_DATA_DIR",
    address_at=(*_ENTRY, "settings", "baseUrl"),
    wanted=_wanted,
    causes=_causes,
    own_key=_own_key,
    headless=_headless,
    says=((r"api\.cline\.bot|Unauthorized.*cline", "not-set-up", ""),),
)
