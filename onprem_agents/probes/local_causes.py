"""The wrong settings that have a name: each with the file's key, why it fails, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from onprem_agents.contract.connection import Connection
from onprem_agents.contract.limits import Agent
from onprem_agents.contract.untrusted import shown
from onprem_agents.probes.smoke_causes import Cause

# What the clients assume when nothing is said: Claude Code 2.1.330, opencode 1.18.33, 2026-11. For the window
# Claude Code takes 1,000,000 tokens, opencode and Codex never compact.
_DEFAULT_OUTPUT_TOKENS = 32_000
_SECRET_NAME = re.compile(r"(?i)key|token(?!s|_limit)|secret|password")
Variables = Mapping[str, str]


def at(values: Any, *path: str) -> Any:
    """Return the value at a path of keys, or None."""
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values


def may_be_secret(name: str) -> bool:
    """Tell whether a setting of that name could hold a key."""
    return bool(_SECRET_NAME.search(name))


def own_key(values: dict[str, Any], agent: Agent, variables: Variables) -> tuple[str, str] | None:
    """Return the key that an agent sends and the setting it is from, where it is not read from setup's file.

    No command of the user's is run for it.
    """
    if agent == "claude":
        env = at(values, "env") if isinstance(at(values, "env"), dict) else {}
        for name in () if at(values, "apiKeyHelper") else ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"):
            if key := str(env[name]) if name in env else variables.get(name, ""):
                return key, name
        return None
    if agent == "codex":
        provider = at(values, "model_providers", str(at(values, "model_provider")))
        variable, bearer = str(at(provider, "env_key") or ""), at(provider, "experimental_bearer_token")
        if bearer:
            return str(bearer), "experimental_bearer_token"
        return (variables[variable], f"the variable {variable}") if variables.get(variable) else None
    name = str(at(values, "model") or "onprem").partition("/")[0]
    key = str(at(values, "provider", name, "options", "apiKey") or "")
    if by_variable := re.fullmatch(r"\{env:(\w+)\}", key):
        value = variables.get(by_variable[1])
        return (value, f"the variable {by_variable[1]}") if value else None
    return (key, "options.apiKey") if key and not key.startswith("{") else None


def causes(
    values: dict[str, Any], agent: Agent, connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Cause]:
    """Yield the named causes in an agent's merged settings; none when only lesser things differ."""
    examine = {"claude": _claude, "codex": _codex, "opencode": _opencode}[agent]
    yield from examine(values, connection, variables, key_file)


def _claude(
    values: dict[str, Any], connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Cause]:
    env = at(values, "env") if isinstance(at(values, "env"), dict) else {}

    def setting(name: str) -> str:
        return str(env[name]) if name in env else variables.get(name, "")

    url = setting("ANTHROPIC_BASE_URL")
    if not url:
        yield _not_set_up(
            "ANTHROPIC_BASE_URL is set nowhere, so Claude Code asks the public service", connection
        )
        return
    yield from _address("ANTHROPIC_BASE_URL", url, connection.anthropic_base_url, connection)
    models = [role.model for role in connection.roles]
    yield from _model("ANTHROPIC_MODEL", setting("ANTHROPIC_MODEL"), models, connection)
    window = _number(setting("CLAUDE_CODE_MAX_CONTEXT_TOKENS"), 0) or None
    yield from _window("CLAUDE_CODE_MAX_CONTEXT_TOKENS", window, connection)
    output = _number(setting("CLAUDE_CODE_MAX_OUTPUT_TOKENS"), _DEFAULT_OUTPUT_TOKENS)
    yield from _output("CLAUDE_CODE_MAX_OUTPUT_TOKENS", output, connection)
    helper = str(at(values, "apiKeyHelper") or "")
    token, api_key = setting("ANTHROPIC_AUTH_TOKEN"), setting("ANTHROPIC_API_KEY")
    if "onprem/key" in helper and not key_file.exists():
        yield _no_key(f"apiKeyHelper reads {key_file}, which is not there", connection)
    elif not helper and not token and not api_key:
        yield _no_key("neither apiKeyHelper nor ANTHROPIC_AUTH_TOKEN is set", connection)
    elif (helper and (token or api_key)) or (token and api_key and token != api_key):
        stale = "ANTHROPIC_AUTH_TOKEN" if helper and token else "ANTHROPIC_API_KEY"
        yield Cause(
            name="two-keys",
            evidence=f"{stale} is sent beside the key that is meant, and the gateway may look at it first",
            fix=f"unset {stale} in the shell and the settings; {_again(connection)}",
        )


def _codex(
    values: dict[str, Any], connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Cause]:
    name = str(at(values, "model_provider") or "")
    provider = at(values, "model_providers", name) if name else None
    if not isinstance(provider, dict):
        found = f"model_provider is {shown(name)}" if name else "model_provider is not set"
        yield _not_set_up(f"{found}, and no model_providers table of that name is there", connection)
        return
    table = f"model_providers.{name}"
    if str(provider.get("wire_api", "responses")) != "responses":
        # The refusal stands in the program of 0.95.0 and not in that of 0.94.0 (both looked into 2026-11).
        yield Cause(
            name="wire-api-chat",
            evidence=f"{table}.wire_api is {shown(provider['wire_api'])}; since 0.95 Codex refuses it and exits",
            fix=f'set {table}.wire_api = "responses"; or {_again(connection)}',
        )
    url = str(provider.get("base_url") or "")
    yield from _address(f"{table}.base_url", url, connection.base_url, connection)
    models = [role.model for role in connection.roles]
    yield from _model("model", str(at(values, "model") or ""), models, connection)
    window = at(values, "model_context_window")
    yield from _window("model_context_window", window if isinstance(window, int) else None, connection)
    variable = provider.get("env_key")
    command = str(provider.get("auth", ""))
    if "onprem/key" in command and not key_file.exists():
        yield _no_key(f"{table}.auth reads {key_file}, which is not there", connection)
    elif isinstance(variable, str) and not variables.get(variable):
        yield _no_key(f"{table}.env_key names {shown(variable)}, which is not set in this shell", connection)
    elif not command and variable is None and not provider.get("experimental_bearer_token"):
        yield _no_key(f"{table} says nothing about a key", connection)


def _opencode(
    values: dict[str, Any], connection: Connection, variables: Variables, key_file: Path
) -> Iterator[Cause]:
    name, _, model = str(at(values, "model") or "onprem/").partition("/")
    provider = at(values, "provider", name)
    if not isinstance(provider, dict):
        yield _not_set_up(f"no provider {shown(name)} is configured", connection)
        return
    place = f"provider.{name}"
    url = str(at(provider, "options", "baseURL") or "")
    yield from _address(f"{place}.options.baseURL", url, connection.base_url, connection)
    known = [role.model for role in connection.roles]
    listed = at(provider, "models")
    if not model:  # then the developer picks one of the listed ones
        model = next((each for each in listed if each in known), "") if isinstance(listed, dict) else ""
    wrong = tuple(_model("model", model, known, connection, before=f"{name}/"))
    yield from wrong
    if not wrong:
        limit = at(provider, "models", model, "limit")
        context, output = at(limit, "context"), at(limit, "output")
        limits = f"{place}.models.{model}.limit"
        yield from _window(f"{limits}.context", context if isinstance(context, int) else None, connection)
        yield from _output(
            f"{limits}.output", output if isinstance(output, int) else _DEFAULT_OUTPUT_TOKENS, connection
        )
    key = str(at(provider, "options", "apiKey") or "")
    variable = re.fullmatch(r"\{env:(\w+)\}", key)
    if not key:
        yield _no_key(f"{place}.options.apiKey is not set", connection)
    elif variable and not variables.get(variable[1]):
        yield _no_key(
            f"{place}.options.apiKey names {variable[1]}, which is not set in this shell", connection
        )
    elif "onprem/key" in key and not key_file.exists():
        yield _no_key(f"{place}.options.apiKey reads {key_file}, which is not there", connection)


def _address(where: str, url: str, right: str, connection: Connection) -> Iterator[Cause]:
    if url.rstrip("/") == right:
        return
    if url.rstrip("/") == f"{right}/v1":
        evidence = f"{where} is {shown(url)}; Claude Code adds /v1 by itself, so it asks for /v1/v1/messages"
        yield Cause(name="url-with-v1", evidence=evidence, fix=f"set {where} to {right}")
    elif f"{url.rstrip('/')}/v1" == right:
        evidence = f"{where} is {shown(url)}, without the /v1 that this agent expects in it"
        yield Cause(name="url-without-v1", evidence=evidence, fix=f"set {where} to {right}")
    else:
        evidence = f"{where} is {shown(url)}, the platform is at {right}"
        yield Cause(
            name="url-other", evidence=evidence, fix=f"set {where} to {right}; or {_again(connection)}"
        )


def _model(
    where: str, model: str, known: list[str], connection: Connection, *, before: str = ""
) -> Iterator[Cause]:
    if model not in known:
        found = f"{where} is {shown(before + model)}" if model else f"{where} is none of the platform's"
        evidence = f"{found}, the platform serves {', '.join(known)}"
        fix = f"set {where} to {before}{connection.main.model}: the served name"
        yield Cause(name="model", evidence=evidence, fix=fix)


def _window(where: str, tokens: int | None, connection: Connection) -> Iterator[Cause]:
    served = connection.main.context_tokens
    if tokens is None or tokens > served:
        found = (
            f"{where} is not set, so the agent never compacts in time"
            if tokens is None
            else f"{where} is {tokens}"
        )
        evidence = f"{found}; the served window is {served} tokens"
        yield Cause(name="window", evidence=evidence, fix=f"set {where} to {served}; or {_again(connection)}")


def _output(where: str, tokens: int, connection: Connection) -> Iterator[Cause]:
    cap, window = connection.main.max_output_tokens, connection.main.context_tokens
    if tokens > cap:
        over = f"more than the whole window of {window}" if tokens >= window else f"of a window of {window}"
        evidence = f"{where} comes to {tokens} tokens, {over}: prompt and answer overflow it (HTTP 400)"
        yield Cause(
            name="output-cap", evidence=evidence, fix=f"set {where} to {cap}; or {_again(connection)}"
        )


def _no_key(evidence: str, connection: Connection) -> Cause:
    fix = f"{connection.auth.key_hint}; then: onprem-agents setup --key-file FILE"
    return Cause(name="key-missing", evidence=evidence, fix=fix)


def _not_set_up(evidence: str, connection: Connection) -> Cause:
    return Cause(name="not-set-up", evidence=evidence, fix=_again(connection))


def _again(connection: Connection) -> str:
    return f"run: onprem-agents setup --host {connection.anthropic_base_url.removeprefix('https://')}"


def _number(text: str, default: int) -> int:
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else default
