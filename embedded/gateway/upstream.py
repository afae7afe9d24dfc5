"""What answers behind the gateway: a server of the user's, or the scripted model, which is started here."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from embedded.layout import Layout
from embedded.ports import LOOPBACK, Ports
from embedded.process import Process
from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem
from onprem_agents.plan import KEEP_ALIVE_SECONDS, PlatformPlan
from scripted_model import NAME

_READY_SECONDS = 30.0
_ANSWER_SECONDS = 10.0
# What people write for this machine; the setting takes the address itself.
_THIS_MACHINE = (LOOPBACK, "localhost")


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """A server's address, the file in which the scripted model writes down what came (None for others), and the
    version of the vLLM that was started here (None for others)."""

    url: str
    record_file: Path | None = None
    vllm: str | None = None


def given(url: str) -> Upstream:
    """Return the user's own server. Raises `InvalidInput` for an address that is not on this machine's loopback."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = parts.scheme == "http" and parts.path in ("", "/") and not (parts.query or parts.fragment)
    if not plain or port is None or parts.hostname not in _THIS_MACHINE or parts.username is not None:
        problem = Problem(
            where="--upstream",
            cause="bad-value",
            found=ascii(url),
            why="the gateway runs on this machine's loopback and sends prompts and keys on in plain HTTP",
            fix=f"give the server's address without a path, such as http://{LOOPBACK}:8000",
        )
        raise InvalidInput("./dev gateway", [problem])
    return Upstream(url=f"http://{LOOPBACK}:{port}")


def require_answer(upstream: Upstream) -> None:
    """Raise `EnvironmentProblem` when no HTTP server answers at the address."""
    try:
        httpx.get(f"{upstream.url}/v1/models", timeout=_ANSWER_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        raise EnvironmentProblem(
            f"no model server answers at {upstream.url} ({error}): start it first, or leave --upstream out"
        ) from error


def start_scripted_model(layout: Layout, plan: PlatformPlan) -> Upstream:
    """Start the scripted model for all roles of the stack, unless it runs already as wanted."""
    process = scripted_model(layout)
    ports = Ports(layout.ports_file)
    if not process.alive():
        ports.replace_taken([NAME])
    record_file = layout.state / "gateway" / "record.jsonl"
    models = [f"--model={serving.name}={serving.context_tokens}" for serving in plan.serving]
    unthinking = [
        f"--unthinking={serving.name}"
        for serving in plan.serving
        if serving.thinking is not None and not serving.thinking.on
    ]
    port = ports[NAME]
    keep_alive = f"--keep-alive-seconds={KEEP_ALIVE_SECONDS}"
    process = scripted_model(
        layout, f"--port={port}", f"--record={record_file}", keep_alive, *models, *unthinking
    )
    upstream = Upstream(url=f"http://{LOOPBACK}:{port}", record_file=record_file)
    if not process.as_wanted():
        process.stop()
        record_file.unlink(missing_ok=True)
        process.start()
    process.wait_until(lambda: _healthy(upstream), timeout_seconds=_READY_SECONDS, what="ready")
    return upstream


def scripted_model(layout: Layout, *arguments: str) -> Process:
    """Describe the scripted model's process; to look at it or end it no arguments are needed."""
    return Process(
        name=NAME,
        argv=(sys.executable, "-m", "scripted_model", *arguments),
        cwd=layout.checkout,
        env={"PYTHONUNBUFFERED": "1"},
        pid_file=layout.state / "gateway" / f"{NAME}.pid",
        log=layout.logs / f"{NAME}.log",
    )


def _healthy(upstream: Upstream) -> bool:
    try:
        answer = httpx.get(f"{upstream.url}/health", timeout=_ANSWER_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return False
    return str(answer.headers.get("server")) == NAME
