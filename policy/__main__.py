"""What the engine starts: the repository's root joins the path, then the pack is served."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policy.pack import serve

serve()
