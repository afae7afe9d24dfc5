"""Who listens on a port of the loopback: one of our own processes, somebody else, or nobody."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from pathlib import Path

from embedded.ports import LOOPBACK
from onprem_agents.errors import EnvironmentProblem

_LISTENING = "0A"  # state of a socket in /proc/net/tcp, proc(5)


def require_port(port: int, own_pids: Iterable[int], *, setting: str) -> str | None:
    """Raise `EnvironmentProblem` when another program than `own_pids` listens on the port.

    `setting` says where the port comes from. Returns a sentence when this user may not listen there at all:
    then the platform comes up, but nothing answers on that port.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EACCES:
                return (
                    f"only root may listen on port {port} here, so no request will be answered on this machine; "
                    f"change {setting}, for instance to 18443, to try requests"
                )
            if not any(port in listening_ports(pid) for pid in own_pids):
                raise EnvironmentProblem(
                    f"port {port} of {LOOPBACK} is in use by another program, and the gateway needs it: "
                    f"stop that program or change {setting}"
                ) from None
    return None


def listening_ports(pid: int) -> frozenset[int]:
    """Return the TCP ports on which a process listens; none when it is gone."""
    process = Path(f"/proc/{pid}")
    try:
        sockets = {str(descriptor.readlink()) for descriptor in (process / "fd").iterdir()}
        rows = [line.split() for line in (process / "net" / "tcp").read_text().splitlines()[1:]]
    except OSError:
        return frozenset()
    return frozenset(
        int(row[1].rpartition(":")[2], 16)
        for row in rows
        if row[3] == _LISTENING and f"socket:[{row[9]}]" in sockets
    )
