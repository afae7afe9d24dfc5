"""The lines for the start file of bash, zsh, fish or PowerShell, and where that file lies."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from typing import Literal

from onprem_agents.agents.environment import KEY_FOLDER, Environment

Shell = Literal["bash", "zsh", "fish", "powershell"]
PATH_HINTS: dict[Shell, str] = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshrc",
    "fish": "~/.config/fish/config.fish",
    "powershell": "$PROFILE",
}
# Setup's own file, in its own folder, that the shell's start file reads; and that start file, below the home.
SHELL_FILES: dict[Shell, str] = {
    "bash": "env.sh",
    "zsh": "env.sh",
    "fish": "env.fish",
    "powershell": "env.ps1",
}
SHELL_START: dict[Shell, str] = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}
MARK = "# onprem-coding-agents"


def start_line(shell: Shell) -> str:
    """Return the line that makes a shell's start file read the variables."""
    file = f"$HOME/{KEY_FOLDER}/{SHELL_FILES[shell]}"
    match shell:
        case "fish":
            return f'test -r "{file}"; and source "{file}" {MARK}'
        case "powershell":
            return f'. "{file}" {MARK}'
        case "bash" | "zsh":
            return f'[ -r "{file}" ] && . "{file}" {MARK}'


def script(environment: Environment, shell: Shell) -> str:
    """Return the lines for that shell's start file, with a final newline."""
    writers: dict[Shell, Callable[[Environment], Iterator[str]]] = {
        "bash": _posix,
        "zsh": _posix,
        "fish": _fish,
        "powershell": _powershell,
    }
    notes = [f"# {note}" for note in environment.notes]
    return "\n".join([*notes, *writers[shell](environment)]) + "\n"


def _replacement(name: str) -> str:
    return "ONPREM_" + name.removeprefix("npm_config_").upper()


def _posix(environment: Environment) -> Iterator[str]:
    for name, file in environment.keys.items():
        yield f'export {name}="${{{name}:-$(cat "$HOME/{KEY_FOLDER}/{file}")}}"'
    for name in environment.removed:
        yield f"unset {name}"
    for name, value in environment.values.items():
        yield f"export {name}={shlex.quote(value)}"
    for name, source in environment.copies.items():
        yield f'export {name}="${source}"'
    if environment.no_proxy:
        yield f'export NO_PROXY="${{NO_PROXY:+$NO_PROXY,}}{",".join(environment.no_proxy)}"'
        yield 'export no_proxy="$NO_PROXY"'
    for command, values in environment.for_command.items():
        settings = " ".join(f'{name}="${{{_replacement(name)}:-{value}}}"' for name, value in values.items())
        yield f'{command}() {{ {settings} command {command} "$@"; }}'


def _fish(environment: Environment) -> Iterator[str]:
    for name, file in environment.keys.items():
        yield f"set -q {name}; or set -gx {name} (cat ~/{KEY_FOLDER}/{file})"
    for name in environment.removed:
        yield f"set -e {name}"
    for name, value in environment.values.items():
        yield f"set -gx {name} {_fish_quoted(value)}"
    for name, source in environment.copies.items():
        yield f"set -gx {name} ${source}"
    if environment.no_proxy:
        hosts = _fish_quoted(",".join(environment.no_proxy))
        yield f"set -q NO_PROXY; and set -gx NO_PROXY $NO_PROXY,{hosts}; or set -gx NO_PROXY {hosts}"
        yield "set -gx no_proxy $NO_PROXY"
    for command, values in environment.for_command.items():
        for name, value in values.items():
            yield f"set -q {_replacement(name)}; or set -g {_replacement(name)} {_fish_quoted(value)}"
        settings = " ".join(f"{name}=${_replacement(name)}" for name in values)
        yield f"function {command}; env {settings} (command -s {command}) $argv; end"


def _powershell(environment: Environment) -> Iterator[str]:
    for name, file in environment.keys.items():
        path = f'"$HOME/{KEY_FOLDER}/{file}"'
        yield f"if (-not $env:{name}) {{ $env:{name} = (Get-Content -Raw {path}).Trim() }}"
    for name in environment.removed:
        yield f"Remove-Item Env:{name} -ErrorAction SilentlyContinue"
    for name, value in environment.values.items():
        yield f"$env:{name} = {_powershell_quoted(value)}"
    for name, source in environment.copies.items():
        yield f"$env:{name} = $env:{source}"
    if environment.no_proxy:
        hosts = _powershell_quoted(",".join(environment.no_proxy))
        yield f"$env:NO_PROXY = (@($env:NO_PROXY, {hosts}) | Where-Object {{ $_ }}) -join ','"
    for command, values in environment.for_command.items():
        for name, value in values.items():
            own = f"$env:{_replacement(name)}"
            yield f"if (-not {own}) {{ {own} = {_powershell_quoted(value)} }}"
        before = " ".join(f"$env:{name} = $env:{_replacement(name)};" for name in values)
        after = " ".join(f"Remove-Item Env:{name};" for name in values)
        run = f"& (Get-Command {command} -CommandType Application | Select-Object -First 1) @args"
        yield f"function {command} {{ {before} try {{ {run} }} finally {{ {after} }} }}"


def _fish_quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _powershell_quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
