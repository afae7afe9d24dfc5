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
# Setup's own file, in its own folder, that the shell's start file reads.
SHELL_FILES: dict[Shell, str] = {
    "bash": "env.sh",
    "zsh": "env.sh",
    "fish": "env.fish",
    "powershell": "env.ps1",
}
MARK = "# onprem-coding-agents"
# Programs read one of the two spellings each, so both hold what either held before, and our hosts, each once. A lone
# star stands for every host and must stay alone (curl and Node.js read it so).
_POSIX_NO_PROXY = """\
if [ "${NO_PROXY:-}" != "*" ] && [ "${no_proxy:-}" != "*" ]; then
  onprem_rest="${no_proxy:-},HOSTS,"
  while [ -n "$onprem_rest" ]; do
    case ",${NO_PROXY:-},," in
      *",${onprem_rest%%,*},"*) ;;
      *) NO_PROXY="${NO_PROXY:+$NO_PROXY,}${onprem_rest%%,*}" ;;
    esac
    onprem_rest="${onprem_rest#*,}"
  done
  unset onprem_rest
  export NO_PROXY no_proxy="$NO_PROXY"
fi"""
_FISH_NO_PROXY = """\
if not contains -- '*' "$NO_PROXY" "$no_proxy"
    for onprem_host in (string split -n , -- $no_proxy) HOSTS
        contains -- $onprem_host (string split -n , -- $NO_PROXY)
        or set -gx NO_PROXY (string join , -- (string split -n , -- $NO_PROXY) $onprem_host)
    end
    set -e onprem_host
    set -gx no_proxy $NO_PROXY
end"""
_POWERSHELL_NO_PROXY = """\
if ($env:NO_PROXY -ne '*') {
    $env:NO_PROXY = (@("$env:NO_PROXY".Split(',') + @(HOSTS) | Where-Object { $_ } | Select-Object -Unique)) -join ','
}"""


def start_line(shell: Shell) -> str:
    """Return the line that makes a shell's start file read the variables."""
    file = f"$HOME/{KEY_FOLDER}/{SHELL_FILES[shell]}"
    match shell:
        case "fish":
            return f'test -r "{file}"; and source "{file}" {MARK}'
        case "powershell":
            return f'if (Test-Path "{file}") {{ . "{file}" }} {MARK}'
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


def _read_already(environment: Environment) -> Iterator[tuple[str, str, str | None]]:
    """Yield each variable of a key with its file and the variable that got the key of that file before it."""
    first: dict[str, str] = {}
    for name, file in environment.keys.items():
        yield name, file, first.get(file)
        first.setdefault(file, name)


def _posix(environment: Environment) -> Iterator[str]:
    for name, file, before in _read_already(environment):
        value = f"${before}" if before else f'$(cat "$HOME/{KEY_FOLDER}/{file}")'
        yield f'export {name}="${{{name}:-{value}}}"'
    for name in environment.removed:
        yield f"unset {name}"
    for name, value in environment.values.items():
        yield f"export {name}={shlex.quote(value)}"
    for name, source in environment.copies.items():
        yield f'export {name}="${source}"'
    if environment.no_proxy:
        yield _POSIX_NO_PROXY.replace("HOSTS", ",".join(environment.no_proxy))


def _fish(environment: Environment) -> Iterator[str]:
    for name, file, before in _read_already(environment):
        value = f"${before}" if before else f"(cat ~/{KEY_FOLDER}/{file})"
        yield f"set -q {name}; or set -gx {name} {value}"
    for name in environment.removed:
        yield f"set -e {name}"
    for name, value in environment.values.items():
        yield f"set -gx {name} {_fish_quoted(value)}"
    for name, source in environment.copies.items():
        yield f"set -gx {name} ${source}"
    if environment.no_proxy:
        yield _FISH_NO_PROXY.replace("HOSTS", " ".join(map(_fish_quoted, environment.no_proxy)))


def _powershell(environment: Environment) -> Iterator[str]:
    for name, file, before in _read_already(environment):
        value = f"$env:{before}" if before else f'(Get-Content -Raw "$HOME/{KEY_FOLDER}/{file}").Trim()'
        yield f"if (-not $env:{name}) {{ $env:{name} = {value} }}"
    for name in environment.removed:
        yield f"Remove-Item Env:{name} -ErrorAction SilentlyContinue"
    for name, value in environment.values.items():
        yield f"$env:{name} = {_powershell_quoted(value)}"
    for name, source in environment.copies.items():
        yield f"$env:{name} = $env:{source}"
    if environment.no_proxy:
        hosts = ", ".join(map(_powershell_quoted, environment.no_proxy))
        yield _POWERSHELL_NO_PROXY.replace("HOSTS", hosts)


def _fish_quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _powershell_quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
