"""The two Pulumi plugins of a stack, put where the engine looks for them.

That is this checkout's `PULUMI_HOME`: nothing is written outside of the checkout's state. The Kubernetes provider is
the official one, as `embedded.toolchain` found or built it. The Python language host comes only with the official
download of the engine; where it did not, a launcher of a stand-in takes its place.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

# The stand-in itself starts with this package, several times a minute: what only `install` needs is imported there.
if TYPE_CHECKING:
    from embedded.layout import Layout
    from embedded.toolchain import Binary

PROGRAMS = ("pulumi", "pulumi-kubernetes")
"""What `provision` must bring for a stack: the engine and its Kubernetes provider."""

LANGUAGE_HOST = "pulumi-language-python"
PROVIDER = "pulumi-resource-kubernetes"
_MARK = "stand-in of onprem-coding-agents"


def install(layout: Layout, binaries: Mapping[str, Binary]) -> list[Binary]:
    """Put both plugins where the engine looks, and return those that are put there.

    May be called at every start: it writes only what differs, and takes away what an earlier start put there and
    nobody needs now. What is official beside the engine, on PATH or in the plugin folder is left alone.
    """
    folder = layout.pulumi_home / "plugins"
    installed = [*_install_language_host(layout, folder, binaries["pulumi"])]
    provider = binaries.get("pulumi-kubernetes")
    if provider is not None:
        _link(folder, provider)
        installed.append(provider)
    return installed


def is_stand_in(file: Path) -> bool:
    """Whether a file is a launcher written here."""
    try:
        return _MARK.encode() in file.read_bytes()[:4096]
    except OSError:
        return False


def _install_language_host(layout: Layout, folder: Path, pulumi: Binary) -> list[Binary]:
    from embedded.toolchain import Binary

    launcher = folder / f"language-python-v{pulumi.version}" / LANGUAGE_HOST
    on_path = shutil.which(LANGUAGE_HOST)
    places = [pulumi.path.resolve().parent / LANGUAGE_HOST, launcher, *([Path(on_path)] if on_path else [])]
    if any(place.is_file() and not is_stand_in(place) for place in places):
        if is_stand_in(launcher):
            shutil.rmtree(launcher.parent)
        return []
    _write(launcher, _script(layout))
    return [Binary(name=LANGUAGE_HOST, version=pulumi.version, origin="stand-in", path=launcher)]


def _link(folder: Path, provider: Binary) -> None:
    """Link to the provider under the version that it has, and take away the links to others."""
    link = folder / f"resource-kubernetes-v{provider.version}" / PROVIDER
    for other in folder.glob(f"resource-kubernetes-v*/{PROVIDER}"):
        if other != link and (other.is_symlink() or is_stand_in(other)):
            shutil.rmtree(other.parent)
    if provider.path == link or (link.is_symlink() and link.readlink() == provider.path):
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(provider.path)


def _script(layout: Layout) -> str:
    start = (
        f"import sys; sys.path.insert(0, {str(layout.checkout)!r});"
        " from embedded.plugins.language_python import main; sys.path.pop(0); main()"
    )
    return (
        "#!/bin/sh\n"
        f"# {LANGUAGE_HOST}: {_MARK}; made anew at every start\n"
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
