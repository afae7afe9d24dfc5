"""aider: .aider.conf.yml with the platform as its OpenAI, and the models' limits beside it (aider 0.86.2, 2026-11).

The key is exported as AIDER_OPENAI_API_KEY, which beats a key for the public service in OPENAI_API_KEY. An address in
the shell, OPENAI_BASE_URL, would beat that of the file, so the file sets this variable too. aider edits by blocks of
text in the answer and calls no tools. A model whose limits are not listed makes it look for a list of models outside,
at every start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from onprem_agents.agents import causes as known
from onprem_agents.agents.agent import Agent, Limits, Variables, key_in
from onprem_agents.agents.config import ConfigFile, KeyPath, Release, Values, Wanted, at, united
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.dotenv import variables_in
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.machine import Machine, Origin, Place, Scope, Source
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.stack.thinking import ServedThinking

NAME = "aider"
PREFIX = "openai/"
KEY = "AIDER_OPENAI_API_KEY"
_SET = "OPENAI_BASE_URL="
# Its own variables that say whom it asks, with the settings that they beat.
_VARIABLES = {"AIDER_MODEL": "model", "AIDER_SET_ENV": "set-env"}
METADATA = f"{PREFIX}.+"
LIMITED = (
    "aider sends no output cap and no budget of thinking: the server's own defaults hold. It runs no command by"
    " itself: it asks first, and with --yes-always it runs none but --lint-cmd and --test-cmd."
)
REDIRECTION = "A repository's own .env is stronger than this, and could send your key elsewhere."
NOTES = (LIMITED, REDIRECTION)


def _files(connection: Connection) -> tuple[ConfigFile, ...]:
    main = connection.main
    roles = [role for role in connection.roles if NAME in role.supported_agents]
    small = connection.small if connection.small in roles else main
    config: Values = {
        "model": f"{PREFIX}{main.model}",
        "weak-model": f"{PREFIX}{small.model}",
        "editor-model": f"{PREFIX}{main.model}",
        "openai-api-base": connection.base_url,
        "set-env": [_SET + connection.base_url],
        "edit-format": "diff",
        "timeout": connection.timeouts.client_timeout_seconds,
        **_effort(main.thinking),
        "analytics": False,
        "check-update": False,
        "show-release-notes": False,
        "show-model-warnings": False,
        "detect-urls": False,
        "disable-playwright": True,
    }
    limits = {f"{PREFIX}{role.model}": _limits(role) for role in roles}
    return (
        ConfigFile(path_hint="~/.aider.conf.yml", format="yaml", values=config, notes=NOTES),
        ConfigFile(path_hint="~/.aider.model.metadata.json", format="json", values=limits),
    )


def _effort(thinking: ServedThinking | None) -> Values:
    if thinking is None or thinking.default == "off" or thinking.effort is None:
        return {}
    return {"reasoning-effort": thinking.effort, "check-model-accepts-settings": False}


def _limits(role: Role) -> Values:
    """Return what LiteLLM's list says of a model; of the window a prompt has what the answer leaves."""
    return {
        "litellm_provider": "openai",
        "mode": "chat",
        "max_input_tokens": role.context_tokens - role.max_output_tokens,
        "max_output_tokens": role.max_output_tokens,
        "max_tokens": role.max_output_tokens,
        "input_cost_per_token": 0,
        "output_cost_per_token": 0,
        "supports_vision": role.vision,
    }


def _wanted(connection: Connection, _release: Release | None, _ca_file: str | None) -> Wanted:
    values = united(_files(connection))
    return Wanted(values=values, added_to=(("set-env",),), by_variable=True, notes=NOTES)


def _environment(_connection: Connection) -> Environment:
    """Return the key's way into aider, and the switch of its library's list of prices."""
    return Environment(keys={KEY: "key"}, values={"LITELLM_LOCAL_MODEL_COST_MAP": "True"})


def _places(machine: Machine, scope: Scope) -> tuple[Place, ...]:
    if scope == "project":
        return (Place(path=machine.project / ".aider.conf.yml", form="yaml", within=machine.project),)
    return (
        Place(path=machine.home / ".aider.conf.yml", form="yaml"),
        Place(path=machine.home / ".aider.model.metadata.json", form="json", keys=METADATA),
    )


def _sources(machine: Machine) -> tuple[Source, ...]:
    """Return all that aider reads, from weak to strong (0.86.2, run 2026-11-28).

    Of a repository it reads its root and the working folder; a file of variables beats the shell's.
    """
    root = machine.repository or machine.project
    folders: list[tuple[Origin, Path]] = [
        ("user", machine.home),
        *(("project", folder) for folder in dict.fromkeys((root, machine.project))),
    ]
    return (
        *(Source(origin="user", place=place) for place in _places(machine, "user")[1:]),
        *(Source(origin=origin, place=_config(folder)) for origin, folder in folders),
        *(
            _of_variables("shell", Path(name), {name: value}, name)
            for name in _VARIABLES
            if (value := machine.variables.get(name))
        ),
        *(
            _of_variables(origin, folder / ".env", variables)
            for origin, folder in folders
            if _VARIABLES.keys() & (variables := variables_in(folder / ".env")).keys()
        ),
    )


def _config(folder: Path) -> Place:
    return Place(path=folder / ".aider.conf.yml", form="yaml")


def _of_variables(
    origin: Origin, path: Path, variables: Mapping[str, str], variable: str | None = None
) -> Source:
    settings = {setting: variables[name] for name, setting in _VARIABLES.items() if name in variables}
    return Source(
        origin=origin, place=Place(path=path, form="json"), variable=variable, text=json.dumps(settings)
    )


def _decides(values: Values) -> tuple[tuple[KeyPath, ...], str]:
    """Return the settings that say whom aider asks; a model without our prefix is another provider's."""
    ours = str(at(values, "model") or PREFIX).startswith(PREFIX)
    setting, address = _address(values)
    return (("model",), (setting,)), address if ours else ""


def _address(values: Values) -> tuple[str, str]:
    """Return the setting that holds the address, and the address."""
    listed = at(values, "set-env")
    # A variable holds one entry, or several in brackets.
    told = listed if isinstance(listed, list) else re.split(r"\s*,\s*", str(listed or "").strip("[] "))
    found = [item.removeprefix(_SET) for item in told if isinstance(item, str) and item.startswith(_SET)]
    return ("set-env", found[-1]) if found else ("openai-api-base", str(at(values, "openai-api-base") or ""))


def _causes(
    values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    model = str(at(values, "model") or "")
    setting, address = _address(values)
    if not model.startswith(PREFIX) or not address:
        evidence = f"model is {model or 'not set'}, and {setting} is {address or 'not set'}"
        yield known.not_set_up(evidence, connection)
        return
    name = setting if setting != "set-env" else f"{_SET.removesuffix('=')} in set-env"
    yield from known.address(name, address, connection.base_url, connection)
    wrong = tuple(known.model("model", model.removeprefix(PREFIX), connection, before=PREFIX))
    yield from wrong
    if not wrong:
        main = connection.main
        window = at(values, model, "max_input_tokens")
        most = main.context_tokens - main.max_output_tokens
        where = f"{model}, max_input_tokens"
        tokens = window if isinstance(window, int) else None
        yield from known.window(where, tokens, connection, most=most)
    if _own_key(values, variables) is None:
        evidence = f"{KEY} is not set in this shell"
        yield known.no_key_in_shell(KEY, evidence, key_file, connection)


def _own_key(values: Values, variables: Variables) -> tuple[str, str] | None:
    if key := at(values, "openai-api-key"):
        return str(key), "openai-api-key"
    for name in (KEY, "OPENAI_API_KEY"):
        if found := key_in(variables, name):
            return found
    return None


def _headless(program: str, _connection: Connection, _folder: Path, task: str) -> tuple[str, ...]:
    return (program, "--yes-always", "--no-pretty", "--no-auto-commits", "--message", task)


AIDER = Agent(
    name=NAME,
    title="aider",
    package="aider-chat",
    registry="PyPI",
    version="0.86.2",
    tried="2026-11-28",
    path="/v1/chat/completions",
    # A map of the repository is part of its first request. It sums its history up by itself, long before the window
    # is full, and asks before it sends more than the limit.
    limits=Limits(
        first_request_tokens=4_000,
        least_compaction_tokens=8_000,
        compacts_at=lambda context, output: context - output,
    ),
    files=_files,
    environment=_environment,
    ca_variables=("SSL_CERT_FILE",),
    places=_places,
    scopes=("user", "project"),
    home_variable=None,
    address_at=("openai-api-base",),
    sources=_sources,
    decides=_decides,
    wanted=_wanted,
    causes=_causes,
    own_key=_own_key,
    headless=_headless,
)
