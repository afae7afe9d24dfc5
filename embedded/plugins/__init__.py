"""Stand-ins for the two Pulumi plugins that come only with the official download.

Each is a launcher script in this checkout's `PULUMI_HOME`, where the engine looks after `PATH` and the folder
of the `pulumi` file itself. Official plugins always win, and nothing is written outside of the checkout's state.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

# The stand-ins themselves start with this package, several times a minute: what only `install` needs is
# imported there.
if TYPE_CHECKING:
    from embedded.layout import Layout
    from embedded.toolchain import Binary

LANGUAGE_HOST = "pulumi-language-python"
PROVIDER = "pulumi-resource-kubernetes"
_MARK = "stand-in of onprem-coding-agents"


@dataclass(frozen=True, kw_only=True)
class _Plugin:
    """One plugin: its file's name, the version that the engine asks for, its folder, the module that serves it."""

    file: str
    version: str
    folder: str
    module: str


def install(layout: Layout, pulumi: Binary) -> list[Binary]:
    """Put a stand-in where the engine looks for each plugin that is not there officially; return those.

    May be called at every start: it writes only what differs, and takes a stand-in away once the official
    plugin is there. The engine is kept from fetching a provider by itself: nobody could say for how long, and no
    committed checksum would vouch for it.
    """
    from embedded.toolchain import Binary

    plugins = layout.pulumi_home / "plugins"
    installed = []
    for plugin in _plugins(pulumi):
        launcher = plugins / plugin.folder / plugin.file
        if _official(plugin, launcher, pulumi) is None:
            _write(launcher, _script(layout, plugin))
            installed.append(
                Binary(name=plugin.file, version=plugin.version, origin="stand-in", path=launcher)
            )
        elif is_stand_in(launcher):
            shutil.rmtree(launcher.parent)
    return installed


def is_stand_in(file: Path) -> bool:
    """Whether a file is a launcher written here."""
    try:
        return _MARK.encode() in file.read_bytes()[:4096]
    except OSError:
        return False


def _plugins(pulumi: Binary) -> tuple[_Plugin, _Plugin]:
    from importlib.metadata import version

    sdk = version("pulumi-kubernetes")
    return (
        _Plugin(
            file=LANGUAGE_HOST,
            version=pulumi.version,
            folder=f"language-python-v{pulumi.version}",
            module="embedded.plugins.language_python",
        ),
        _Plugin(
            file=PROVIDER,
            version=sdk,
            folder=f"resource-kubernetes-v{sdk}",
            module="embedded.plugins.kubernetes.start",
        ),
    )


def _official(plugin: _Plugin, launcher: Path, pulumi: Binary) -> Path | None:
    """Return where the engine finds the official plugin; None when there is none."""
    on_path = shutil.which(plugin.file)
    places = [pulumi.path.resolve().parent / plugin.file, launcher, *([Path(on_path)] if on_path else [])]
    for place in places:
        if place.is_file() and not is_stand_in(place):
            return place
    return None


def _script(layout: Layout, plugin: _Plugin) -> str:
    start = (
        f"import sys; sys.path.insert(0, {str(layout.checkout)!r});"
        f" from {plugin.module} import main; sys.path.pop(0); main()"
    )
    return (
        "#!/bin/sh\n"
        f"# {plugin.file}: {_MARK}; made anew at every start\n"
        f'exec {shlex.quote(sys.executable)} -P -c {shlex.quote(start)} "$@"\n'
    )


def _write(file: Path, text: str) -> None:
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".part")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(0o755)
    draft.replace(file)
