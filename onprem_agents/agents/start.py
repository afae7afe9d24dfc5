"""The one environment that several agents start in."""

from __future__ import annotations

from dataclasses import replace

from onprem_agents.agents.agent import Target
from onprem_agents.agents.chosen import NONE_CHOSEN, ChosenRoles
from onprem_agents.agents.environment import Environment, merged
from onprem_agents.contract.connection import Connection

# Variables whose file stands in the place of the public certificates, for every program of the shell (OpenSSL, Go,
# requests, curl); the others, NODE_EXTRA_CA_CERTS and CODEX_CA_CERTIFICATE, add to them.
REPLACING = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def environment(
    connection: Connection,
    *targets: Target,
    ca_file: str | None = None,
    whole_ca_file: str | None = None,
    roles: ChosenRoles = NONE_CHOSEN,
) -> Environment:
    """Return the environment that these targets start in, merged.

    `whole_ca_file` holds the public certificates too, for the variables that replace them; `roles` are those that the
    developer chose.
    """
    auth, tls = connection.auth, connection.tls
    whole = merged(target.environment(roles.seen_by(target, connection)) for target in targets)
    names = tuple(dict.fromkeys(name for target in targets for name in target.told_ca))
    notes = [f"Where to get the key for {auth.key_env}: {auth.key_hint}", *whole.notes]
    if tls.ca_hint and not ca_file and names:
        notes.append(f"The CA file: {tls.ca_hint} . Then set {' and '.join(names)} to its path (--ca-file).")
    alone = [name for name in names if name in REPLACING]
    if ca_file and alone and not whole_ca_file:
        notes.append(
            f"{' and '.join(alone)} replaces the public certificates for all programs of the shell: name a file"
            " that holds them too, or set it for this program alone."
        )
    files = {name: whole_ca_file or ca_file if name in REPLACING else ca_file for name in names}
    return replace(
        whole,
        values=whole.values | {name: file for name, file in files.items() if file},
        no_proxy=tuple(dict.fromkeys((*whole.no_proxy, connection.host))),
        notes=tuple(notes),
    )
