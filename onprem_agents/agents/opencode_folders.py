"""What lies in opencode's own folders (opencode 1.18.33, its program looked into and run 2026-11-28).

At each start it installs the library for people who write plugins, `@opencode-ai/plugin`, into its folder of settings,
into `~/.opencode` and into the `.opencode` folders of a repository, from the registry that the user's npm names: the
public one where nothing is said. It looks for a folder `node_modules` and for the library's name in
`package-lock.json`; where both are there, no registry is asked. There is no setting for it, and a variable for its
registry would reach every `npm install` that the agent runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from onprem_agents.agents.config import Premade
from onprem_agents.agents.machine import Machine, Scope

LIBRARY = "@opencode-ai/plugin"
_LOCK = {"lockfileVersion": 3, "requires": True, "packages": {"": {"dependencies": {LIBRARY: "*"}}}}
_INSTALLED = ("node_modules", "package.json", "package-lock.json", "bun.lock")
_CODE = ("plugin", "plugins", "tool", "tools")
_README = f"""\
Made by onprem-agents setup: with this folder and package-lock.json beside it, opencode asks no registry for
{LIBRARY} at its start. To write plugins or tools of your own, run this in the folder above:
npm install {LIBRARY}
"""


def premade(machine: Machine, scope: Scope) -> Iterator[Premade]:
    """Yield what must lie in the folders so that nothing is installed; nothing where the user installs there."""
    lock = json.dumps(_LOCK, indent=2) + "\n"
    for folder in _folders(machine, scope):
        path = folder / "package-lock.json"
        if not _says(path, lock) and any((folder / name).exists() for name in (*_INSTALLED, *_CODE)):
            continue
        why = "so that opencode asks no registry at its start"
        yield Premade(path=path, content=lock, why=why)
        yield Premade(path=folder / "node_modules" / "README", content=_README, why=why)


@dataclass(frozen=True, kw_only=True)
class Hosted:
    """The provider of the maker's own hosted models, which is offered without any login, and what shows its use.

    `folder` is where logins lie, below the user's data.
    """

    provider: str
    key_variable: str
    folder: str


def _says(path: Path, content: str) -> bool:
    try:
        return path.read_bytes() == content.encode()
    except OSError:
        return False


def hosted_is_used(machine: Machine, providers: object, hosted: Hosted) -> bool:
    """Tell whether the user works with the maker's hosted models: set up as a provider, by variable or by login."""
    listed = isinstance(providers, dict) and hosted.provider in providers
    if listed or machine.variables.get(hosted.key_variable):
        return True
    logins = machine.folder("XDG_DATA_HOME", ".local/share") / hosted.folder / "auth.json"
    try:
        found = json.loads(logins.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and hosted.provider in found


def _folders(machine: Machine, scope: Scope) -> tuple[Path, ...]:
    match scope:
        case "user":
            own = machine.folder("XDG_CONFIG_HOME", ".config") / "opencode"
            return own, *(folder for folder in (machine.home / ".opencode",) if folder.is_dir())
        case "project":
            return tuple(folder for folder in (machine.project / ".opencode",) if folder.is_dir())
        case "managed":
            return ()
