"""What the engine starts: the folder above joins the path, then the pack is served.

The folder is called `policy` in the repository and `onprem_agents_policy` where the package is installed.
"""

import sys
from importlib import import_module
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(_FOLDER.parent))
import_module(f"{_FOLDER.name}.pack").serve()
