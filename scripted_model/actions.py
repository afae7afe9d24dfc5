"""What the stand-in can do, and under which name each agent offers it (agents of 2026-11).

Claude Code 2.1.330: Write, Read, Edit, Bash. opencode 1.18.33: the same in lower case, parameters in camelCase.
Codex CLI 0.169.0 has one tool, `exec_command`, which runs a shell; Cline 3.0.65 takes a list of commands.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripted_model.turn import Call, Tool

_MOST_DEPTH = 8


@dataclass(frozen=True, kw_only=True)
class Create:
    """Write a new file."""

    file: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Read:
    """Read a file."""

    file: str


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Replace one text in a file by another."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """Run a command in a shell."""

    command: str


@dataclass(frozen=True, kw_only=True)
class Use:
    """Use a tool by its own name, which may stand behind that of its server."""

    tool: str
    parameter: str
    value: str


Action = Create | Read | Edit | Run | Use

# Names of tools and of their parameters, compared without case, dashes and underscores.
_TOOLS: dict[type[Action], frozenset[str]] = {
    Create: frozenset({"write", "writefile", "createfile"}),
    Read: frozenset({"read", "readfile"}),
    Edit: frozenset({"edit", "editfile", "strreplace"}),
    Run: frozenset({"bash", "shell", "execcommand", "runcommand", "runcommands", "runshellcommand"}),
}
_PARAMETERS: dict[str, frozenset[str]] = {
    "file": frozenset({"filepath", "path", "file", "filename"}),
    "content": frozenset({"content", "text", "contents"}),
    "old": frozenset({"oldstring", "oldstr", "old"}),
    "new": frozenset({"newstring", "newstr", "new"}),
    "command": frozenset({"command", "cmd", "commands"}),
}

_SANDBOX = "sandbox_permissions"  # Codex CLI 0.169.0, 2026-11: use_default or require_escalated


def performed_with(
    action: Action, tools: Sequence[Tool], folder: str | None, *, escalated: bool = False
) -> Call | None:
    """Return the call that performs the action, with a shell when no tool of its own is offered, else None.

    `folder` is where the agent works: file tools want absolute paths. `escalated`: a shell is to run outside of the
    agent's sandbox, for which Codex asks its user.
    """
    if isinstance(action, Use):
        named = [tool for tool in tools if re.search(rf"(?:^|_){re.escape(action.tool)}\Z", tool.name)]
        fitting = [tool for tool in named if action.parameter in tool.parameters]
        return _used(action, fitting[0]) if fitting else None
    own = _tool(type(action), tools)
    if own is not None:
        values = {name: getattr(action, name) for name in action.__dataclass_fields__}
        if "file" in values and folder is not None:
            values["file"] = posixpath.join(folder, values["file"])
        arguments = _arguments(own, values)
        if arguments is not None:
            return Call(name=own.name, arguments=arguments)
    shell = _tool(Run, tools)
    if shell is None:
        return None
    arguments = _arguments(shell, {"command": _in_shell(action)})
    if arguments is None:
        return None
    if escalated and _SANDBOX in shell.parameters:
        arguments[_SANDBOX] = "require_escalated"
    return Call(name=shell.name, arguments=arguments)


def _used(action: Use, tool: Tool) -> Call:
    return Call(name=tool.name, arguments=filler(tool.schema) | {action.parameter: action.value})


def filler(schema: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return arguments that satisfy the required part of a JSON Schema, for calls that somebody insists on."""
    properties = schema.get("properties") or {}
    required = schema.get("required") or []
    return {name: _filled(properties.get(name) or {}, depth + 1) for name in required}


def _filled(schema: Mapping[str, Any], depth: int) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" and depth < _MOST_DEPTH:
        return filler(schema, depth)
    plain: dict[object, Any] = {
        "integer": 1,
        "number": 1,
        "boolean": True,
        "array": [],
        "object": {},
        "null": None,
    }
    return plain.get(kind if isinstance(kind, str) else None, "scripted")


def _tool(kind: type[Action], tools: Sequence[Tool]) -> Tool | None:
    return next((tool for tool in tools if _folded(tool.name) in _TOOLS[kind]), None)


def _arguments(tool: Tool, values: Mapping[str, str]) -> dict[str, Any] | None:
    properties = tool.schema.get("properties") or {}
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        fitting = [own for own in tool.parameters if _folded(own) in _PARAMETERS[name]]
        if not fitting:
            return None
        several = (properties.get(fitting[0]) or {}).get("type") == "array"
        arguments[fitting[0]] = [value] if several else value
    missing = [name for name in tool.schema.get("required") or [] if name not in arguments]
    return arguments | {name: _filled(properties.get(name) or {}, 1) for name in missing}


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def _in_shell(action: Create | Read | Edit | Run) -> str:
    if isinstance(action, Run):
        return action.command
    file = shlex.quote(action.file)
    if isinstance(action, Read):
        return f"cat {file}"
    if isinstance(action, Create):
        return f"printf '%s\\n' {shlex.quote(action.content)} > {file}"
    old = re.sub(r"([\\/.*^$\[\]])", r"\\\1", action.old)
    new = re.sub(r"([\\/&])", r"\\\1", action.new)
    return f"sed -i {shlex.quote(f's/{old}/{new}/')} {file}"
