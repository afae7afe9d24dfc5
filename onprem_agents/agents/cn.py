"""Continue's CLI: the platform's models in config.yaml, and which of them it starts with (cn 1.5.47, 2026-11).

The file is also that of Continue in VS Code and JetBrains. cn takes a key from a variable (or an `.env` file) and from
no other place. Started with ANTHROPIC_API_KEY in its environment it rewrites config.yaml for the public service: the
remembered model is ours, so that prompts stay here even then.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from onprem_agents.agents import causes as known
from onprem_agents.agents.agent import Agent, Limits, Variables, key_in
from onprem_agents.agents.config import ConfigFile, Release, Values, Wanted, at, united
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.dotenv import variables_in
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.machine import Machine, Place, Scope, Source
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.stack.untrusted import shown

NAME = "cn"
REMEMBERED = "autoUpdateCli|cliSelectedModel"
# What it keeps free beside the answer: a fifth, the answer once more, at most this (src/compaction.ts of 1.5.47).
FREE_TOKENS = 15_000
OUTSIDE = (
    "cn asks api.continue.dev for its newest release at each start, with an identifier of this machine, and has no"
    " switch for it: close that name on your network. Its Fetch tool is on: cn --exclude Fetch."
)
REDIRECTION = (
    "A repository's .env can name another configuration (CONTINUE_GLOBAL_DIR), which gets your key: in repositories"
    " you do not trust, start it as: cn --config ~/.continue/config.yaml"
)
NOTES = (OUTSIDE, REDIRECTION)


def title(role: Role) -> str:
    """Return what a model is called in Continue's own list, beside the user's."""
    return f"On-Prem {role.model}"


def models(connection: Connection) -> list[Values]:
    """Return the platform's models as Continue lists them."""
    return [_model(connection, role) for role in connection.roles if NAME in role.supported_agents]


def _files(connection: Connection) -> tuple[ConfigFile, ...]:
    config = {"name": "On-Prem", "version": "1.0.0", "schema": "v1", "models": models(connection)}
    remembered = {"cliSelectedModel": title(connection.main), "autoUpdateCli": False}
    return (
        ConfigFile(path_hint="~/.continue/config.yaml", format="yaml", values=config, notes=NOTES),
        ConfigFile(path_hint="~/.continue/index/globalContext.json", format="json", values=remembered),
    )


def _model(connection: Connection, role: Role) -> Values:
    options: Values = {"contextLength": role.context_tokens, "maxTokens": role.max_output_tokens}
    if role.temperature is not None:
        options["temperature"] = role.temperature
    fields = role.thinking.request_fields() if role.thinking is not None else {}
    request: Values = {"extraBodyProperties": fields} if fields else {}
    if connection.host == "localhost":
        # cn asks 127.0.0.1 instead (1.5.47, 2026-11), which is in no certificate and on no route.
        request["headers"] = {"Host": urlsplit(connection.base_url).netloc}
    able = (("tool_use", role.tool_calling), ("image_input", role.vision))
    return {
        "name": title(role),
        "provider": "vllm",
        "model": role.model,
        "apiBase": connection.base_url,
        "apiKey": f"${{{{ secrets.{connection.auth.key_env} }}}}",
        "roles": ["chat", "edit", "apply"],
        "capabilities": [name for name, is_so in able if is_so],
        "defaultCompletionOptions": options,
        **({"requestOptions": request} if request else {}),
    }


def _wanted(connection: Connection, _release: Release | None, _ca_file: str | None) -> Wanted:
    values = united(_files(connection))
    return Wanted(
        values=values,
        added_to=(("models",),),
        kept=(("name",), ("version",), ("schema",)),
        by_variable=True,
        notes=NOTES,
    )


def _environment(connection: Connection) -> Environment:
    return Environment(
        keys={connection.auth.key_env: "key"},
        # Its hub, which it asks for a secret that it does not find; nothing listens on the discard port.
        values={"CONTINUE_API_BASE": "http://127.0.0.1:9/", "CONTINUE_METRICS_ENABLED": "0"},
    )


def _places(machine: Machine, _scope: Scope) -> tuple[Place, ...]:
    folder = machine.folder("CONTINUE_GLOBAL_DIR", ".continue")
    return (
        Place(path=folder / "config.yaml", form="yaml"),
        Place(path=folder / "index" / "globalContext.json", form="json", keys=REMEMBERED),
    )


def _sources(machine: Machine) -> tuple[Source, ...]:
    """Return all that cn reads; a file of variables in the working folder beats the shell (1.5.47, run 2026-11-28)."""
    own = tuple(Source(origin="user", place=place) for place in _places(machine, "user"))
    variables = machine.project / ".env"
    folder = variables_in(variables).get("CONTINUE_GLOBAL_DIR")
    config = machine.project / folder / "config.yaml" if folder else None
    if config is None or not config.is_file():
        return own
    place = Place(path=variables, form="yaml")
    text = config.read_text(encoding="utf-8", errors="replace")
    return (*own, Source(origin="project", place=place, text=text))


def _causes(
    values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    listed = at(values, "models")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    chosen = str(at(values, "cliSelectedModel") or "")
    entry = next((entry for entry in entries if entry.get("name") == chosen), entries[0] if entries else None)
    if entry is None:
        yield known.not_set_up("config.yaml lists no model", connection)
        return
    name = str(entry.get("name") or "")
    where = f"models, {name},"
    yield from known.address(
        f"{where} apiBase", str(entry.get("apiBase") or ""), connection.base_url, connection
    )
    yield from known.model(f"{where} model", str(entry.get("model") or ""), connection)
    options = entry.get("defaultCompletionOptions")
    window, output = at(options, "contextLength"), at(options, "maxTokens")
    yield from known.window(f"{where} contextLength", window if isinstance(window, int) else None, connection)
    cap = output if isinstance(output, int) else known.DEFAULT_OUTPUT_TOKENS
    yield from known.output_cap(f"{where} maxTokens", cap, connection)
    key = str(entry.get("apiKey") or "")
    if not key:
        yield known.no_key(f"{where} apiKey is not set", connection)
    elif (variable := _variable(key)) and not variables.get(variable):
        evidence = f"{where} apiKey names {shown(variable)}, which is not set in this shell"
        yield known.no_key_in_shell(variable, evidence, key_file, connection)


def _variable(key: str) -> str | None:
    found = re.fullmatch(r"\$\{\{\s*secrets\.(\w+)\s*\}\}", key)
    return found[1] if found else None


def _own_key(values: Values, variables: Variables) -> tuple[str, str] | None:
    listed, chosen = at(values, "models"), at(values, "cliSelectedModel")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    entry = next((entry for entry in entries if entry.get("name") == chosen), {})
    key = str(entry.get("apiKey") or "")
    if variable := _variable(key):
        return key_in(variables, variable)
    return (key, "apiKey") if key else None


def compacts_at_tokens(context_tokens: int, max_output_tokens: int) -> int:
    """Return where cn compacts by itself, in tokens of its own counting (src/compaction.ts of 1.5.47)."""
    room = context_tokens - max_output_tokens
    return room - min(max(max_output_tokens, math.ceil(0.2 * room)), FREE_TOKENS)


def _headless(program: str, _connection: Connection, _folder: Path, task: str) -> tuple[str, ...]:
    return (program, "-p", "--auto", task)


CN = Agent(
    name=NAME,
    title="Continue CLI",
    package="@continuedev/cli",
    registry="npm",
    version="1.5.47",
    tried="2026-11-28",
    path="/v1/chat/completions",
    limits=Limits(first_request_tokens=2_000, least_compaction_tokens=12_000, compacts_at=compacts_at_tokens),
    files=_files,
    environment=_environment,
    ca_variables=("NODE_EXTRA_CA_CERTS",),
    places=_places,
    scopes=("user",),
    home_variable="CONTINUE_GLOBAL_DIR",
    address_at=("models", "0", "apiBase"),
    sources=_sources,
    wanted=_wanted,
    causes=_causes,
    own_key=_own_key,
    headless=_headless,
)
