"""The one environment that several agents start in."""

from __future__ import annotations

from dataclasses import replace

from onprem_agents.agents.agent import Target
from onprem_agents.agents.environment import Environment, merged
from onprem_agents.contract.connection import Connection


def environment(connection: Connection, *targets: Target, ca_file: str | None = None) -> Environment:
    """Return the environment that these targets start in, merged."""
    auth, tls = connection.auth, connection.tls
    whole = merged(target.environment(connection) for target in targets)
    names = tuple(dict.fromkeys(name for target in targets for name in target.told_ca))
    notes = [f"Where to get the key for {auth.key_env}: {auth.key_hint}", *whole.notes]
    if tls.ca_hint and not ca_file and names:
        notes.append(f"The CA file: {tls.ca_hint} . Then set {' and '.join(names)} to its path (--ca-file).")
    return replace(
        whole,
        values=whole.values | (dict.fromkeys(names, ca_file) if ca_file else {}),
        no_proxy=tuple(dict.fromkeys((*whole.no_proxy, connection.host))),
        notes=tuple(notes),
    )
