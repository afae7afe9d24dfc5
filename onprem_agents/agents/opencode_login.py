"""opencode without an installer: what `opencode auth login https://HOST` asks HOST for (1.18.33, run 2026-11-28).

It fetches this file, runs `auth.command` on the developer's machine and keeps what that prints as the value of the
variable `auth.env`, in its own auth.json. From then on it fetches the file at each start and takes `config` as the
weakest of its files, with that variable filled in; while the host does not answer, opencode does not start.
What has no place in a configuration, such as the variables that keep it from looking outside, stays `setup`'s.
"""

from __future__ import annotations

import json

from onprem_agents.agents.opencode import OPENCODE
from onprem_agents.agents.registry import obstacle
from onprem_agents.contract.connection import Connection

OPENCODE_PATH = "/.well-known/opencode"

# It is run with nothing to read from, so the key is asked for on the terminal itself; nothing is printed but the key.
_ASK = (
    'if [ -z "$@KEY@" ]; then '
    "printf %s 'Your key, not shown (@HINT@): ' > /dev/tty; "
    "trap 'stty echo < /dev/tty' EXIT; trap 'exit 1' INT TERM; stty -echo < /dev/tty; "
    "read -r @KEY@ < /dev/tty; echo > /dev/tty; "
    'fi; [ -n "$@KEY@" ] && printf %s "$@KEY@"'
)


def organisation_file(connection: Connection) -> str | None:
    """Return the file as JSON text, None where opencode cannot work with the main role."""
    if obstacle(connection, OPENCODE) is not None:
        return None
    (file,) = OPENCODE.files(connection)
    auth = {"command": login_command(connection), "env": connection.auth.key_env}
    return json.dumps({"auth": auth, "config": file.values}, indent=2) + "\n"


def login_command(connection: Connection) -> list[str]:
    """Return the command that prints a developer's key: from its variable, else as typed on the terminal."""
    script = _ASK.replace("@KEY@", connection.auth.key_env).replace("@HINT@", connection.auth.key_hint)
    return ["sh", "-c", script]
