"""What the engine starts to host the components for programs in other languages.

The folder is called `components` in the repository and `onprem_agents_components` where the package is installed.
The language host takes the first `python3` on PATH (Pulumi 3.259, sdk/python/toolchain/pip.go, read 2026-11), which
need not be the one of the environment with the package.
"""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
# That of a checkout, and of the environment in whose site-packages this lies; a checkout may lie near the root.
_ENVIRONMENTS = (_FOLDER.parent / ".venv", *_FOLDER.parents[3:4])


def main() -> None:
    """Host the components, on a Python that has what they need."""
    if find_spec("pulumi") is None:
        for environment in _ENVIRONMENTS:
            python = environment / "bin" / "python"
            if python.is_file() and not Path(sys.prefix).samefile(environment):
                os.execv(python, [str(python), *sys.orig_argv[1:]])  # noqa: S606 - this program, where it can run
    sys.path[0] = str(_FOLDER.parent)
    if find_spec("pulumi") is None:
        sys.exit(import_module("onprem_agents.errors").needs_platform("the component package", "pulumi"))
    import_module(f"{_FOLDER.name}.package_host").serve()


if __name__ == "__main__":
    main()
