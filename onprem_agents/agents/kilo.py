"""Kilo CLI: opencode's configuration under names of its own, and its maker's services switched off (7.7.7, 2026-11).

It is made of opencode: what the platform says to that goes here too, but for the agents' names. It reads opencode's
file names in its own folder as well, and lets them win. Its maker's models are hidden: while they are not, it asks
api.kilo.ai at each start. Unlike opencode it installs its plugin library only beside a plugin of the user's own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from onprem_agents.agents.agent import Agent, Variables
from onprem_agents.agents.config import ConfigFile, Release, Values, Wanted
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.machine import Machine, Place, Scope
from onprem_agents.agents.opencode import OPENCODE, adapted
from onprem_agents.agents.opencode_folders import Hosted
from onprem_agents.agents.opencode_sources import Names, sources
from onprem_agents.contract.connection import Connection, Role

NAME = "kilo"
REDIRECTION = (
    "A repository's own kilo.json is merged over this file and could send your key elsewhere:"
    " in repositories you do not trust, set KILO_DISABLE_PROJECT_CONFIG=1."
)
SERVICES = (
    "Kilo's account, cloud agents, gateway and web search are services of its maker: they do not work here."
)
_HOSTED = Hosted(provider="kilo", key_variable="KILO_API_KEY", folder="kilo")
# From weak to strong, as it reads them in one folder.
_FILES = ("kilo.json", "kilo.jsonc", "opencode.json", "opencode.jsonc")
# It heeds no settings in a variable.
_NAMES = Names(
    name=NAME,
    of_user=("config.json", *_FILES),
    files=_FILES,
    folders=(".kilocode", ".kilo"),
    prefix="KILO",
    by_text=False,
)


def _file(connection: Connection) -> ConfigFile:
    (theirs,) = OPENCODE.files(_for_opencode(connection))
    values = _renamed(theirs.values, connection)
    return ConfigFile(
        path_hint="~/.config/kilo/kilo.json", format="json", values=values, notes=(REDIRECTION, SERVICES)
    )


def _renamed(theirs: Values, connection: Connection) -> Values:
    values: Values = copy.deepcopy(theirs) | {
        "$schema": "https://app.kilo.ai/config.json",
        "disabled_providers": [_HOSTED.provider],
        "experimental": {"openTelemetry": False},
    }
    if connection.main.temperature is not None:
        values["agent"] = {name: {"temperature": connection.main.temperature} for name in _AGENTS}
    return values


# Those that work on a task (`kilo agent list`).
_AGENTS = ("code", "plan", "debug", "general")


def _for_opencode(connection: Connection) -> Connection:
    """Return the contract as it would be if opencode were supported where Kilo is."""

    def role(known: Role) -> Role:
        others = [name for name in known.supported_agents if name != OPENCODE.name]
        own = (OPENCODE.name,) if NAME in others else ()
        return known.model_copy(update={"supported_agents": (*others, *own)})

    return connection.model_copy(update={"roles": tuple(map(role, connection.roles))})


def _wanted(connection: Connection, _release: Release | None, _ca_file: str | None) -> Wanted:
    theirs = OPENCODE.wanted(_for_opencode(connection), None, None)
    return replace(theirs, values=_renamed(theirs.values, connection), notes=(SERVICES,))


def _environment(connection: Connection) -> Environment:
    """Return the switches that keep it from reaching outside; each was seen to be needed or was read in its binary."""
    return Environment(
        keys={connection.auth.key_env: "key"},
        values={
            "KILO_DISABLE_MODELS_FETCH": "1",
            "KILO_DISABLE_AUTOUPDATE": "1",
            "KILO_DISABLE_LSP_DOWNLOAD": "1",
            "KILO_DISABLE_SESSION_INGEST": "1",
            "KILO_TELEMETRY_LEVEL": "off",
        },
    )


def _places(machine: Machine, scope: Scope) -> tuple[Place, ...]:
    """Return the strongest of the files that the user has, for it wins over the others."""
    folder = {
        "user": machine.folder("XDG_CONFIG_HOME", ".config") / "kilo",
        "project": machine.project,
        "managed": machine.machine_file(NAME).parent,
    }[scope]
    names = _FILES[:2] if scope == "managed" else _FILES
    name = next((name for name in reversed(names) if (folder / name).exists()), _FILES[0])
    within = machine.project if scope == "project" else None
    return (Place(path=folder / name, form="jsonc", within=within),)


def _causes(
    values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    return OPENCODE.causes(values, _for_opencode(connection), variables, key_file)


def _headless(program: str, _connection: Connection, _folder: Path, task: str) -> tuple[str, ...]:
    return (program, "run", "--auto", "--format", "json", task)


KILO = Agent(
    name=NAME,
    title="Kilo CLI",
    package="@kilocode/cli",
    registry="npm",
    version="7.7.7",
    tried="2026-11-28",
    path=OPENCODE.path,
    limits=OPENCODE.limits,
    files=lambda connection: (_file(connection),),
    environment=_environment,
    ca_variables=OPENCODE.ca_variables,
    places=_places,
    home_variable=OPENCODE.home_variable,
    address_at=OPENCODE.address_at,
    sources=lambda machine: sources(machine, _NAMES),
    decides=OPENCODE.decides,
    wanted=_wanted,
    adapted=adapted(_HOSTED),
    causes=_causes,
    own_key=OPENCODE.own_key,
    headless=_headless,
    says=OPENCODE.says,
)
