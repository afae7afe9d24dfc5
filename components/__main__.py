"""What the engine starts to host the components for programs in other languages.

The folder is called `components` in the repository and `onprem_agents_components` where the package is installed.
Its language host takes the first `python3` on PATH, which need not be the one of the environment with the packages.
"""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
_INTERPRETERS = (_FOLDER.parent / ".venv/bin/python", _FOLDER.parents[3] / "bin/python")

if find_spec("pulumi") is None:
    for interpreter in _INTERPRETERS:
        if interpreter.is_file() and not interpreter.samefile(sys.executable):
            os.execv(interpreter, [str(interpreter), *sys.orig_argv[1:]])  # noqa: S606 - the same program, where it can run
sys.path[0] = str(_FOLDER.parent)
import_module(f"{_FOLDER.name}.package_host").serve()
