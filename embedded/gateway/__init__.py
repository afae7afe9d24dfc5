"""The gateway tried for real: the stack's own objects in front of a server on this machine."""

from embedded.gateway.running import Session, end, leave, start
from embedded.gateway.upstream import Upstream

__all__ = ["Session", "Upstream", "end", "leave", "start"]
