"""Words that several rules say of a server's arguments."""

from __future__ import annotations

from onprem_agents.stack.labels import ROLE_LABEL

from .graph import dig
from .serving import Server


def argument_of(server: Server, option: str) -> str:
    """Return where an argument stands that no setting says: among a role's `extraArgs` in a stack of ours."""
    ours = dig(server.resource.props, "metadata", "labels", ROLE_LABEL) is not None
    return f"{option} ({server.key('extraArgs')})" if ours else f"the argument {option}"
