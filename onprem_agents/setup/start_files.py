"""The files that shells read at their start: a user's own, and those of a whole machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import get_args

from onprem_agents.agents.machine import Machine
from onprem_agents.setup.changes import Change, find
from onprem_agents.setup.shell import MARK, SHELL_FILES, Shell, start_line

# Below a root: what login shells of bash and dash read (bash 5.2, /etc/profile of Debian and Red Hat), fish 3.7's own
# folder, and the files of shells that are no login shells, each where the system has them.
_PROFILE = "etc/profile.d/onprem-agents.sh"
_FISH, _FISH_FOLDER = "etc/fish/conf.d/onprem-agents.fish", "etc/fish"
_FOR = "# onprem-agents setup: "
_NO_LOGIN = {"etc/bash.bashrc": "etc", "etc/zsh/zshenv": "etc/zsh"}


def start_file(shell: Shell, machine: Machine) -> Path | None:
    """Return the start file of a user's shell; None where its place is the shell's own secret."""
    match shell:
        case "bash":  # macOS opens login shells, which read no .bashrc
            return machine.home / (".bash_profile" if machine.system == "macos" else ".bashrc")
        case "zsh":
            return machine.folder("ZDOTDIR", "") / ".zshrc"
        case "fish":
            return machine.folder("XDG_CONFIG_HOME", ".config") / "fish" / "config.fish"
        case "powershell":  # on Windows below "Documents", which may lie anywhere
            folder = machine.folder("XDG_CONFIG_HOME", ".config") / "powershell"
            return None if machine.system == "windows" else folder / "Microsoft.PowerShell_profile.ps1"


def served(machine: Machine) -> frozenset[str]:
    """Return the agents that setup's own files were written for, of whichever shell."""
    files = (find(machine.own_folder / name) for name in set(SHELL_FILES.values()))
    heads = ((file.content or b"").decode("utf-8", "replace").partition("\n")[0] for file in files)
    return frozenset(
        name for head in heads if head.startswith(_FOR) for name in head.removeprefix(_FOR).split()
    )


def of_user(machine: Machine, shell: Shell, names: Iterable[str], lines: str) -> Iterator[Change]:
    """Yield setup's own file for these agents, and the line in the shell's start file that reads it."""
    content = f"{_FOR}{' '.join(names)}\n{lines}"
    yield Change(found=find(machine.own_folder / SHELL_FILES[shell]), content=content.encode())
    if (path := start_file(shell, machine)) is not None:
        yield _with_line(path, start_line(shell))


def shell_of_setup(machine: Machine) -> Shell | None:
    """Return the shell that setup wrote its file for; None for none, or where its line was left out or is gone."""
    shells: tuple[Shell, ...] = get_args(Shell)
    for shell in shells:
        path = start_file(shell, machine)
        if (machine.own_folder / SHELL_FILES[shell]).exists() and (
            path is None or MARK.encode() in (find(path).content or b"")
        ):
            return shell
    return None


def spares_proxy(machine: Machine, shell: Shell | None) -> bool:
    """Tell whether setup's file keeps the platform away from the shell's proxy; so it is where there is none."""
    return shell is None or b"NO_PROXY" in (
        find(machine.own_folder / SHELL_FILES[shell]).content or b"NO_PROXY"
    )


def of_machine(machine: Machine, lines: Callable[[Shell], str]) -> Iterator[Change]:
    """Yield the files that every user's shell reads; none on systems other than Linux, which have no such folders."""
    if machine.system != "linux":
        return
    root = machine.root
    yield Change(found=find(root / _PROFILE), content=lines("bash").encode(), mode=0o644)
    if (root / _FISH_FOLDER).is_dir():
        yield Change(found=find(root / _FISH), content=lines("fish").encode(), mode=0o644)
    for name, folder in _NO_LOGIN.items():
        if (root / name).exists() or (folder != "etc" and (root / folder).is_dir()):
            yield _with_line(root / name, f'[ -r "/{_PROFILE}" ] && . "/{_PROFILE}" {MARK}')


def by_hand(machine: Machine) -> tuple[str, ...]:
    """Return what is left to whoever looks after a machine without such folders."""
    if machine.system == "linux":
        return ()
    shown = "powershell" if machine.system == "windows" else "zsh"
    note = (
        "No file here holds variables for all users: set those that onprem-agents setup --print"
        f" --shell {shown} shows, without the key, by your own management."
    )
    return (note,)


def _with_line(path: Path, line: str) -> Change:
    found = find(path)
    content = found.content or b""
    if MARK.encode() in content:
        return Change(found=found, content=content, kind="lines")
    gap = b"" if not content or content.endswith(b"\n") else b"\n"
    return Change(found=found, content=content + gap + line.encode() + b"\n", kind="lines")
