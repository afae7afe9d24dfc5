"""The wrong settings that every agent can have: each with the file's key, why it fails, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from onprem_agents.agents.diagnosis import Diagnosis
from onprem_agents.contract.connection import Connection
from onprem_agents.stack.untrusted import shown

# What opencode 1.18.33 and Claude Code 2.1.330 send when nothing is said, 2026-11. For the window Claude Code takes
# 1,000,000 tokens, opencode and Codex never compact.
DEFAULT_OUTPUT_TOKENS = 32_000


def address(where: str, url: str, right: str, connection: Connection) -> Iterator[Diagnosis]:
    """Yield what is wrong with the address of the platform."""
    if url.rstrip("/") == right:
        return
    if url.rstrip("/") == f"{right}/v1":
        evidence = f"{where} is {shown(url)}; Claude Code adds /v1 by itself, so it asks for /v1/v1/messages"
        yield Diagnosis(cause="url-with-v1", evidence=evidence, fix=f"set {where} to {right}")
    elif f"{url.rstrip('/')}/v1" == right:
        evidence = f"{where} is {shown(url)}, without the /v1 that this agent expects in it"
        yield Diagnosis(cause="url-without-v1", evidence=evidence, fix=f"set {where} to {right}")
    else:
        evidence = f"{where} is {shown(url)}, the platform is at {right}"
        yield Diagnosis(
            cause="url-other", evidence=evidence, fix=f"set {where} to {right}; or {again(connection)}"
        )


def model(where: str, name: str, connection: Connection, *, before: str = "") -> Iterator[Diagnosis]:
    """Yield a model that the platform does not serve; `before` is what the agent puts before each name."""
    known = [role.model for role in connection.roles]
    if name not in known:
        found = f"{where} is {shown(before + name)}" if name else f"{where} is none of the platform's"
        evidence = f"{found}, the platform serves {', '.join(known)}"
        fix = f"set {where} to {before}{connection.main.model}: the served name"
        yield Diagnosis(cause="model", evidence=evidence, fix=fix)


def window(
    where: str, tokens: int | None, connection: Connection, *, most: int | None = None
) -> Iterator[Diagnosis]:
    """Yield a window that is larger than the served one, or not set; `most` is what of it a prompt may have."""
    served = connection.main.context_tokens
    right = served if most is None else most
    if tokens is None or tokens > right:
        found = (
            f"{where} is not set, so the agent never compacts in time"
            if tokens is None
            else f"{where} is {tokens}"
        )
        evidence = f"{found}; the served window is {served} tokens"
        fix = f"set {where} to {right}; or {again(connection)}"
        yield Diagnosis(cause="window", evidence=evidence, fix=fix)


def output_cap(where: str, tokens: int, connection: Connection) -> Iterator[Diagnosis]:
    """Yield an output cap with which prompt and answer overflow the window."""
    cap, served = connection.main.max_output_tokens, connection.main.context_tokens
    if tokens > cap:
        over = f"more than the whole window of {served}" if tokens >= served else f"of a window of {served}"
        evidence = f"{where} comes to {tokens} tokens, {over}: prompt and answer overflow it (HTTP 400)"
        fix = f"set {where} to {cap}; or {again(connection)}"
        yield Diagnosis(cause="output-cap", evidence=evidence, fix=fix)


def no_key(evidence: str, connection: Connection) -> Diagnosis:
    """Return the diagnosis that the agent has no key to send."""
    fix = f"{connection.auth.key_hint}; then: onprem-agents setup --key-file FILE"
    return Diagnosis(cause="key-missing", evidence=evidence, fix=fix)


def no_key_in_shell(variable: str, evidence: str, key_file: Path, connection: Connection) -> Diagnosis:
    """Return the diagnosis that a key's variable is not set; no new shell has it either without the file it is from."""
    otherwise = no_key(evidence, connection)
    from_file = any(f"/{key_file.parent.name}/{key_file.name}" in text for text in _for_shells(key_file))
    if from_file and not key_file.exists():
        return otherwise
    return not_in_shell(variable, evidence, key_file, otherwise=otherwise)


def not_in_shell(variable: str, evidence: str, key_file: Path, *, otherwise: Diagnosis) -> Diagnosis:
    """Return the diagnosis of a variable that is not set: a shell from before setup, or else that other one."""
    if not any(variable in text for text in _for_shells(key_file)):
        return otherwise
    fix = "start a new shell: setup wrote it for the shells to come"
    return Diagnosis(cause="old-shell", evidence=evidence, fix=fix)


def _for_shells(key_file: Path) -> Iterator[str]:
    """Yield what setup wrote for the shells to come, beside the key."""
    files = (key_file.parent / name for name in ("env.sh", "env.fish", "env.ps1"))
    yield from (file.read_text("utf-8", "replace") for file in files if file.is_file())


def not_set_up(evidence: str, connection: Connection) -> Diagnosis:
    """Return the diagnosis that the agent's files do not name the platform at all."""
    return Diagnosis(cause="not-set-up", evidence=evidence, fix=again(connection))


def again(connection: Connection) -> str:
    """Return what brings an agent's files to what the platform publishes."""
    return f"run: onprem-agents setup --host {connection.anthropic_base_url.removeprefix('https://')}"


def number(text: str, default: int) -> int:
    """Return a whole number of at most nine digits, or the default for any other text."""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else default
