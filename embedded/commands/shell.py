"""`./dev shell`: a command, or a shell, that sees the local default."""

from __future__ import annotations

import os
import shutil
import sysconfig
from collections.abc import Sequence

from embedded import plugins
from embedded.engine import engine_environment
from embedded.layout import Layout
from embedded.progress import Progress
from embedded.toolchain import present
from onprem_agents.errors import EnvironmentProblem

_NO_ENGINE = "the engine is not there yet: run ./dev up first"


def shell(layout: Layout, command: Sequence[str], progress: Progress) -> None:
    """Replace this process by `command`, or by the user's shell, in the checkout's folder."""
    binaries = present(layout)
    pulumi = binaries.get("pulumi")
    if pulumi is not None:
        plugins.install(layout, binaries)
    folders = [sysconfig.get_path("scripts"), *(str(binary.path.parent) for binary in binaries.values())]
    environment = {
        **os.environ,
        **engine_environment(layout, binaries),
        "PATH": os.pathsep.join([*dict.fromkeys(folders), os.environ.get("PATH", os.defpath)]),
    }
    words = list(command) or [os.environ.get("SHELL") or "/bin/sh"]
    program = shutil.which(words[0], path=environment["PATH"])
    if program is None:
        hint = f": {_NO_ENGINE}" if words[0] == "pulumi" else ""
        raise EnvironmentProblem(f"there is no command {words[0]!r} on PATH{hint}")
    if pulumi is None and (not command or words[0] == "pulumi"):
        progress.note(_NO_ENGINE)
    if not command:
        progress.note("KUBECONFIG, PULUMI_* and PATH point at the local default; leave with `exit`")
    os.chdir(layout.checkout)
    os.execve(program, words, environment)  # noqa: S606 - the caller's own command
