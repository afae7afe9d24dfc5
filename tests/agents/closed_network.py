"""A network that holds nothing but loopback and one way to the gateway; what is looked for outside is written down.

Run as a program inside `unshare --net --mount` it makes that network and runs a command in it: the port of
the gateway leads through a Unix socket to the real one, a name server on loopback knows nobody, and every
address of the internet is loopback's, where nobody listens: names asked for and addresses sent to are listed.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

LOOPBACK = "127.0.0.1"
MISSING = "unshare and ip are missing, or may make no network here"
_UNSHARE = ("unshare", "--map-root-user", "--net", "--mount", "--kill-child")
_HEADER_BYTES = 12
_NO_SUCH_NAME = b"\x81\x83"
# <linux/if_ether.h>: every protocol. Offsets and lengths of the destination: RFC 791 3.1, RFC 8200 3.
_ETH_P_ALL = 0x0003
_DESTINATION = {4: slice(16, 20), 6: slice(24, 40)}


def is_possible() -> bool:
    """Whether this machine lets us make such a network."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def around(port: int, folder: Path) -> Iterator[tuple[list[str], Path]]:
    """Yield the words to put before a command, and the file that will list the names and addresses it asked for."""
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as listener:
        way = f"{short}/gateway"  # a path of a Unix socket must be short
        listener.bind(way)
        listener.listen()
        threading.Thread(
            target=_accept, args=(listener, socket.AF_INET, (LOOPBACK, port)), daemon=True
        ).start()
        asked = folder / "asked-for"
        asked.touch()
        yield [*_UNSHARE, sys.executable, __file__, str(port), way, str(asked)], asked


def _accept(listener: socket.socket, family: socket.AddressFamily, target: str | tuple[str, int]) -> None:
    with contextlib.suppress(OSError):
        while True:
            near, _ = listener.accept()
            threading.Thread(target=_connect, args=(near, family, target), daemon=True).start()


def _connect(near: socket.socket, family: socket.AddressFamily, target: str | tuple[str, int]) -> None:
    with near, socket.socket(family) as far, contextlib.suppress(OSError):
        far.connect(target)
        back = threading.Thread(target=_copy, args=(far, near), daemon=True)
        back.start()
        _copy(near, far)
        back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _know_nobody(server: socket.socket, asked: Path) -> None:
    with asked.open("a", encoding="utf-8", buffering=1) as log:
        while True:
            query, client = server.recvfrom(4096)
            log.write(_name(query) + "\n")
            server.sendto(query[:2] + _NO_SUCH_NAME + query[4:6] + bytes(6) + query[_HEADER_BYTES:], client)


def _name(query: bytes) -> str:
    labels, at = [], _HEADER_BYTES
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "replace"))
        at += 1 + query[at]
    return ".".join(labels)


def _hear(packets: socket.socket, asked: Path) -> None:
    """Write down the destination of every packet that was not for loopback."""
    with asked.open("a", encoding="utf-8", buffering=1) as log:
        while True:
            packet = packets.recv(2048)
            place = _DESTINATION.get(packet[0] >> 4)
            if place is not None and not (destination := ipaddress.ip_address(packet[place])).is_loopback:
                log.write(f"{destination}\n")


def main(port: str, way: str, asked: str, *command: str) -> int:
    """Make the network and run the command in it; return its exit code."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
    packets.bind(("lo", 0))
    threading.Thread(target=_hear, args=(packets, Path(asked)), daemon=True).start()
    for family, everything in (("-4", "0.0.0.0/0"), ("-6", "::/0")):
        subprocess.run(["ip", family, "route", "add", "local", everything, "dev", "lo"], check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as resolver:
        resolver.write(f"nameserver {LOOPBACK}\n")
        resolver.flush()
        target = str(Path("/etc/resolv.conf").resolve())
        subprocess.run(["mount", "--bind", resolver.name, target], check=True)
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((LOOPBACK, 53))
        threading.Thread(target=_know_nobody, args=(server, Path(asked)), daemon=True).start()
        listener = socket.create_server((LOOPBACK, int(port)))
        threading.Thread(target=_accept, args=(listener, socket.AF_UNIX, way), daemon=True).start()
        return subprocess.run(command, env=os.environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
