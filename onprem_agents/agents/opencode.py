"""opencode: one JSON file with the platform as provider (opencode 1.18.33, 2026-11).

`chunkTimeout` is the limit of silence; `timeout` would be a second one that retries are not made for. Without
`limit` opencode never compacts. Web fetching is off, since it would leave the building; so are opencode's own hosted
models, some of which it offers without any login. Other providers are the user's; a whole machine is held to ours.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from onprem_agents.agents import causes as known
from onprem_agents.agents.agent import Agent, Limits, Variables, key_in
from onprem_agents.agents.config import KEY_PATH, ConfigFile, KeyPath, Release, Values, Wanted, at
from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.agents.environment import Environment
from onprem_agents.agents.machine import Machine, Place, Scope
from onprem_agents.agents.opencode_folders import Hosted, hosted_is_used, premade
from onprem_agents.agents.opencode_sources import Names, sources
from onprem_agents.contract.connection import Connection, Role
from onprem_agents.stack.thinking import ServedThinking
from onprem_agents.stack.untrusted import shown

NAME = "opencode"
PROVIDER = "onprem"
_SHOWN, _HIDDEN = ("enabled_providers",), ("disabled_providers",)
REDIRECTION = (
    "A repository's own opencode.json is merged over this file and could send your key elsewhere:"
    " in repositories you do not trust, set OPENCODE_DISABLE_PROJECT_CONFIG=1."
)
_FILES = ("opencode.json", "opencode.jsonc")  # in one folder, the second wins
_NAMES = Names(
    name=NAME, of_user=("config.json", *_FILES), files=_FILES, folders=(".opencode",), prefix="OPENCODE"
)
_HOSTED = Hosted(provider="opencode", key_variable="OPENCODE_API_KEY", folder="opencode")
REGISTRY = (
    "opencode looks for its plugin library in the registry that each user's npm names: name your mirror in npm's own"
    " settings, or let each user run onprem-agents setup opencode once, which lays down what stops the look-up."
)


def _file(connection: Connection) -> ConfigFile:
    """Return opencode.json; the key stays in the environment."""
    roles = [role for role in connection.roles if NAME in role.supported_agents]
    small = connection.small if connection.small in roles else connection.main
    config: Values = {
        "$schema": "https://opencode.ai/config.json",
        "model": f"{PROVIDER}/{connection.main.model}",
        "small_model": f"{PROVIDER}/{small.model}",
        "disabled_providers": [_HOSTED.provider],
        "share": "disabled",
        "autoupdate": False,
        "permission": {"webfetch": "deny"},
        "compaction": {"auto": True, "prune": True},
        "provider": {
            PROVIDER: {
                "npm": "@ai-sdk/openai-compatible",
                "name": "On-Prem",
                "options": {
                    "baseURL": connection.base_url,
                    "apiKey": f"{{env:{connection.auth.key_env}}}",
                    "timeout": False,
                    "chunkTimeout": connection.timeouts.stream_idle_seconds * 1000,
                },
                "models": {role.model: _model(role) for role in roles},
            }
        },
    }
    if connection.main.temperature is not None:
        config["agent"] = {
            name: {"temperature": connection.main.temperature} for name in ("build", "plan", "general")
        }
    return ConfigFile(
        path_hint="~/.config/opencode/opencode.json", format="json", values=config, notes=(REDIRECTION,)
    )


def _wanted(connection: Connection, _release: Release | None, _ca_file: str | None) -> Wanted:
    values = copy.deepcopy(_file(connection).values)
    values["provider"][PROVIDER]["options"]["apiKey"] = f"{{file:{KEY_PATH}}}"
    return Wanted(
        values=values,
        added_to=(_HIDDEN,),
        # A bare word under permission is the rule for every tool (schema of 1.18.33, 2026-11).
        word_tables=("permission",),
        owned=(("provider", PROVIDER, "models"),),
        former=((_SHOWN, [PROVIDER]),),
        joined=((_SHOWN, PROVIDER),),
    )


def adapted(hosted: Hosted, *managed: str) -> Callable[[Wanted, Values, Machine, Scope], Wanted]:
    """Return what fits the file to a scope: on a whole machine no other provider can be used at all.

    `managed` are notes for whoever looks after the machine.
    """

    def fitted(item: Wanted, present: Values, machine: Machine, scope: Scope) -> Wanted:
        rest = {key: value for key, value in item.values.items() if key not in _HIDDEN}
        if scope == "managed":
            values = rest | {"enabled_providers": [PROVIDER]}
            return replace(item, values=values, former=(), joined=(), notes=(*item.notes, *managed))
        if scope == "user" and hosted_is_used(machine, at(present, "provider"), hosted):
            return replace(item, values=rest, former=(*item.former, (_HIDDEN, [hosted.provider])))
        return item

    return fitted


def _environment(connection: Connection) -> Environment:
    """Return the switches that keep opencode from reaching outside; it has no config keys for them."""
    return Environment(
        keys={connection.auth.key_env: "key"},
        values={
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        },
    )


def _model(role: Role) -> Values:
    model: Values = {
        "name": f"{role.role} ({role.model_id})",
        "limit": {"context": role.context_tokens, "output": role.max_output_tokens},
        "tool_call": role.tool_calling,
        "reasoning": role.reasoning,
        "temperature": role.temperature is not None,
    }
    if options := _options(role.thinking):
        model["options"] = options
    if role.vision:
        model |= {"attachment": True, "modalities": {"input": ["text", "image"], "output": ["text"]}}
    return model


def _options(thinking: ServedThinking | None) -> Values:
    """Return the fields that opencode adds to each request (1.18.33, run 2026-11).

    Its requests for titles ask for a low effort by themselves, which vLLM takes as a wish to think: where thinking
    is off, they too must say so.
    """
    fields = thinking.request_fields() if thinking is not None else {}
    names = {"reasoning_effort": "reasoningEffort"}
    return {names.get(name, name): value for name, value in fields.items()}


def _places(machine: Machine, scope: Scope) -> tuple[Place, ...]:
    """Return opencode.jsonc where the user has one, for it is read after opencode.json and wins."""
    folder = {
        "user": machine.folder("XDG_CONFIG_HOME", ".config") / "opencode",
        "project": machine.project,
        "managed": machine.machine_file(NAME).parent,
    }[scope]
    names = ("opencode.jsonc", "opencode.json")
    name = next((name for name in names if (folder / name).exists()), "opencode.json")
    within = machine.project if scope == "project" else None
    return (Place(path=folder / name, form="jsonc", within=within),)


def _decides(values: Values) -> tuple[tuple[KeyPath, ...], str]:
    """Return the settings that say whom opencode asks by default, and whom they name."""
    name = str(at(values, "model") or f"{PROVIDER}/").partition("/")[0]
    base = ("provider", name, "options", "baseURL")
    return (("model",), base), str(at(values, *base) or "")


def _causes(
    values: Values, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Diagnosis]:
    name, _, model = str(at(values, "model") or f"{PROVIDER}/").partition("/")
    provider = at(values, "provider", name)
    if not isinstance(provider, dict):
        yield known.not_set_up(f"no provider {shown(name)} is configured", connection)
        return
    place = f"provider.{name}"
    yield from _hidden(values, name)
    url = str(at(provider, "options", "baseURL") or "")
    yield from known.address(f"{place}.options.baseURL", url, connection.base_url, connection)
    served = [role.model for role in connection.roles]
    listed = at(provider, "models")
    if not model:  # then the developer picks one of the listed ones
        model = next((each for each in listed if each in served), "") if isinstance(listed, dict) else ""
    wrong = tuple(known.model("model", model, connection, before=f"{name}/"))
    yield from wrong
    if not wrong:
        limit = at(provider, "models", model, "limit")
        context, output = at(limit, "context"), at(limit, "output")
        limits = f"{place}.models.{model}.limit"
        yield from known.window(
            f"{limits}.context", context if isinstance(context, int) else None, connection
        )
        cap = output if isinstance(output, int) else known.DEFAULT_OUTPUT_TOKENS
        yield from known.output_cap(f"{limits}.output", cap, connection)
    key = str(at(provider, "options", "apiKey") or "")
    where = f"{place}.options.apiKey"
    variable = re.fullmatch(r"\{env:(\w+)\}", key)
    if not key:
        yield known.no_key(f"{where} is not set", connection)
    elif variable and not variables.get(variable[1]):
        evidence = f"{where} names {variable[1]}, which is not set in this shell"
        yield known.no_key_in_shell(variable[1], evidence, key_file, connection)
    elif "onprem/key" in key and not key_file.exists():
        yield known.no_key(f"{where} reads {key_file}, which is not there", connection)


def _hidden(values: Values, name: str) -> Iterator[Diagnosis]:
    shown_alone, hidden = at(values, *_SHOWN), at(values, *_HIDDEN)
    if isinstance(shown_alone, list) and name not in shown_alone:
        evidence = f"enabled_providers lists {', '.join(map(shown, shown_alone)) or 'nobody'}, so opencode hides {name}"
        yield Diagnosis(cause="provider-hidden", evidence=evidence, fix=f"add {name} to enabled_providers")
    if isinstance(hidden, list) and name in hidden:
        evidence = f"disabled_providers lists {name}, so opencode hides it"
        yield Diagnosis(
            cause="provider-hidden", evidence=evidence, fix=f"take {name} out of disabled_providers"
        )


def _own_key(values: Values, variables: Variables) -> tuple[str, str] | None:
    name = str(at(values, "model") or PROVIDER).partition("/")[0]
    key = str(at(values, "provider", name, "options", "apiKey") or "")
    if by_variable := re.fullmatch(r"\{env:(\w+)\}", key):
        return key_in(variables, by_variable[1])
    return (key, "options.apiKey") if key and not key.startswith("{") else None


def _headless(program: str, connection: Connection, _folder: Path, task: str) -> tuple[str, ...]:
    return (program, "run", "-m", f"{PROVIDER}/{connection.main.model}", "--format", "json", task)


OPENCODE = Agent(
    name=NAME,
    title="opencode",
    package="opencode-ai",
    registry="npm",
    version="1.18.33",
    tried="2026-11-24",
    path="/v1/chat/completions",
    # It compacts at the window less the output cap.
    limits=Limits(
        first_request_tokens=8_000,
        least_compaction_tokens=12_000,
        compacts_at=lambda context, output: context - output,
    ),
    files=lambda connection: (_file(connection),),
    environment=_environment,
    ca_variables=("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"),
    places=_places,
    home_variable="XDG_CONFIG_HOME",
    address_at=("provider", PROVIDER, "options", "baseURL"),
    sources=lambda machine: sources(machine, _NAMES),
    decides=_decides,
    wanted=_wanted,
    adapted=adapted(_HOSTED, REGISTRY),
    premade=premade,
    causes=_causes,
    own_key=_own_key,
    headless=_headless,
)
