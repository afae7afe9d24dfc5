"""What the engine starts: the folder above joins the path, then the pack is served.

The folder is called `policy` in the repository and `onprem_agents_policy` where the package is installed.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(_FOLDER.parent))
if find_spec("pulumi_policy") is None:
    sys.exit(import_module("onprem_agents.errors").needs_platform("the policy pack", "pulumi_policy"))
import_module(f"{_FOLDER.name}.pack").serve()
