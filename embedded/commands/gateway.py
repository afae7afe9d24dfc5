"""`./dev gateway [STACK]`: the real gateway of a stack on this machine, in front of a scripted model."""

from __future__ import annotations

import json
import shlex
import signal
import socket
import threading
from types import FrameType

from embedded.gateway import Session, end, litellm, real_vllm, start
from embedded.gateway.running import newest_key
from embedded.gateway.upstream import scripted_model
from embedded.layout import Layout
from embedded.lock import hold
from embedded.process import Process
from embedded.progress import Progress
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.plan import plan_stack_file
from scripted_model import OWNER

_LOOK_SECONDS = 1.0
# Another run that takes the session down holds the lock for as long as its update lasts; Ctrl-C waits less.
_OTHER_RUN_SECONDS = 600.0
_INTERRUPTED_SECONDS = 60.0
_COMMAND = "./dev gateway"


def gateway(
    layout: Layout, stack: str, progress: Progress, *, upstream: str | None, detach: bool, as_json: bool
) -> None:
    """Start the gateway and print how to reach it; without `detach` go on until interrupted, then end it."""
    with hold(layout.lock_file, command=f"{_COMMAND} {stack}"):
        session = start(layout, stack, upstream, progress)
    interrupted = _interruption()
    _print(layout, session, progress, as_json=as_json)
    if detach:
        progress.note(f"end it with '{_COMMAND} --stop'")
        return
    progress.note("runs until Ctrl-C")
    trouble = _wait(layout, session, interrupted)
    _leave(layout, session, trouble, progress)


def _leave(layout: Layout, session: Session, trouble: str | None, progress: Progress) -> None:
    """End the session and tell its trouble, unless another run has ended it: then its servers died of that."""
    with hold(
        layout.lock_file,
        command=f"{_COMMAND} {session.stack} (ending)",
        wait_seconds=_INTERRUPTED_SECONDS if trouble is None else _OTHER_RUN_SECONDS,
        on_wait=progress.note,
    ):
        if Session.read(layout) != session:
            return
        end(layout, progress)
    if trouble is not None:
        raise EnvironmentProblem(trouble)


def stop(layout: Layout, progress: Progress) -> None:
    """End what `gateway` left running, and lead the routes to the stack's own pods again."""
    with hold(layout.lock_file, command=f"{_COMMAND} --stop"):
        if not end(layout, progress):
            progress.note("no gateway is running")


def show_key(layout: Layout, stack: str, developer: str) -> None:
    """Print a developer's newest key, and nothing else, on standard output."""
    print(newest_key(layout, stack, developer))


def key_command(layout: Layout, stack: str) -> str:
    """Return a shell command that prints the key of the stack's first developer, from any folder."""
    plan = plan_stack_file(layout.checkout / "stacks", stack)
    developer = plan.developers[0]
    words = [str(layout.checkout / "dev"), "gateway", stack, "--key", developer]
    if layout.state != layout.checkout / ".onprem":
        words = ["env", f"ONPREM_STATE={layout.state}", *words]
    return shlex.join(words)


def _print(layout: Layout, session: Session, progress: Progress, *, as_json: bool) -> None:
    told = {
        "base_url": session.base_url,
        "anthropic_base_url": session.anthropic_base_url,
        "ca_file": session.ca_file,
        "record_file": session.record_file,
        "key_command": key_command(layout, session.stack),
    }
    if as_json:
        print(json.dumps(told, indent=2), flush=True)
    else:
        titles = ("base URL", "Anthropic base URL", "CA file", "record", "a developer's key")
        for title, value in zip(titles, told.values(), strict=True):
            print(f"{title:<20}{value or '(the upstream keeps its own)'}", flush=True)
    progress.note(f"behind it: {_server(session)} on {session.upstream}")
    if session.proxy is not None:
        progress.note(f"between them: LiteLLM on {session.proxy}, its log is {litellm.process(layout).log}")
    host = session.anthropic_base_url.rpartition("/")[2].partition(":")[0]
    if not _resolves(host):
        progress.note(
            f"{host} is not known on this machine: agents need a line '127.0.0.1 {host}' in /etc/hosts, "
            "or platform.access.host: localhost in the stack file"
        )


def _server(session: Session) -> str:
    """Return what answers behind the gateway, in words."""
    if session.vllm is not None:
        return (
            f"the real vLLM {session.vllm} with random weights (it answers nonsense; what it shows is the "
            "server's APIs)"
        )
    return OWNER if session.record_file is not None else "your server"


def _interruption() -> threading.Event:
    """Return what Ctrl-C and SIGTERM set from now on.

    Until now a signal ended every child for good; the end of a session still needs some.
    """
    interrupted = threading.Event()

    def hear(_signal: int, _frame: FrameType | None) -> None:
        interrupted.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, hear)
    return interrupted


def _wait(layout: Layout, session: Session, interrupted: threading.Event) -> str | None:
    """Return when interrupted, or when another run ended the session; with a sentence when its server died."""
    servers = _servers(layout, session)
    while not interrupted.wait(_LOOK_SECONDS):
        if Session.read(layout) != session:
            return None
        for server in servers:
            if not server.alive():
                return f"{server.name} has died; its log is {server.log}"
    return None


def _servers(layout: Layout, session: Session) -> list[Process]:
    """Return the servers that the session started, beside the cluster's own."""
    servers = []
    if session.record_file is not None:
        servers.append(scripted_model(layout))
    if session.vllm is not None:
        servers.append(real_vllm.process(layout))
    if session.proxy is not None:
        servers.append(litellm.process(layout))
    return servers


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True
