"""GitHub Copilot CLI with a model of one's own: variables alone, and one switch in settings.json (1.0.102, 2026-11).

It needs no login and, with COPILOT_OFFLINE, asks nobody else: without that switch it looks for api.github.com even
beside a provider of one's own. Each provider variable is set, empty where it must not count, so that none that is
left over from another provider decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onprem_agents.agents import causes as known
from onprem_agents.agents.agent import Agent, Limits, Variables, key_in
from onprem_agents.agents.config import READ_KEY, ConfigFile, Release, Values, Wanted
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.machine import Machine, Place, Scope
from onprem_agents.contract.connection import Connection

NAME = "copilot"
BASE_URL = "COPILOT_PROVIDER_BASE_URL"
MODEL = "COPILOT_MODEL"
PROMPT_TOKENS = "COPILOT_PROVIDER_MAX_PROMPT_TOKENS"
OUTPUT_TOKENS = "COPILOT_PROVIDER_MAX_OUTPUT_TOKENS"
KEY_COMMAND = "COPILOT_PROVIDER_API_KEY_COMMAND"
# They are sent instead of what the command prints, or beside it.
OTHER_KEYS = ("COPILOT_PROVIDER_BEARER_TOKEN", "COPILOT_PROVIDER_HEADERS")
# The first of them counts (1.0.102, run 2026-11-28).
GITHUB_TOKENS = ("COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN")
CLASSIC = "ghp_"
OFFLINE = (
    "COPILOT_OFFLINE keeps Copilot CLI from GitHub: no login, none of GitHub's models, no MCP server of GitHub's,"
    " no web tools."
    " It sends neither the platform's temperature nor a budget of thinking."
)


def _file(_connection: Connection) -> ConfigFile:
    """Return settings.json; whom to ask and with which key only the environment says."""
    return ConfigFile(
        path_hint="~/.copilot/settings.json", format="json", values={"autoUpdate": False}, notes=(OFFLINE,)
    )


def _wanted(connection: Connection, _release: Release | None, _ca_file: str | None) -> Wanted:
    return Wanted(values=dict(_file(connection).values), notes=(OFFLINE,))


def _environment(connection: Connection) -> Environment:
    main = connection.main
    return Environment(
        values={
            BASE_URL: connection.base_url,
            "COPILOT_PROVIDER_TYPE": "openai",
            "COPILOT_PROVIDER_WIRE_API": "completions",
            "COPILOT_PROVIDER_TRANSPORT": "http",
            KEY_COMMAND: READ_KEY,
            **dict.fromkeys(OTHER_KEYS, ""),
            MODEL: main.model,
            "COPILOT_PROVIDER_MODEL_ID": main.model,
            "COPILOT_PROVIDER_WIRE_MODEL": main.model,
            PROMPT_TOKENS: str(main.context_tokens - main.max_output_tokens),
            OUTPUT_TOKENS: str(main.max_output_tokens),
            "COPILOT_OFFLINE": "true",
            "COPILOT_AUTO_UPDATE": "false",
        }
    )


def _places(machine: Machine, scope: Scope) -> tuple[Place, ...]:
    match scope:
        case "project":
            folder = machine.project / ".github" / "copilot"
            return (Place(path=folder / "settings.json", form="jsonc", within=machine.project),)
        case _:
            folder = machine.folder("COPILOT_HOME", ".copilot")
            return (Place(path=folder / "settings.json", form="jsonc"),)


def _causes(
    _values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    main = connection.main
    for name in GITHUB_TOKENS:
        if variables.get(name, "").startswith(CLASSIC):
            yield Diagnosis(
                cause="leftover",
                evidence=f"the variable {name} of this shell holds a classic token of GitHub's ({CLASSIC}…): Copilot"
                " CLI does not start with one, whomever it asks",
                fix=f"unset {name} where your shell exports it, or put a fine-grained token there",
            )
    url = variables.get(BASE_URL, "")
    if not url:
        evidence = f"{BASE_URL} is not set in this shell, so Copilot CLI asks GitHub"
        otherwise = known.not_set_up(evidence, connection)
        yield known.not_in_shell(BASE_URL, evidence, key_file, otherwise=otherwise)
        return
    yield from known.address(BASE_URL, url, connection.base_url, connection)
    for name in (MODEL, "COPILOT_PROVIDER_WIRE_MODEL"):
        if name == MODEL or variables.get(name):
            yield from known.model(name, variables.get(name, ""), connection)
    prompt = known.number(variables.get(PROMPT_TOKENS, ""), 0) or None
    yield from known.window(
        PROMPT_TOKENS, prompt, connection, most=main.context_tokens - main.max_output_tokens
    )
    output = known.number(variables.get(OUTPUT_TOKENS, ""), known.DEFAULT_OUTPUT_TOKENS)
    yield from known.output_cap(OUTPUT_TOKENS, output, connection)
    if variables.get("COPILOT_OFFLINE", "").casefold() != "true":
        yield Diagnosis(
            cause="reaches-outside",
            evidence="COPILOT_OFFLINE is not true in this shell: Copilot CLI asks GitHub beside the platform",
            fix=f"{known.again(connection)}, then start a new shell",
        )
    command = variables.get(KEY_COMMAND, "")
    if "onprem/key" in command and not key_file.exists():
        yield known.no_key(f"{KEY_COMMAND} reads {key_file}, which is not there", connection)
    elif not command and _own_key({}, variables) is None:
        evidence = f"{KEY_COMMAND} is not set in this shell"
        otherwise = known.no_key(evidence, connection)
        yield known.not_in_shell(KEY_COMMAND, evidence, key_file, otherwise=otherwise)


def _own_key(_values: Values, variables: Variables) -> tuple[str, str] | None:
    bearer = "COPILOT_PROVIDER_BEARER_TOKEN"
    for name in (bearer,) if variables.get(KEY_COMMAND) else (bearer, "COPILOT_PROVIDER_API_KEY"):
        if found := key_in(variables, name):
            return found
    return None


def _headless(program: str, _connection: Connection, _folder: Path, task: str) -> tuple[str, ...]:
    return (program, "-p", task, "--allow-all-tools", "--no-color")


COPILOT = Agent(
    name=NAME,
    title="GitHub Copilot CLI",
    package="@github/copilot",
    registry="npm",
    version="1.0.102",
    tried="2026-11-28",
    path="/v1/chat/completions",
    limits=Limits(
        first_request_tokens=12_000,
        least_compaction_tokens=16_000,
        compacts_at=lambda context, output: context - output,
    ),
    files=lambda connection: (_file(connection),),
    environment=_environment,
    ca_variables=("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"),
    places=_places,
    scopes=("user",),
    home_variable="COPILOT_HOME",
    address_at=(BASE_URL,),
    wanted=_wanted,
    causes=_causes,
    own_key=_own_key,
    headless=_headless,
    says=(
        (r"No authentication information found", "not-set-up", "start a new shell after onprem-agents setup"),
    ),
)
