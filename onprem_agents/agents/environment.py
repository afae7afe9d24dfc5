"""The environment that agents start in, as text for bash, zsh, fish and PowerShell.

A key is read, never written: from its variable or, failing that, from a file of the developer's own
under ~/.config/onprem.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

Shell = Literal["bash", "zsh", "fish", "powershell"]
KEY_FOLDER = ".config/onprem"
PATH_HINTS: dict[Shell, str] = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshrc",
    "fish": "~/.config/fish/config.fish",
    "powershell": "$PROFILE",
}


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Variables by how they come about; names are fixed words of the agents or of the contract.

    `keys`: variable → file name under KEY_FOLDER; `values`: constants; `copies`: variable → variable it is
    taken from; `removed`: must be unset; `no_proxy`: hosts reached without a proxy; `for_command`: command →
    constants that only it may see, each replaceable by a variable ONPREM_<NAME>.
    """

    keys: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    no_proxy: tuple[str, ...] = ()
    for_command: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def merged(environments: Iterable[Environment]) -> Environment:
    """Return the union, in order; a later constant of the same name replaces an earlier one."""
    parts = list(environments)
    return Environment(
        keys={name: file for part in parts for name, file in part.keys.items()},
        values={name: value for part in parts for name, value in part.values.items()},
        copies={name: source for part in parts for name, source in part.copies.items()},
        removed=tuple(dict.fromkeys(name for part in parts for name in part.removed)),
        no_proxy=tuple(dict.fromkeys(host for part in parts for host in part.no_proxy)),
        for_command={name: values for part in parts for name, values in part.for_command.items()},
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


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
