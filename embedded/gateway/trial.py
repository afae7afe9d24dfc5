"""The Pulumi project of a trial: the checkout's own, but for its program, which redirects what leads to the models.

Project name, stacks, backend and state are the checkout's. So the engine changes a few objects and adds Backends,
and the next plain update, whoever runs it, takes exactly that back.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from embedded.gateway.redirect import Redirect

REDIRECT_FILE = "redirect.json"
_LINKS = ("onprem_agents", "components", "policy", "stacks")
_PROGRAM = Path(__file__).with_name("program.py")


def write_project(folder: Path, checkout: Path, redirect: Redirect) -> None:
    """Make the project of a trial in `folder`, in place of an earlier one."""
    remove_project(folder)
    folder.mkdir(parents=True)
    shutil.copy(checkout / "Pulumi.yaml", folder / "Pulumi.yaml")
    for name in _LINKS:
        (folder / name).symlink_to(checkout / name)
    (folder / "__main__.py").symlink_to(_PROGRAM)
    # Pulumi.yaml names it; the official language host looks there, the stand-in runs on this interpreter.
    (folder / ".venv").symlink_to(sys.prefix)
    redirect.write(folder / REDIRECT_FILE)


def remove_project(folder: Path) -> None:
    """Remove the project of a trial; it may be missing."""
    shutil.rmtree(folder, ignore_errors=True)
