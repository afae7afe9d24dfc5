"""What the engine starts: the provider without the SDK around its protocol.

Of the SDK the provider needs `pulumi.runtime.proto` alone, but `import pulumi` brings tracing, automation and
more: 0.13 of the 0.35 s that a start took (pulumi 3.272, 2026-11), at each preview. So the two packages above
the protocol are put in place without running them. Import this module in the provider's own process only.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable

_HOLLOW = ("pulumi", "pulumi.runtime")


def _provider() -> Callable[[], None]:
    for name in _HOLLOW:
        spec = importlib.util.find_spec(name)
        if spec is not None:
            sys.modules[name] = importlib.util.module_from_spec(spec)
    from embedded.plugins.kubernetes.server import main as serve

    return serve


main = _provider()
"""Serves the engine whose address is the last argument, or prints the version."""
