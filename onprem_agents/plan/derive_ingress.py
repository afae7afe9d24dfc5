"""What follows for a gateway from the servers behind it: the largest body, and how many rules its route takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from onprem_agents.contract.connection import fits
from onprem_agents.errors import Problem
from onprem_agents.stack.access import MODEL_ALIASES, Listener
from onprem_agents.stack.domain import Translation
from onprem_agents.stack.parts import ServerReference

# A token of source code is 3 to 4 bytes; JSON escapes, tool schemas and resent history multiply it.
_BODY_BYTES_PER_TOKEN = 32
_LEAST_BODY_MIB, _MOST_BODY_MIB = 8, 64
# Rules of an HTTPRoute (Gateway API 1.6.1, CRD of the standard channel, read 2026-11).
_MOST_ROUTE_RULES = 16


def request_body_mib(servers: Sequence[ServerReference]) -> int:
    """Return the largest body that the gateway takes, in MiB: the most there is where a context is unknown."""
    contexts = [server.context_tokens for server in servers]
    known = [tokens for tokens in contexts if tokens is not None]
    if len(known) < len(contexts):
        return _MOST_BODY_MIB
    mib = math.ceil(max(known) * _BODY_BYTES_PER_TOKEN / 2**20)
    return min(max(mib, _LEAST_BODY_MIB), _MOST_BODY_MIB)


def model_aliases(listener: Listener, servers: Sequence[ServerReference]) -> tuple[str, ...]:
    """Return which names lead to the first server as well: none that a server of its own goes by."""
    if not listener.model_aliases:
        return ()
    names = [server.name for server in servers]
    return tuple(pattern for pattern in MODEL_ALIASES if not any(fits(pattern, name) for name in names))


def too_many_rules(
    count: int, translation: Translation, *, where: str, entries: str, otherwise: str
) -> Iterator[Problem]:
    """Yield that servers and proxy together need more rules than a route has; `otherwise` is the other way out."""
    most = _MOST_ROUTE_RULES
    if translation == "claude-code-router" and count >= most:
        yield Problem(
            where=where,
            cause="contradiction",
            found=f"{count} {entries} beside the translation {translation}",
            why=f"each of them and the proxy take a rule of one HTTPRoute, which has room for {most}",
            fix=f"leave out all but {most - 1} {entries}, or {otherwise}",
        )
